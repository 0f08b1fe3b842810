package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"time"
)

const (
	setupEnvtest = "sigs.k8s.io/controller-runtime/tools/setup-envtest@v0.25.1"
	envtestIndex = "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"

	probeTimeout    = 3 * time.Second
	downloadTimeout = 3 * time.Minute
)

// download fetches the programs the way every kubebuilder project does. The
// tool keeps them in a store of its own and answers from there the next time.
func download(ctx context.Context, version string, say func(string, ...any)) (string, error) {
	// The probe saves a machine without that access from compiling the tool.
	if err := reachable(ctx, envtestIndex); err != nil {
		return "", err
	}
	say("downloading the envtest programs of Kubernetes %s", version)
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "run", setupEnvtest, "use", version, "--print", "path").Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("setup-envtest: %w: %s", err, lastLine(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("setup-envtest: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func reachable(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return errors.New("its index cannot be reached")
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("its index answers %s", resp.Status)
	}
	return nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}
