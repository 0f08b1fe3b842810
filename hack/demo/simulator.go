package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// simulator is the end user's and the console's side of the simulated MFA service.
type simulator struct {
	url       string
	authority string // PEM
	tokenFile string
	client    *http.Client
}

// openSimulator reads what the simulator has written into its folder once it listens.
func openSimulator(dir string) (*simulator, error) {
	url, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	return &simulator{
		url: string(url), authority: string(authority), tokenFile: filepath.Join(dir, "token"),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}},
	}, nil
}

// useLink plays the person who opens an activation link.
func (s *simulator) useLink(ctx context.Context, link string) error {
	return s.call(ctx, http.MethodPost, "use-code", map[string]string{"link": link}, nil)
}

// edit plays an administrator who changes an account in the vendor's console.
func (s *simulator) edit(ctx context.Context, login string, fields map[string]string) error {
	return s.call(ctx, http.MethodPatch, "accounts/"+login, fields, nil)
}

// lastName is what the service has on the account.
func (s *simulator) lastName(ctx context.Context, login string) (string, error) {
	var account struct {
		LastName string `json:"lastName"`
	}
	err := s.call(ctx, http.MethodGet, "accounts/"+login, nil, &account)
	return account.LastName, err
}

// call never puts a body into an error: codes go both ways here.
func (s *simulator) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, s.url+"/_sim/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return fmt.Errorf("the simulator does not answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the simulator refuses %s /_sim/%s: %s", method, path, strings.ToLower(response.Status))
	}
	if out == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(out)
}
