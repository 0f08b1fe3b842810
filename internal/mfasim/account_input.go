package mfasim

import (
	"net/http"
	"strings"
	"unicode"
)

// accountInput is what a request may say of an account. A field that is absent stays as it is; an empty one is cleared.
type accountInput struct {
	Login     *string    `json:"login"`
	FirstName *string    `json:"firstName"`
	LastName  *string    `json:"lastName"`
	Email     *string    `json:"email"`
	Phone     *string    `json:"phone"`
	Language  *string    `json:"language"`
	Role      *roleInput `json:"role"`
	Blocked   *bool      `json:"blocked"`
}

// check refuses what the service would not keep. Everything is checked before anything is written: no request is half done.
func (in accountInput) check() error {
	if in.Login != nil {
		if err := checkLogin(*in.Login); err != nil {
			return err
		}
	}
	if in.Email != nil && *in.Email != "" && !strings.Contains(*in.Email, "@") {
		return invalid("email must be an address")
	}
	if in.Language != nil && *in.Language != "fr" && *in.Language != "en" {
		return invalid("language must be fr or en")
	}
	if in.Role != nil {
		return in.Role.check()
	}
	return nil
}

func checkLogin(login string) error {
	if login == "" {
		return invalid("login must not be empty")
	}
	if strings.ContainsFunc(login, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return invalid("login must not hold white space or control characters")
	}
	return nil
}

// applyTo writes the stated fields; the login is the store's to change.
func (in accountInput) applyTo(a *Account) {
	set(&a.FirstName, in.FirstName)
	set(&a.LastName, in.LastName)
	set(&a.Email, in.Email)
	set(&a.Phone, in.Phone)
	set(&a.Language, in.Language)
	set(&a.Blocked, in.Blocked)
	set(&a.Role, (*string)(in.Role))
}

func set[T any](field, stated *T) {
	if stated != nil {
		*field = *stated
	}
}

// loginExists is the refusal of a taken login, in the contract's words.
func loginExists() error {
	return refuse(http.StatusConflict, "LOGIN_EXISTS", "an account with this login exists already")
}
