package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	ticks       = 300 // of the story; somebody joins in each
	ticksToShot = 2
)

// story is what happens on the stage, by ticks.
type story struct {
	*stage
	camera *camera
	acts   map[int]act
	dice   *rand.Rand
	// joined are the users who came, waiting those who have a code and have not used it.
	joined  int
	waiting []string
}

// act is something that happens at one tick, or as soon after it as the footage shows what came of the acts before.
type act struct {
	name  string
	after string // in a line of the metrics; empty: nothing
	do    func(context.Context) error
}

// atLast is what the footage shows in the end, however slow the machine.
var atLast = []string{`phase="Expired"`, `stage="CodeGone"`, `outcome="Conflict"`, `outcome="NotFound"`, `reason="Suspended"`, `trustbuilder_mfa_codes_expiring{`}

func newStory(s *stage, c *camera) *story {
	t := &story{stage: s, camera: c, dice: rand.New(rand.NewPCG(1, 2))}
	t.acts = map[int]act{
		20:  {"some can't be made", "", t.refuse},
		40:  {"three are blocked, one forgets the PIN", "", t.block},
		60:  {"a Secret is deleted", "", t.loseSecret},
		75:  {"the service falters", "", t.falter},
		95:  {"the service is down", "", t.breakDown},
		112: {"the service is back", `reason="ConnectionNotReady"`, t.mend},
		130: {"the service asks to slow down", "", t.slowDown},
		140: {"the token is renewed", "", t.renewToken},
		155: {"fifteen manifests are deleted at once", "", t.prune},
		195: {"their removal is approved", `reason="RemovalHeld"`, t.approve},
		215: {"listings fail", "", t.breakListings},
		250: {"listings work again", "", t.mend},
		262: {"the leader ends, another takes over", "", t.changeLeader},
	}
	return t
}

// play lets the story happen, and scrapes as it goes.
func (t *story) play(ctx context.Context) error {
	if err := t.open(ctx); err != nil {
		return fmt.Errorf("the beginning: %w", err)
	}
	tick := time.NewTicker(t.length / ticks)
	defer tick.Stop()
	for n := range ticks {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if a, ok := t.acts[n]; ok {
			if err := t.await(ctx, a.after); err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			if err := a.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
		}
		if n < ticks*9/10 {
			if err := t.join(ctx); err != nil {
				return fmt.Errorf("somebody joins: %w", err)
			}
		}
		if err := t.useCodes(ctx); err != nil {
			return fmt.Errorf("somebody uses a code: %w", err)
		}
		if n%ticksToShot == 0 {
			if err := t.camera.shoot(ctx, t.replicas); err != nil {
				return err
			}
		}
	}
	for _, text := range atLast {
		if err := t.await(ctx, text); err != nil {
			return err
		}
	}
	// The film ends with a leader at work: what the dashboard says of the present moment comes from it.
	return await(ctx, "a leader that lists", func() (bool, error) {
		if t.camera.sees("trustbuilder_mfa_listing_age_seconds") {
			return true, nil
		}
		return false, t.camera.shoot(ctx, t.replicas)
	})
}

// await goes on scraping until the footage has shown a text.
func (t *story) await(ctx context.Context, text string) error {
	return await(ctx, "metrics with "+text, func() (bool, error) {
		if t.camera.saw(text) {
			return true, nil
		}
		return false, t.camera.shoot(ctx, t.replicas)
	})
}
