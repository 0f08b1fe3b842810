package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// namespaceList is a flag that takes names separated by commas and may be given more than once, so that an overlay can add
// to it.
type namespaceList struct {
	names []string
	// fromEnv is true while the names are those of the environment: the first flag takes their place.
	fromEnv bool
}

// String is part of flag.Value.
func (l *namespaceList) String() string { return strings.Join(l.names, ",") }

// Set is part of flag.Value.
func (l *namespaceList) Set(value string) error {
	if l.fromEnv {
		l.names, l.fromEnv = nil, false
	}
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if len(validation.IsDNS1123Label(name)) > 0 {
			return fmt.Errorf("%q is no name of a namespace", name)
		}
		if !slices.Contains(l.names, name) {
			l.names = append(l.names, name)
		}
	}
	return nil
}
