package storm

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"
)

var (
	users = flag.Int("users", 200, "how many MFAUsers")
	kills = flag.Int("kills", 5, "how often the manager is killed")
	seed  = flag.Uint64("seed", 0, "of the dice; 0: from the clock. Replays what is done and what fails, not when")
)

const (
	// interval is the connection's resyncInterval.
	interval = 2 * time.Second
	// calmPace is how long the plan takes in calm; a storm lasts longer, for there is more in it.
	calmPace = 10 * time.Second
	// betweenKills is how long a manager works on average.
	betweenKills = 4 * time.Second
	// patience is how long the operator may take once the trouble is over. Delays after failures have grown by then.
	patience = 10 * time.Minute
)

func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard()) // the manager logs for itself
	os.Exit(m.Run())
}

// TestStorm plays the same plan twice.
func TestStorm(t *testing.T) {
	g := NewWithT(t)
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	say("seed %d: %d users, %d kills", *seed, *users, *kills)
	s := newStage(t)
	todo := newPlan(rand.New(rand.NewPCG(*seed, 0)), *users)

	calm := s.newScene("calm", todo)
	calm.play(func() { calm.carryOut(calmPace) })
	calm.awaitOutcome()
	calm.leave()

	storm := s.newScene("storm", todo)
	storm.play(func() {
		storm.brew()
		done := make(chan struct{})
		go func() {
			defer close(done)
			storm.carryOut(max(calmPace, time.Duration(*kills)*betweenKills))
		}()
		storm.rage(rand.New(rand.NewPCG(*seed, 1)), *kills)
		<-done
		storm.service.sim.ClearFaults()
		say("the trouble is over: %s", storm.progress())
	})
	storm.awaitOutcome()

	fmt.Fprintln(os.Stderr, table(calm.report, storm.report))
	g.Expect(storm.report.work()).To(BeNumerically("<=", 2*calm.report.work()), "calls but listings, within twice those of the calm run")
	g.Expect(storm.report.listings()).To(BeNumerically("<=", 2*storm.report.listingsDue()), "listings, within twice what the time is worth")
	g.Expect(storm.report.deadCodesUsed).To(BeZero(), "a code in a Secret was live when somebody used it")
}

var begun = time.Now()

// say tells on stderr what is going on: this takes minutes.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
