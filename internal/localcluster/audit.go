package localcluster

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/wait"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Metadata says who did what to which object, by which right and with what
// outcome, but no body: the values of Secrets stay out of the file.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`

func (c *Cluster) configureAudit(server *envtest.APIServer) error {
	if c.options.AuditLog == "" {
		return nil
	}
	path, err := filepath.Abs(c.options.AuditLog)
	if err != nil {
		return err
	}
	policy := filepath.Join(c.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	server.Configure().
		Set("audit-policy-file", policy).
		Set("audit-log-path", path).
		// Megabytes. The default of 100 would move events of a long run to
		// another file, out of sight of whoever counts.
		Set("audit-log-maxsize", "4096")
	return nil
}

// AuditEvents returns all that the API server has answered so far, oldest first.
// Watches count from their start. It needs Options.AuditLog.
func (c *Cluster) AuditEvents(ctx context.Context) ([]auditv1.Event, error) {
	if c.options.AuditLog == "" {
		return nil, errors.New("the cluster was started without an audit log")
	}
	// The line of a request is written a moment after its answer. Once the line
	// of a request made now is there, those of all earlier ones are too, but for
	// one whose answer is just being given: the log has to stand still as well.
	marker, err := c.mark(ctx)
	if err != nil {
		return nil, err
	}
	var events []auditv1.Event
	read := 0
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 10*time.Second, true, func(context.Context) (bool, error) {
		content, err := os.ReadFile(c.options.AuditLog)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Contains(content, []byte(marker)) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if len(content) > read {
			read = len(content)
			return false, nil
		}
		events, err = parseAudit(content, marker)
		return true, err
	})
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return events, nil
}

// mark makes a request that can be told from all others by its query.
func (c *Cluster) mark(ctx context.Context) (string, error) {
	client, err := rest.HTTPClientFor(c.Config)
	if err != nil {
		return "", err
	}
	marker := string(uuid.NewUUID())
	address, err := url.Parse(c.Config.Host)
	if err != nil {
		return "", err
	}
	address = address.JoinPath("version")
	address.RawQuery = url.Values{"marker": {marker}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	return marker, resp.Body.Close()
}

// parseAudit reads one event per line, but for those of the marker.
func parseAudit(content []byte, marker string) ([]auditv1.Event, error) {
	var events []auditv1.Event
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, len(content)+1)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte(marker)) {
			continue
		}
		var event auditv1.Event
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, lines.Err()
}
