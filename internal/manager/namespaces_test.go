package manager

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// rights are what may be listed, as <namespace> <type>; everything else is forbidden.
type rights struct {
	mu   sync.Mutex
	list map[string]bool
	down error
}

func (r *rights) give(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, kind := range []string{"*v1alpha1.MFAUserList", "*v1alpha1.MFAConnectionList", "*v1.PartialObjectMetadataList"} {
		r.list[namespace+" "+kind] = true
	}
}

func (r *rights) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("not asked for")
}

func (r *rights) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	options := (&client.ListOptions{}).ApplyOptions(opts)
	if r.down != nil {
		return r.down
	}
	if !r.list[fmt.Sprintf("%s %T", options.Namespace, list)] {
		return apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no rule"))
	}
	return nil
}

func rightsIn(namespaces ...string) *rights {
	r := &rights{list: map[string]bool{}}
	for _, namespace := range namespaces {
		r.give(namespace)
	}
	return r
}

// TestSortNamespaces: one namespace that may not be read stops nobody but itself.
func TestSortNamespaces(t *testing.T) {
	half := rightsIn("team-a", "team-b")
	delete(half.list, "team-b *v1.PartialObjectMetadataList")
	cases := map[string]struct {
		rights            *rights
		readable, refused []string
		err               string
	}{
		"all":                 {rights: rightsIn("team-a", "team-b"), readable: []string{"team-a", "team-b"}},
		"one without a Role":  {rights: rightsIn("team-b"), readable: []string{"team-b"}, refused: []string{"team-a"}},
		"one with half of it": {rights: half, readable: []string{"team-a"}, refused: []string{"team-b"}},
		"none":                {rights: rightsIn(), err: "none of them may be read: team-a, team-b;"},
		"no API server":       {rights: &rights{down: errors.New("down")}, err: "the namespace team-a may be read: down"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			readable, refused, err := sortNamespaces(t.Context(), tc.rights, []string{"team-a", "team-b"})
			if tc.err != "" {
				g.Expect(err).To(MatchError(ContainSubstring(tc.err)))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(readable).To(Equal(tc.readable))
			g.Expect(refused).To(Equal(tc.refused))
		})
	}
}

// TestRefusedNamespaceIsTakenUp: the manager ends, for the next one to begin with it, and not before.
func TestRefusedNamespaceIsTakenUp(t *testing.T) {
	g := NewWithT(t)
	held, clk := rightsIn("team-a"), clocktesting.NewFakeClock(clock.RealClock{}.Now())
	refused := &refusedNamespaces{reader: held, names: []string{"team-b"}, clock: clk}
	ended := make(chan error, 1)
	go func() { ended <- refused.Start(t.Context()) }()

	g.Eventually(clk.HasWaiters).Should(BeTrue())
	clk.Step(refusedEvery)
	g.Eventually(clk.HasWaiters).Should(BeTrue(), "it goes on waiting")
	g.Expect(ended).NotTo(Receive())

	held.give("team-b")
	clk.Step(refusedEvery)
	g.Eventually(ended).Should(Receive(MatchError(ContainSubstring("the namespace team-b may be read now"))))
}

func TestRefusedNamespaceIsGivenUpWithTheManager(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	refused := &refusedNamespaces{reader: rightsIn(), names: []string{"team-b"}, clock: clock.RealClock{}}
	g.Expect(refused.Start(ctx)).To(Succeed())
}
