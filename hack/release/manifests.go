package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	installerName = "install.yaml"
	sumsName      = "SHA256SUMS"
	// placeholder is the image in config/manager.
	placeholder = "image: trustbuilder-mfa-operator:latest"
	chart       = "charts/trustbuilder-mfa-operator"
)

// writeInstaller writes config/default with the released image: kubectl apply --server-side -f install.yaml.
func writeInstaller(ctx context.Context, o *options) error {
	out, err := output(ctx, "go", "tool", "-modfile=go.tools.mod", "kustomize", "build", "config/default")
	if err != nil {
		return fmt.Errorf("build config/default: %w", err)
	}
	if strings.Count(out, placeholder) != 1 {
		return fmt.Errorf("config/default must name the image once as %q", placeholder)
	}
	out = strings.Replace(out, placeholder, "image: "+o.image+":"+o.version, 1)
	return os.WriteFile(filepath.Join(o.out, installerName), []byte(out), 0o644) //nolint:gosec // a release is for everybody
}

// packageChart packs the chart with helm, which stamps the time of packing on the files; that is taken off again.
func packageChart(ctx context.Context, o *options, work string) error {
	version := strings.TrimPrefix(o.version, "v")
	_, err := output(ctx, "go", "tool", "-modfile=hack/tools/helm.mod", "helm", "package", chart,
		"--version", version, "--app-version", o.version, "--destination", work)
	if err != nil {
		return fmt.Errorf("package the chart: %w", err)
	}
	name := filepath.Base(chart) + "-" + version + ".tgz"
	files, err := readTarball(filepath.Join(work, name))
	if err != nil {
		return fmt.Errorf("read the packaged chart: %w", err)
	}
	return writeTarball(filepath.Join(o.out, name), o.at, files)
}

// writeChecksums lists all files as `sha256sum --check` reads them.
func writeChecksums(o *options) error {
	entries, err := os.ReadDir(o.out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(o.out, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), entry.Name())
	}
	return os.WriteFile(filepath.Join(o.out, sumsName), []byte(sums.String()), 0o644) //nolint:gosec // a release is for everybody
}
