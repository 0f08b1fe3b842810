// Package plan says what the operator would change in the service for MFAUsers as they are, or as manifests would make them. It
// goes by the operator's own rules, in the operator's order, against a picture of the accounts that was read just now, and
// changes nothing.
package plan
