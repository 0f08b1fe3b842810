package mfasim

import (
	"net/http"
	"strconv"
)

// listing is one page of anything, as the contract spells it.
type listing struct {
	Content []any `json:"content"`
	HasMore bool  `json:"hasMore"`
}

const (
	defaultLimit = 50
	maxLimit     = 100
)

// pageNumbers reads page and limit. A limit above the cap is cut down to it without a word, so that a client that
// asks for 500 and trusts its own number loses accounts here as it would in production.
func (c *call) pageNumbers(fallback, most int) (page, limit int, err error) {
	page, limit = 0, fallback
	query := c.r.URL.Query()
	for name, into := range map[string]*int{"page": &page, "limit": &limit} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return 0, 0, refuse(http.StatusBadRequest, "INVALID_PAGE", name+" must be a number, zero or greater")
		}
		*into = int(n)
	}
	if limit == 0 {
		return 0, 0, refuse(http.StatusBadRequest, "INVALID_PAGE", "limit must be at least 1")
	}
	return page, min(limit, most), nil
}

// pageOf cuts the asked page out of all and spells its items. Only the page is touched, so a listing of 10,000 costs no more than one of 100.
func pageOf[T any](c *call, all []T, spell func(T) any) (any, error) {
	page, limit, err := c.pageNumbers(defaultLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	if c.faulty(FaultRepeatPage) {
		page = 0
	}
	out := cut(all, page, limit, spell)
	switch {
	case c.faulty(FaultRepeatPage):
		out.HasMore = true
	case c.faulty(FaultEmptyListing):
		out = listing{Content: []any{}}
	}
	return out, nil
}

func cut[T any](all []T, page, limit int, spell func(T) any) listing {
	start := min(page*limit, len(all))
	end := min(start+limit, len(all))
	out := listing{Content: make([]any, 0, end-start), HasMore: end < len(all)}
	for _, item := range all[start:end] {
		out.Content = append(out.Content, spell(item))
	}
	return out
}
