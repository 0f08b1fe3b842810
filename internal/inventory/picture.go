package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// picture is what one complete listing showed, with our own newer writes on top.
type picture struct {
	// begun is when the listing began: it knows of everything that happened before. Zero before the first.
	begun time.Time
	// term tells whose listing it was, see Inventory.Use.
	term     int
	accounts map[mfaclient.AccountID]mfaclient.Account
	// byLogin holds more than one id only while an account is missing and its login taken anew, or if the service tells
	// upper from lower case after all.
	byLogin map[string][]mfaclient.AccountID
}

func newPicture(begun time.Time, size int) *picture {
	return &picture{
		begun:    begun,
		accounts: make(map[mfaclient.AccountID]mfaclient.Account, size),
		byLogin:  make(map[string][]mfaclient.AccountID, size),
	}
}

// LoginKey is the form in which logins are compared: the service does not tell upper from lower case.
func LoginKey(login string) string { return strings.ToLower(login) }

func (p *picture) put(account mfaclient.Account) {
	key := LoginKey(account.Login)
	if old, known := p.accounts[account.ID]; !known || LoginKey(old.Login) != key {
		p.remove(account.ID) // with its old login
		p.byLogin[key] = append(p.byLogin[key], account.ID)
	}
	p.accounts[account.ID] = account
}

func (p *picture) remove(id mfaclient.AccountID) {
	account, ok := p.accounts[id]
	if !ok {
		return
	}
	delete(p.accounts, id)
	key := LoginKey(account.Login)
	if ids := slices.DeleteFunc(p.byLogin[key], func(other mfaclient.AccountID) bool { return other == id }); len(ids) > 0 {
		p.byLogin[key] = ids
	} else {
		delete(p.byLogin, key)
	}
}
