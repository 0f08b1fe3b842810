package inventory_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// Whether what we wrote was kept before it changed tells a service that drops it from a person who edits it later.
func TestKept(t *testing.T) {
	const minute = 61 * time.Second
	cases := map[string]struct {
		happens func(*world)
		want    bool
	}{
		"nothing":                   {func(*world) {}, false},
		"kept so far":               {func(w *world) { w.step(minute); w.list() }, false},
		"gone in the first listing": {func(w *world) { w.step(minute); w.service.edit(id(2), setPhone("")); w.list() }, false},
		"gone, and seen again as gone": {func(w *world) {
			w.step(minute)
			w.service.edit(id(2), setPhone(""))
			w.list()
			w.step(minute)
			w.list()
		}, false},
		"gone after it was shown": {func(w *world) { w.step(minute); w.list(); w.service.edit(id(2), setPhone("")); w.list() }, true},
		"shown too early to tell": {func(w *world) { w.list(); w.step(minute); w.service.edit(id(2), setPhone("")); w.list() }, false},
		"held by nobody any more": {func(w *world) {
			w.step(minute)
			w.list()
			w.release(id(2))
			w.service.edit(id(2), setPhone(""))
			w.list()
		}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := listed(t, 3)
			at := w.clock.Now()
			w.write(id(2), setPhone("+1"))
			w.Expect(w.Shows(at)).To(BeFalse())
			tc.happens(w)
			w.Expect(w.Kept(id(2), at)).To(Equal(tc.want))
			w.step(minute)
			w.list()
			w.Expect(w.Shows(at)).To(BeTrue())
		})
	}
}
