package plan

import (
	"fmt"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// Action is what would become of the account of one MFAUser.
type Action string

// The actions. The first five change something in the service.
const (
	Create Action = "Create"
	Update Action = "Update"
	Block  Action = "Block"
	Delete Action = "Delete"
	// Code: nothing but a code, or the delivery of one.
	Code Action = "Code"
	// Nothing is to be done: the account is as stated, or the manifest says Observe.
	Nothing Action = "Nothing"
	// Refused: the operator would do nothing, and say why.
	Refused Action = "Refused"
)

// Change is one field, or the groups, with the values of the service and of the manifest.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to"`
}

// Item is what would become of one MFAUser.
type Item struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Login     string `json:"login"`
	AccountID string `json:"accountID,omitempty"`
	Action    Action `json:"action"`
	// Changes that would be written; with Observe those that are not.
	Changes []Change `json:"changes,omitempty"`
	// Notes say what else is to be known: a takeover, a code, a removal that counts.
	Notes []string `json:"notes,omitempty"`
	// Reason is the one that Ready would show when the operator refuses.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Removes is true when the account would lose access or devices, which changeGuard counts.
	Removes bool `json:"removes,omitempty"`
}

// Acts tells whether the service would be changed.
func (i *Item) Acts() bool {
	switch i.Action {
	case Create, Update, Block, Delete, Code:
		return true
	}
	return false
}

func (i *Item) note(format string, args ...any) {
	i.Notes = append(i.Notes, fmt.Sprintf(format, args...))
}

func (i *Item) refuse(reason, message string) Item {
	i.Action, i.Reason, i.Message, i.Changes = Refused, reason, message, nil
	return *i
}

func (i *Item) nothing(why string) Item {
	i.Action = Nothing
	i.note("%s", why)
	return *i
}

func newItem(user *v1alpha1.MFAUser) *Item {
	return &Item{
		Namespace: user.Namespace, Name: user.Name, Login: user.Spec.Login, AccountID: user.Status.AccountID, Action: Nothing,
	}
}

// WithoutConnection is what becomes of a user whose connection does not exist.
func WithoutConnection(user *v1alpha1.MFAUser) Item {
	i := newItem(user)
	if user.Spec.Suspend || !user.DeletionTimestamp.IsZero() && (rules.LetsGo(user) || user.Status.AccountID == "" && user.Status.Creating == nil) {
		return i.nothing("nothing is done for it")
	}
	return i.refuse(v1alpha1.ReasonConnectionNotFound, rules.MissingConnection(user.ConnectionNamespace(), user.Spec.ConnectionRef.Name)+rules.MissingConnectionHint)
}
