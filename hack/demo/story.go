package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

const (
	secretKeys = `kubectl get secret alice-mfa -n team-a -o go-template='{{range $key, $_ := .data}}{{$key}} {{end}}{{"\n"}}'`
	secretLink = `kubectl get secret alice-mfa -n team-a -o go-template='{{.data.link | base64decode}}'`
	conditions = `kubectl get mfau alice -n team-a -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'`
	devices    = `kubectl get mfau alice -n team-a -o jsonpath='{range .status.devices[*]}{.name}: {.state}{"\n"}{end}'`
	alice      = "alice@example.com"
)

// show is what the demo shows, from the top down; it stops at the first thing that is not seen.
func (s *stage) show(ctx context.Context) error {
	steps := []func(context.Context) error{
		s.startControlPlane, s.startSimulator, s.install, s.startManager, s.applySamples, s.look, s.enrol, s.drift, s.lostPhone,
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) install(ctx context.Context) error {
	return s.tell(ctx, "The operator is installed as on any cluster.",
		command{line: "kubectl apply -k config/default", folded: true},
		command{line: "kubectl wait crd/mfausers.trustbuilder-mfa.dev crd/mfaconnections.trustbuilder-mfa.dev --for=condition=Established --timeout=60s"},
	)
}

func (s *stage) applySamples(ctx context.Context) error {
	return s.tell(ctx, "config/samples is applied, with the simulator's address and CA in the connection; then the token's Secret is made.",
		command{line: fmt.Sprintf("kubectl apply -k %s", s.path("samples"))},
		command{line: fmt.Sprintf("kubectl -n mfa-system create secret generic trustbuilder-api-token --from-file=token=%s", s.simulator.tokenFile)},
		command{line: "kubectl -n mfa-system label secret trustbuilder-api-token trustbuilder-mfa.dev/token=true"},
		command{line: "kubectl -n team-a wait mfau --all --for=condition=Ready --timeout=60s", sees: "all users Ready"},
	)
}

func (s *stage) look(ctx context.Context) error {
	return s.tell(ctx, "Three people have accounts now. Alice has a link, Bob a code to be switched on, Carol is blocked. (Counts: once a minute.)",
		command{line: "kubectl get mfaconn,mfau -A", sees: "the connection and the three users, Ready and in their states", want: []string{
			`/production .* True `,
			`/alice .* PendingActivation +Active +True `, `/bob .* PendingActivation +Inactive +True `, `/carol .* Blocked .* True `,
		}},
		command{line: conditions, sees: "Alice's conditions", want: []string{`^Ready=True `, `^AccountSynced=True `, `^CodeReady=True `, `^Enrolled=False WaitingForUser`}},
		command{line: secretKeys, sees: "code and link in Alice's Secret", want: []string{`\bcode\b`, `\blink\b`, `\bexpiresAt\b`}},
	)
}

func (s *stage) enrol(ctx context.Context) error {
	fmt.Println("\n# Alice opens the link from her Secret and enrols her phone (the simulator plays her).")
	if err := s.openLink(ctx); err != nil {
		return err
	}
	return s.see(ctx,
		command{line: "kubectl -n team-a wait mfau/alice --for=jsonpath='{.status.state}'=Activated --timeout=60s", sees: "Alice's state turning to Activated"},
		command{line: "kubectl get mfau alice -n team-a", sees: "Alice's code marked as used", want: []string{`^alice .* Activated +Used +True `}},
		command{line: secretKeys, sees: "code and link gone from Alice's Secret", want: []string{`\bstate\b`}, absent: []string{`\bcode\b`, `\blink\b`}},
	)
}

// openLink plays Alice, who opens the link that is in her Secret now.
func (s *stage) openLink(ctx context.Context) error {
	link, err := s.shell.run(ctx, secretLink)
	if err != nil || !strings.HasPrefix(link, "https://") {
		return notSeen("a link in the Secret alice-mfa", cmp.Or(err, errors.New("it is empty or no link")))
	}
	if err := s.simulator.useLink(ctx, link); err != nil {
		return notSeen("Alice enrolling with the link of her Secret", err)
	}
	return nil
}

func (s *stage) drift(ctx context.Context) error {
	fmt.Println("\n# Somebody changes her name in the vendor's console, from Martin to Smith. The manifest says Martin.")
	if err := s.simulator.edit(ctx, alice, map[string]string{"lastName": "Smith"}); err != nil {
		return err
	}
	err := s.shell.until(ctx, func(ctx context.Context) error {
		name, err := s.simulator.lastName(ctx, alice)
		if err == nil && name != "Martin" {
			err = fmt.Errorf("the service says %s", name)
		}
		return err
	}, true)
	if err != nil {
		return notSeen("the name corrected to Martin", err)
	}
	fmt.Println("  The service says Martin again.")
	return s.see(ctx, command{line: "kubectl -n team-a events --for mfau/alice", sees: "the event of the correction", want: []string{`Updated .*lastName`}})
}

// lostPhone is what a help desk does: one annotation, and the person enrols another phone in the place of all others.
func (s *stage) lostPhone(ctx context.Context) error {
	err := s.tell(ctx, "Alice has lost her phone. The help desk asks once, by hand, for a code whose use removes all her other devices.",
		command{line: devices, sees: "Alice's phone", want: []string{`^Phone \S+: Active\s*$`}},
		command{line: "kubectl -n team-a annotate mfau/alice trustbuilder-mfa.dev/issue-code=Restore/lost-phone"},
		command{line: "kubectl -n team-a wait mfau/alice --for=jsonpath='{.status.code.purpose}'=Restore --timeout=60s", sees: "the Restore code"},
		command{line: secretKeys, sees: "code and link in Alice's Secret again", want: []string{`\bcode\b`, `\blink\b`}},
	)
	if err != nil {
		return err
	}
	lost, err := s.shell.run(ctx, devices)
	if err != nil {
		return notSeen("the name of the lost phone", err)
	}
	fmt.Println("\n# She opens the link on her new phone.")
	if err := s.openLink(ctx); err != nil {
		return err
	}
	return s.see(ctx,
		command{line: "kubectl -n team-a wait mfau/alice --for=jsonpath='{.status.code.phase}'=Used --timeout=60s", sees: "the Restore code marked as used"},
		command{line: devices, sees: "the new phone in the place of the lost one", want: []string{`^Phone \S+: Active\s*$`}, absent: []string{regexp.QuoteMeta(strings.TrimSpace(lost))}},
		command{line: secretKeys, sees: "code and link gone from Alice's Secret", want: []string{`\bstate\b`}, absent: []string{`\bcode\b`, `\blink\b`}},
	)
}

// tell says what comes, and runs it.
func (s *stage) tell(ctx context.Context, what string, commands ...command) error {
	fmt.Println("\n# " + what)
	return s.see(ctx, commands...)
}

func (s *stage) see(ctx context.Context, commands ...command) error {
	for _, c := range commands {
		if err := s.shell.see(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
