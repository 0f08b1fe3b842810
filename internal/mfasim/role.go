package mfasim

import (
	"encoding/json"
	"net/http"
	"slices"
)

// numberedRoles have a number that means the same: their index (S).
var numberedRoles = []string{RoleUser, RoleManager, RoleAdministrator}

// roleInput is a role in a request: a name, or the number that means the same.
type roleInput string

func (r *roleInput) UnmarshalJSON(data []byte) error {
	var number int
	if err := json.Unmarshal(data, &number); err != nil {
		return json.Unmarshal(data, (*string)(r))
	}
	if number < 0 || number >= len(numberedRoles) {
		*r = "number out of range" // valid JSON, but no role: check refuses it
		return nil
	}
	*r = roleInput(numberedRoles[number])
	return nil
}

// check refuses roles that no tenant knows. Custom roles are given in the console, never by this API.
func (r roleInput) check() error {
	if !slices.Contains(numberedRoles, string(r)) {
		return invalid("role must be USER, MANAGER or ADMINISTRATOR")
	}
	return nil
}

// wireRole spells a role for an answer; custom roles have no number.
func (s *Service) wireRole(role string) any {
	if i := slices.Index(numberedRoles, role); i >= 0 && s.opts.NumericRoles {
		return i
	}
	return role
}

// invalid refuses a body that is JSON, but asks for something that cannot be.
func invalid(message string) *apiError {
	return refuse(http.StatusUnprocessableEntity, "INVALID", message)
}
