package mfaclient

import "context"

// GroupID is the stable key of a group.
type GroupID string

// Group is made in the vendor's console; no call creates one.
type Group struct {
	ID   GroupID
	Name string
}

// Membership is a group an account is in, and its role there.
type Membership struct {
	Group Group
	Role  Role
}

// ListGroups reads all groups of the service, page by page (A).
func (c *Client) ListGroups(ctx context.Context) ([]Group, error) {
	return listAll(ctx, c, request{operation: opListGroups}, readGroup, func(g Group) string { return string(g.ID) })
}

// ListAccountGroups reads all memberships of an account, page by page (A).
func (c *Client) ListAccountGroups(ctx context.Context, id AccountID) ([]Membership, error) {
	q := request{operation: opListAccountGroups, path: map[string]string{"id": string(id)}}
	read := func(o *object) Membership { return Membership{Group: readGroup(o), Role: readRole(o, scopeGroup)} }
	return listAll(ctx, c, q, read, func(m Membership) string { return string(m.Group.ID) })
}

// PutMembership puts an account into a group, or changes its role there (A).
func (c *Client) PutMembership(ctx context.Context, group GroupID, id AccountID, role Role) error {
	b := c.routes.names.body()
	b.set(scopeGroup, "role", b.names.encode(string(role)))
	return c.do(ctx, request{operation: opPutMembership, path: memberPath(group, id), body: b.out}, nil)
}

// DeleteMembership takes an account out of a group (A). KindNotFound: it was not in it, or either is gone.
func (c *Client) DeleteMembership(ctx context.Context, group GroupID, id AccountID) error {
	return c.do(ctx, request{operation: opDeleteMembership, path: memberPath(group, id)}, nil)
}

func memberPath(group GroupID, id AccountID) map[string]string {
	return map[string]string{"groupId": string(group), "id": string(id)}
}

func readGroup(o *object) Group {
	return Group{ID: GroupID(o.required(scopeGroup, "id")), Name: o.text(scopeGroup, "name")}
}
