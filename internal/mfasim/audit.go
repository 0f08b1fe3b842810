package mfasim

import (
	"net/http"
	"sort"
	"strconv"
	"time"
)

// How the audit trail behaves (S): it is refreshed every 5 minutes and kept for 5 weeks.
const (
	auditRefresh      = 5 * time.Minute
	auditKept         = 5 * 7 * 24 * time.Hour
	defaultAuditLimit = 1000
	maxAuditLimit     = 10_000
)

type auditEvent struct {
	id    ID
	at    time.Time
	kind  string
	by    string
	login string
}

type wireEvent struct {
	ID    any    `json:"id"`
	Date  string `json:"date"`
	Type  string `json:"type"`
	By    string `json:"by"`
	Login string `json:"login"`
}

// auditPage is a page of the export, which also tells its size.
type auditPage struct {
	listing
	Size int `json:"size"`
}

// record writes an event to the audit trail. Its id has 19 digits: 13 of milliseconds and 6 of a running number.
func (s *Service) record(kind, by, login string) {
	now := s.now()
	id := ID(now.UnixMilli())*1_000_000 + ID(len(s.audit)%1_000_000)
	s.audit = append(s.audit, auditEvent{id: id, at: now, kind: kind, by: by, login: login})
}

// exportAudit serves the events from fromId on, that one included. What happened since the last refresh is not there yet.
func (s *Service) exportAudit(c *call) (any, error) {
	page, limit, err := c.pageNumbers(defaultAuditLimit, maxAuditLimit)
	if err != nil {
		return nil, err
	}
	from, err := fromID(c.r)
	if err != nil {
		return nil, err
	}
	visible := s.auditWindow()
	first := sort.Search(len(visible), func(i int) bool { return visible[i].id >= from })
	out := cut(visible[first:], page, limit, func(e auditEvent) any {
		return wireEvent{ID: s.wireID(e.id), Date: stamp(e.at), Type: e.kind, By: e.by, Login: e.login}
	})
	return auditPage{listing: out, Size: len(out.Content)}, nil
}

func fromID(r *http.Request) (ID, error) {
	text := r.URL.Query().Get("fromId")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) != 19 {
		return 0, refuse(http.StatusBadRequest, "INVALID_FROM_ID", "fromId must have 19 digits")
	}
	return ID(n), nil
}

// auditWindow is what the export shows: refreshed by now, and not yet thrown away.
func (s *Service) auditWindow() []auditEvent {
	now := s.now()
	oldest := sort.Search(len(s.audit), func(i int) bool { return s.audit[i].at.After(now.Add(-auditKept)) })
	refreshed := now.Truncate(auditRefresh)
	newest := sort.Search(len(s.audit), func(i int) bool { return s.audit[i].at.After(refreshed) })
	return s.audit[oldest:max(oldest, newest)]
}
