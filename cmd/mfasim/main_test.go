package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// started runs the program until the test ends, and returns what it printed up to the line that says it listens.
func started(t *testing.T, args ...string) (printed string, stop func() error) {
	t.Helper()
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, args, in)
		in.CloseWithError(io.ErrUnexpectedEOF)
		done <- err
	}()
	t.Cleanup(cancel)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		printed += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "Listening.") {
			return printed, func() error { cancel(); return <-done }
		}
	}
	g.Expect(lines.Err()).NotTo(HaveOccurred(), "%s", printed)
	g.Fail("it ended without listening")
	return "", nil
}

func read(g *WithT, dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	g.Expect(err).NotTo(HaveOccurred())
	return string(data)
}

func TestScriptsFindWhatTheyNeed(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "new")
	printed, stop := started(t, "--dir", dir, "--accounts", "3", "--groups", "staff, admins", "--service-id", "99", "--host", "mfa.example.com")
	url, token, authority := read(g, dir, "url"), read(g, dir, "token"), read(g, dir, "ca.crt")
	g.Expect(printed).To(And(ContainSubstring(url), ContainSubstring(token), ContainSubstring(authority)))
	info, err := os.Stat(filepath.Join(dir, "token"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(BeEquivalentTo(0o600))
	entries, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(entries).To(HaveLen(3), "no temporary file is left")

	roots := x509.NewCertPool()
	g.Expect(roots.AppendCertsFromPEM([]byte(authority))).To(BeTrue())
	for _, name := range []string{"", "localhost", "mfa.example.com"} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name}}
		defer transport.CloseIdleConnections()
		body := get(g, &http.Client{Transport: transport}, url+"/auth/v1/customer/services/accounts", token)
		g.Expect(strings.Count(body, `"login"`)).To(Equal(4))
		groups := get(g, &http.Client{Transport: transport}, url+"/auth/v1/customer/services/groups", token)
		g.Expect(groups).To(And(ContainSubstring(`"staff"`), ContainSubstring(`"admins"`)))
	}
	g.Expect(stop()).To(Succeed())
}

func get(g *WithT, client *http.Client, url, token string) string {
	req, err := http.NewRequest("GET", url, nil)
	g.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	g.Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	g.Expect(resp.StatusCode).To(Equal(http.StatusOK))
	body, err := io.ReadAll(resp.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return string(body)
}

func TestAnOldAddressIsTakenAwayFirst(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, "url"), []byte("https://gone"), 0o600)).To(Succeed())
	g.Expect(run(t.Context(), []string{"--dir", dir, "--listen", "no address"}, io.Discard)).NotTo(Succeed())
	g.Expect(filepath.Join(dir, "url")).NotTo(BeAnExistingFile())
}

func TestBadFlags(t *testing.T) {
	for name, args := range map[string][]string{
		"an argument":          {"extra"},
		"a negative number":    {"--accounts", "-1"},
		"an address like none": {"--listen", "nowhere:nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(run(t.Context(), args, io.Discard)).NotTo(Succeed())
		})
	}
}
