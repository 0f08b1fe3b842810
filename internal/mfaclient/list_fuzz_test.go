package mfaclient

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzListAll pages through listings that shift, repeat themselves, stop short or never end: all items come once, in the
// order in which they first came, or the listing is refused as soon as a page brings nothing new.
func FuzzListAll(f *testing.F) {
	for _, seed := range []string{"", "abc", "ab|bc|d", "ab|", "a||b", "|", "aa|a|b"} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, items []byte, endless bool) {
		script := pageScript{items, endless}
		want, calls := script.expect()
		client, made := script.client(t)
		groups, err := client.ListGroups(t.Context())
		if *made != calls {
			t.Errorf("%d calls, not %d", *made, calls)
		}
		if want == nil {
			if KindOf(err) != KindMalformed || groups != nil {
				t.Errorf("got %v and %v of a listing that stops being one", groups, err)
			}
			return
		}
		same := slices.EqualFunc(groups, want, func(g Group, id byte) bool { return string(g.ID) == strconv.Itoa(int(id)) })
		if err != nil || !same {
			t.Errorf("got %v and %v, not %v", groups, err, want)
		}
	})
}

// pageScript is a listing: a byte is an item, a bar ends a page. An endless one repeats its last page for ever.
type pageScript struct {
	items   []byte
	endless bool
}

func (s pageScript) page(n int) (ids []byte, more bool) {
	pages := bytes.Split(s.items, []byte("|"))
	last := len(pages) - 1
	return pages[min(n, last)], s.endless || n < last
}

// expect returns the items in the order in which they first came, nil when a page brings nothing new and says that more
// follows; and how many calls it takes to know.
func (s pageScript) expect() (items []byte, calls int) {
	items = []byte{}
	for n := 0; ; n++ {
		ids, more := s.page(n)
		before := len(items)
		for _, id := range ids {
			if !slices.Contains(items, id) {
				items = append(items, id)
			}
		}
		if !more {
			return items, n + 1
		}
		if len(items) == before {
			return nil, n + 1
		}
	}
}

// client asks the script instead of a service, and counts how often.
func (s pageScript) client(t *testing.T) (client *Client, calls *int) {
	t.Helper()
	token, err := NewToken([]byte(testToken))
	if err != nil {
		t.Fatal(err)
	}
	if client, err = New(Config{BaseURL: "https://mfa.test", Token: token}); err != nil {
		t.Fatal(err)
	}
	calls = new(int)
	client.http = &http.Client{Transport: roundTrip(func(r *http.Request) string {
		if page := r.URL.Query().Get("page"); page != strconv.Itoa(*calls) {
			t.Errorf("page %s was asked for instead of %d", page, *calls)
		}
		ids, more := s.page(*calls)
		*calls++
		return pageJSON(ids, more)
	})}
	return client, calls
}

func pageJSON(ids []byte, more bool) string {
	groups := make([]string, 0, len(ids))
	for _, id := range ids {
		groups = append(groups, fmt.Sprintf(`{"id":%d}`, id))
	}
	return fmt.Sprintf(`{"content":[%s],"hasMore":%v}`, strings.Join(groups, ","), more)
}

// roundTrip answers every request with 200 and what it returns.
type roundTrip func(*http.Request) string

func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Request: req, Body: io.NopCloser(strings.NewReader(r(req)))}, nil
}
