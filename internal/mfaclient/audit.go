package mfaclient

import "context"

// AuditEvent is one entry of the audit trail. Its other fields are not published, so nothing else is read.
type AuditEvent struct {
	ID string // 19 digits (S)
}

// AuditPage is one page of the audit trail. Entries may be unsorted or late (S).
type AuditPage struct {
	Events  []AuditEvent
	HasMore bool
}

// ExportAudit reads one page of the audit trail (S), which is refreshed every 5 minutes and kept 5 weeks. fromID is the id
// to start from, empty for the beginning; page counts from 0, limit is 1 to 10000.
func (c *Client) ExportAudit(ctx context.Context, fromID string, page, limit int) (AuditPage, error) {
	query := c.paging(page, limit)
	if fromID != "" {
		query.Set(c.routes.names.field(scopeQuery, "fromId"), fromID)
	}
	events, more, err := list(ctx, c, request{operation: opExportAudit, query: query}, readAuditEvent)
	return AuditPage{Events: events, HasMore: more}, err
}

func readAuditEvent(o *object) AuditEvent { return AuditEvent{ID: o.required(scopeAudit, "id")} }
