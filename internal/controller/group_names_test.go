package controller

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// slowGroups answers when it is let go, or when its caller is cancelled.
type slowGroups struct {
	calls  int
	answer chan error
}

func (s *slowGroups) ListGroups(ctx context.Context) ([]mfaclient.Group, error) {
	s.calls++
	select {
	case err := <-s.answer:
		return []mfaclient.Group{{ID: "7", Name: "staff"}}, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestGroupNames: the groups are read once for all who ask meanwhile, failures too; who is cancelled holds nobody up.
func TestGroupNames(t *testing.T) {
	now := time.Now()
	cases := map[string]struct {
		cancelReader, cancelWaiter bool
		err                        error
		calls                      int
	}{
		"shared":                {calls: 1},
		"a failure is shared":   {err: errors.New("down"), calls: 1},
		"a waiter is cancelled": {cancelWaiter: true, calls: 1},
		"the reader is too":     {cancelReader: true, calls: 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				var names groupNames
				service := &slowGroups{answer: make(chan error)}
				ask := func(ctx context.Context) chan error {
					result := make(chan error, 1)
					go func() {
						ids, err := names.lookup(ctx, now, service)
						if err == nil && ids["staff"] != "7" {
							err = errors.New("wrong groups")
						}
						result <- err
					}()
					synctest.Wait()
					return result
				}
				readerCtx, cancelReader := context.WithCancel(t.Context())
				waiterCtx, cancelWaiter := context.WithCancel(t.Context())
				defer cancelReader()
				defer cancelWaiter()
				reader, waiter, other := ask(readerCtx), ask(waiterCtx), ask(t.Context())
				if tc.cancelWaiter {
					cancelWaiter()
					g.Expect(<-waiter).To(MatchError(context.Canceled), "at once")
				}
				if tc.cancelReader {
					cancelReader()
					g.Expect(<-reader).To(MatchError(context.Canceled))
				}
				synctest.Wait()
				service.answer <- tc.err
				results := []chan error{other}
				if !tc.cancelReader {
					results = append(results, reader)
				}
				if !tc.cancelWaiter {
					results = append(results, waiter)
				}
				for _, result := range results {
					if tc.err == nil {
						g.Expect(<-result).To(Succeed())
					} else {
						g.Expect(<-result).To(MatchError(tc.err))
					}
				}
				g.Expect(service.calls).To(Equal(tc.calls))
				if tc.err == nil {
					g.Expect(<-ask(t.Context())).To(Succeed(), "remembered")
					g.Expect(service.calls).To(Equal(tc.calls))
				}
			})
		})
	}
}
