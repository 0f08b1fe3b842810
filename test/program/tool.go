package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Tool returns the path of a pinned tool's executable: modfile (in the folder hack/tools of this repository's root)
// names its version. go builds it on first use, which can take minutes, and keeps it in its build cache. Build tags can
// leave out parts of it that take their time to build.
func Tool(ctx context.Context, modfile, name string, tags ...string) (path string, err error) {
	modfile, err = toolsFile(ctx, modfile)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "tool", "-modfile="+modfile, "-n", name) //nolint:gosec // our own pinned tools
	if len(tags) > 0 {
		// go tool has no flag for them.
		cmd.Env = append(cmd.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -tags="+strings.Join(tags, ","))
	}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
}
