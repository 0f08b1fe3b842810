package mfasim_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// Many clients at once: each gets its own account, of one login only one gets it, and the race detector finds nothing.
func TestManyAtOnce(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	statuses := make(chan int, 40)
	var group sync.WaitGroup
	for i := range 20 {
		for _, login := range []string{"same", fmt.Sprintf("own-%d", i)} {
			group.Go(func() { statuses <- w.quick("POST", "/accounts", `{"login":"`+login+`","codeType":2}`) })
		}
		group.Go(func() { w.quick("GET", "/accounts", "") })
		group.Go(func() { w.Accounts(); w.Calls(); w.LiveCode("same") })
	}
	group.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	w.Expect(count).To(Equal(map[int]int{http.StatusCreated: 21, http.StatusConflict: 19}))
	w.Expect(w.Accounts()).To(HaveLen(22))
}

// quick makes a call off the test's goroutine, where assertions must not be made; zero stands for no answer.
func (w *tenant) quick(method, path, body string) int {
	req, err := http.NewRequest(method, w.url+root+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	resp, err := w.client.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
