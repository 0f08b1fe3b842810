package plugin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// waiting is how a command waits for what comes of a request.
type waiting struct {
	wait    bool
	timeout time.Duration
}

func (w *waiting) register(flags *pflag.FlagSet) {
	flags.BoolVar(&w.wait, "wait", true, "Wait until the operator has dealt with it, and say what came of it")
	flags.DurationVar(&w.timeout, "timeout", 2*time.Minute, "How long to wait")
}

// pollEvery is how often a waiting command looks.
const pollEvery = 300 * time.Millisecond

// until looks again and again until done says so. still says how things stand when the time is over.
func (w *waiting) until(ctx context.Context, done func(context.Context) (bool, error), still func() string) error {
	err := wait.PollUntilContextTimeout(ctx, pollEvery, w.timeout, true, done)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted; the request stands")
	case wait.Interrupted(err):
		return fmt.Errorf("not dealt with within %s, and it still stands: %s; is the operator running? see kubectl mfa doctor", w.timeout, still())
	}
	return err
}

// FieldOwner is whose the annotations are that the commands set. The API server's default would be kubectl-mfa: Flux takes
// whatever a manager called kubectl… has written for a stray edit, and removes it with its next apply.
const FieldOwner = "mfa-by-hand"

// annotate sets one annotation and leaves all else alone.
func annotate(ctx context.Context, c client.Client, object client.Object, name, value string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{name: value}}})
	if err != nil {
		return err
	}
	if err := c.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(FieldOwner)); err != nil {
		return explain(err, fmt.Sprintf("annotate %s/%s", object.GetNamespace(), object.GetName()), "it has just been deleted")
	}
	return nil
}

// freshToken is one that was not used before: the time, for people, and something random.
func (s *session) freshToken() string {
	return s.Clock.Now().UTC().Format("20060102T150405Z") + "-" + rand.Text()[:6]
}
