package program

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Module returns the folder of a pinned module whose files tests need; modfile (in the folder hack/tools) names its version.
func Module(ctx context.Context, modfile, path string) (dir string, err error) {
	modfile, err = toolsFile(ctx, modfile)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-modfile="+modfile, "-json", path) //nolint:gosec // our own pinned modules
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("download %s: %w\n%s%s", path, err, complaint.String(), out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", fmt.Errorf("download %s: %w", path, err)
	}
	return module.Dir, nil
}

// toolsFile is the path of a file in the folder hack/tools.
func toolsFile(ctx context.Context, name string) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the root of the module: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "hack", "tools", name), nil
}
