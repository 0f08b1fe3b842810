package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/export"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/pattern"
)

// connection reads the connection, or makes it of the flags when they say all that is needed.
func (e *exporter) connection(ctx context.Context, name string) (client.Client, *v1alpha1.MFAConnection, error) {
	namespace, err := e.namespace()
	if err != nil {
		return nil, nil, err
	}
	if e.url == "" {
		if e.caFile != "" {
			return nil, nil, errors.New("--ca-file goes with --url; a connection in the cluster has its spec.caBundle")
		}
		c, err := e.client()
		if err != nil {
			return nil, nil, err
		}
		conn, err := getConnection(ctx, c, client.ObjectKey{Namespace: namespace, Name: name})
		return c, conn, err
	}
	if e.remote.tokenFile == "" {
		return nil, nil, errors.New("--url needs --token-file: the token of a Secret is sent nowhere but where its connection says")
	}
	conn := &v1alpha1.MFAConnection{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	conn.Spec.URL = e.url
	conn.Spec.RateLimit = v1alpha1.RateLimit{RequestsPerSecond: 5, Burst: 10}
	conn.Spec.Policy = v1alpha1.ConnectionPolicy{LoginPatterns: []string{"*"}, Groups: []string{"*"}, Adoption: v1alpha1.ConnectionAdoptionAllow}
	if e.caFile == "" {
		return nil, conn, nil
	}
	bundle, err := os.ReadFile(e.caFile)
	if err != nil {
		return nil, nil, fmt.Errorf("--ca-file: %w", err)
	}
	conn.Spec.CABundle = string(bundle)
	return nil, conn, nil
}

// groupCalls is how many accounts are asked for their groups at once; the connection's rateLimit holds all the same.
const groupCalls = 4

// entries gives each account its name, and reads its groups where they are asked for.
func (e *exporter) entries(ctx context.Context, remote *service, accounts []mfaclient.Account) (map[string]export.Entry, error) {
	logins := make([]string, 0, len(accounts))
	for _, account := range accounts {
		logins = append(logins, account.Login)
	}
	names := export.Names(logins)
	groups, err := e.memberships(ctx, remote, accounts)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]export.Entry, len(accounts))
	for n, account := range accounts {
		if len(e.groups) > 0 && !memberOfAny(groups[n], e.groups) {
			continue
		}
		entries[names[account.Login]] = export.Entry{Account: account, Groups: groups[n], WithGroups: e.withGroups}
	}
	return entries, nil
}

func (e *exporter) memberships(ctx context.Context, remote *service, accounts []mfaclient.Account) ([][]mfaclient.Membership, error) {
	groups := make([][]mfaclient.Membership, len(accounts))
	if !e.withGroups && len(e.groups) == 0 {
		return groups, nil
	}
	bar := progress(e.ErrOut, len(accounts), "groups")
	defer func() { _ = bar.Finish() }()
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(groupCalls)
	for n, account := range accounts {
		calls.Go(func() (err error) {
			groups[n], err = remote.client.ListAccountGroups(ctx, account.ID)
			if mfaclient.KindOf(err) == mfaclient.KindNotFound {
				err = nil // it has gone since the listing, and has no groups any more
			}
			_ = bar.Add(1)
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return nil, remoteTrouble(remote.object, err)
	}
	return groups, nil
}

func memberOfAny(memberships []mfaclient.Membership, patterns []string) bool {
	for _, membership := range memberships {
		if pattern.MatchAny(patterns, membership.Group.Name) {
			return true
		}
	}
	return false
}

// write puts the manifests where they are wanted, and says which fields could not be stated.
func (e *exporter) write(target export.Target, entries map[string]export.Entry) error {
	if e.outputDir != "" {
		if err := os.MkdirAll(e.outputDir, 0o750); err != nil {
			return fmt.Errorf("--output-dir: %w", err)
		}
	}
	for n, name := range sortedByName(entries) {
		manifest, unstated := target.Manifest(name, entries[name])
		text, err := yaml.Marshal(manifest)
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if len(unstated) > 0 {
			fmt.Fprintf(e.ErrOut, "%s: no MFAUser can state its %s as the service has it; left out, and so not managed\n", name, strings.Join(unstated, ", "))
		}
		if e.outputDir != "" {
			if err := e.writeFile(filepath.Join(e.outputDir, name+".yaml"), text); err != nil {
				return err
			}
			continue
		}
		if n > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := e.Out.Write(text); err != nil {
			return err
		}
	}
	fmt.Fprintf(e.ErrOut, "exported %d accounts\n", len(entries))
	return nil
}

// writeFile leaves a file alone that somebody may have edited.
func (e *exporter) writeFile(path string, text []byte) error {
	before, err := os.ReadFile(path) //nolint:gosec // the caller's own folder
	switch {
	case err == nil && bytes.Equal(before, text):
		return nil
	case err == nil && !e.override:
		return fmt.Errorf("%s is there and differs; --overwrite replaces such files", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
