// Package pattern knows the patterns with which the owner of a connection says what logins and groups he allows.
package pattern
