package mfaclient

import "errors"

// KindOf returns the kind of a failed call, or 0 for every other error and for none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}
