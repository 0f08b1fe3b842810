package mfasim

import (
	"encoding/json"
	"strconv"
)

// ID is the stable key of an account, device or group. It is an unsigned integer here so that listings can be ordered by it;
// on the wire it is a JSON number, or a string with Options.StringIDs.
type ID uint64

// String is the id in decimal, as it stands in a path.
func (id ID) String() string { return strconv.FormatUint(uint64(id), 10) }

// parseID reads an id from a path. What is no id names nothing that exists, so the caller answers 404.
func parseID(text string) (ID, bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	return ID(n), err == nil
}

// wireID spells an id for an answer. A json.Number keeps all digits of ids beyond 2^53.
func (s *Service) wireID(id ID) any {
	if s.opts.StringIDs {
		return id.String()
	}
	return json.Number(id.String())
}

// newID hands out the next id. Ids only grow, so new accounts come last in a listing, as with a database sequence.
func (s *Service) newID() ID {
	id := s.nextID
	s.nextID++
	return id
}
