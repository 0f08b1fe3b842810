package mfaclient

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// maxOverrides bounds the override file: the whole table takes a few KiB.
const maxOverrides = 1 << 20

// overrides is the file format, YAML or JSON.
type overrides struct {
	Operations map[string]struct {
		Method string `json:"method"`
		Path   string `json:"path"`
	} `json:"operations"`
	// Fields maps our name to the wire's. "account.id" holds for accounts only, "id" for every object that has an id.
	Fields map[string]string `json:"fields"`
	// Values maps our spelling of a purpose, state or role to the wire's.
	Values map[string]string `json:"values"`
}

// LoadRoutes reads an override file over DefaultRoutes. Errors name the key that is wrong. An empty file changes nothing.
func LoadRoutes(r io.Reader) (Routes, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxOverrides+1))
	if err != nil {
		return Routes{}, fmt.Errorf("read overrides: %w", err)
	}
	if len(data) > maxOverrides {
		return Routes{}, errors.New("read overrides: the file is larger than 1 MiB")
	}
	var file overrides
	if err := yaml.UnmarshalStrict(data, &file); err != nil {
		return Routes{}, fmt.Errorf("read overrides: %w", err)
	}
	routes := DefaultRoutes()
	for _, op := range slices.Sorted(maps.Keys(file.Operations)) {
		if err := routes.overrideOperation(op, file.Operations[op].Method, file.Operations[op].Path); err != nil {
			return Routes{}, fmt.Errorf("operations.%s: %w", op, err)
		}
	}
	if err := routes.names.overrideFields(file.Fields); err != nil {
		return Routes{}, err
	}
	if err := routes.names.overrideValues(file.Values); err != nil {
		return Routes{}, err
	}
	return routes, nil
}

func (r Routes) overrideOperation(op, method, path string) error {
	route, known := r.operations[op]
	if !known {
		return errors.New("no such operation")
	}
	if method != "" {
		if err := checkMethod(route.Method, method); err != nil {
			return err
		}
		route.Method = method
	}
	if path != "" {
		if err := checkPath(route.Path, path); err != nil {
			return err
		}
		route.Path = path
	}
	r.operations[op] = route
	return nil
}

// checkMethod keeps reads and writes apart: net/http and proxies repeat a GET at will, so no write may be one.
func checkMethod(was, method string) error {
	allowed := []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	if was == http.MethodGet {
		allowed = []string{http.MethodGet, http.MethodPost}
	}
	if !slices.Contains(allowed, method) {
		return fmt.Errorf("method: must be one of %s", strings.Join(allowed, ", "))
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

func checkPath(was, path string) error {
	// The text between the placeholders must be a plain path: the host is the connection's, the query is the client's.
	plain := placeholder.ReplaceAllString(path, "x")
	u, err := url.Parse(plain)
	if err != nil || u.EscapedPath() != plain || !strings.HasPrefix(plain, "/") {
		return errors.New("path: must be an absolute path without host, query, or characters that need escaping")
	}
	if slices.Contains(strings.Split(plain, "/"), "..") || slices.Contains(strings.Split(plain, "/"), ".") {
		return errors.New("path: must not contain . or .. segments")
	}
	want := slices.Sorted(slices.Values(placeholder.FindAllString(was, -1)))
	got := slices.Sorted(slices.Values(placeholder.FindAllString(path, -1)))
	if !slices.Equal(want, got) {
		return fmt.Errorf("path: must have the placeholders %v, each once, and no others", want)
	}
	return nil
}

func (n names) overrideFields(fields map[string]string) error {
	// Names without a scope sort before the same name with one only by chance: two rounds let the exact name win.
	for _, qualified := range []bool{false, true} {
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if strings.Contains(key, ".") != qualified {
				continue
			}
			if err := n.overrideField(key, fields[key]); err != nil {
				return fmt.Errorf("fields.%s: %w", key, err)
			}
		}
	}
	return n.checkUnique()
}

func (n names) overrideField(key, wire string) error {
	if strings.TrimSpace(wire) == "" {
		return errors.New("the wire name is empty")
	}
	found := false
	for name := range n.fields {
		if name == key || strings.HasSuffix(name, "."+key) {
			n.fields[name] = wire
			found = true
		}
	}
	if !found {
		return errors.New("no such field")
	}
	return nil
}

// checkUnique refuses two fields of one object under one wire name. CreateAccount answers account and code in one object.
func (n names) checkUnique() error {
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(n.fields)) {
		scope, _, _ := strings.Cut(name, ".")
		if scope == scopeCode {
			scope = scopeAccount
		}
		key := scope + "." + n.fields[name]
		if other, ok := taken[key]; ok {
			return fmt.Errorf("fields.%s: the wire name is already that of %s", name, other)
		}
		taken[key] = name
	}
	return nil
}

func (n names) overrideValues(values map[string]string) error {
	for _, ours := range slices.Sorted(maps.Keys(values)) {
		if _, known := n.values[ours]; !known {
			return fmt.Errorf("values.%s: no such purpose, state or role", ours)
		}
		if strings.TrimSpace(values[ours]) == "" {
			return fmt.Errorf("values.%s: the spelling is empty", ours)
		}
		n.values[ours] = values[ours]
		n.back[strings.ToUpper(values[ours])] = ours
	}
	return n.checkSpellings()
}

// checkSpellings refuses two words with one spelling: decoding could not tell them apart.
func (n names) checkSpellings() error {
	taken := map[string]string{}
	for _, ours := range slices.Sorted(maps.Keys(n.values)) {
		wire := strings.ToUpper(n.values[ours])
		if other, ok := taken[wire]; ok {
			return fmt.Errorf("values.%s: the spelling is already that of %s", ours, other)
		}
		taken[wire] = ours
	}
	return nil
}

// RoutesWith are the routes with the overrides of a file, as --api-overrides names it; without a path they are the default ones.
func RoutesWith(path string) (Routes, error) {
	if path == "" {
		return DefaultRoutes(), nil
	}
	file, err := os.Open(path) //nolint:gosec // the caller's own flag names it
	if err != nil {
		return Routes{}, fmt.Errorf("--api-overrides: %w", err)
	}
	defer func() { _ = file.Close() }()
	routes, err := LoadRoutes(file)
	if err != nil {
		return Routes{}, fmt.Errorf("--api-overrides %s: %w", path, err)
	}
	return routes, nil
}
