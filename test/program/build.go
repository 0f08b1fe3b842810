package program

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// source is the package of the program.
const source = "github.com/trustbuilder-mfa/operator/cmd/manager"

// Build builds the manager into a folder, with the flags of the environment, and returns its path.
func Build(ctx context.Context, dir string) (path string, err error) {
	path = filepath.Join(dir, "manager")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, source).CombinedOutput() //nolint:gosec // our own folder
	if err != nil {
		return "", fmt.Errorf("build the manager: %w\n%s", err, out)
	}
	return path, nil
}
