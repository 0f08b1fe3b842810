package mfaclient

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
)

const (
	pageLimit = 100  // the most the service gives (D)
	maxPages  = 1000 // a listing that never ends is a fault; no account has 100,000 devices
)

func (c *Client) paging(page, limit int) url.Values {
	n := c.routes.names
	return url.Values{
		n.field(scopeQuery, "page"):  {strconv.Itoa(page)},
		n.field(scopeQuery, "limit"): {strconv.Itoa(limit)},
	}
}

// list reads one page. A page says itself whether more follows; one that does not say is refused, or a wrong field name
// would look like the end of the listing and every account after it like a deleted one.
func list[T any](ctx context.Context, c *Client, q request, read func(*object) T) (items []T, more bool, err error) {
	err = c.do(ctx, q, func(page *object) {
		more = page.flag(scopePage, "hasMore", false)
		if page.get(scopePage, "hasMore") == nil {
			page.fail("page.hasMore is missing")
		}
		items = readAll(page, more, read)
	})
	if err != nil {
		return nil, false, err
	}
	return items, more, nil
}

func readAll[T any](page *object, more bool, read func(*object) T) []T {
	raw := page.get(scopePage, "content")
	if raw == nil {
		if more || !page.has(scopePage, "content") {
			page.fail("page.content is missing")
		}
		return nil
	}
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		page.fail("page.content has the wrong type")
	}
	items := make([]T, 0, len(elements))
	for _, element := range elements {
		o := page.names.object(element)
		items = append(items, read(o))
		if o.err != nil {
			page.fail(o.err.Error())
			return nil
		}
	}
	return items
}

// listAll follows the pages. Items that come twice, because the listing shifted while it was read, are given once.
func listAll[T any](ctx context.Context, c *Client, q request, read func(*object) T, key func(T) string) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	for page := range maxPages {
		q.query = c.paging(page, pageLimit)
		items, more, err := list(ctx, c, q, read)
		if err != nil {
			return nil, err
		}
		before := len(seen)
		for _, item := range items {
			if !seen[key(item)] {
				seen[key(item)] = true
				all = append(all, item)
			}
		}
		if !more {
			return all, nil
		}
		if len(seen) == before {
			return nil, &Error{Kind: KindMalformed, Operation: q.operation, Reason: "a page brought nothing new, yet more is said to follow"}
		}
	}
	return nil, &Error{Kind: KindMalformed, Operation: q.operation, Reason: "the listing does not end"}
}
