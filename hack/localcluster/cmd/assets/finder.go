package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

const controllerManager = "kube-controller-manager"

// programs are the names the built program is called by.
var programs = []string{"etcd", "kube-apiserver", "kubectl", controllerManager}

// needed lists the programs a folder must hold to be taken.
func needed(withManager bool) []string {
	if withManager {
		return programs
	}
	return slices.DeleteFunc(slices.Clone(programs), func(name string) bool { return name == controllerManager })
}

// finder looks in one place after the other.
type finder struct {
	fromEnv  string                                       // KUBEBUILDER_ASSETS, "" when not set
	need     []string                                     // programs that must be there
	target   string                                       // this version's folder in the cache
	download func(ctx context.Context) (string, error)    // returns the folder
	build    func(ctx context.Context, into string) error // fills an empty folder
	say      func(format string, args ...any)             // progress, for people
}

func (f finder) find(ctx context.Context) (string, error) {
	if f.fromEnv != "" {
		// What the user says is never silently replaced by something else.
		if err := complete(f.fromEnv, f.need); err != nil {
			return "", fmt.Errorf("KUBEBUILDER_ASSETS: %w (set it to a folder with these programs, or unset it)", err)
		}
		return filepath.Abs(f.fromEnv)
	}
	if complete(f.target, f.need) == nil {
		return f.target, nil
	}
	if !slices.Contains(f.need, controllerManager) {
		folder, err := f.download(ctx)
		if err == nil {
			err = complete(folder, f.need)
		}
		if err == nil {
			return folder, nil
		}
		f.say("no envtest download (%v)", err)
	}
	return f.target, f.install(ctx)
}

// install builds into a folder beside the target and renames it, so that a
// build cut short never looks like a finished one.
func (f finder) install(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(f.target), 0o755); err != nil {
		return err
	}
	unlock, err := lock(ctx, f.target+".lock", func() { f.say("another build is under way; waiting for it") })
	if err != nil {
		return err
	}
	defer unlock()
	if complete(f.target, f.need) == nil {
		return nil // built by whoever held the lock
	}

	scratch, err := os.MkdirTemp(filepath.Dir(f.target), ".build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }() // gone already when all went well
	if err := f.build(ctx, scratch); err != nil {
		return err
	}
	if err := complete(scratch, f.need); err != nil {
		return fmt.Errorf("the build did not make what it should: %w", err)
	}
	if err := os.Chmod(scratch, 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(f.target); err != nil { // an incomplete one
		return err
	}
	return os.Rename(scratch, f.target)
}

// complete says which program the folder lacks.
func complete(folder string, need []string) error {
	for _, name := range need {
		info, err := os.Stat(filepath.Join(folder, name))
		switch {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("%s has no %s", folder, name)
		case err != nil:
			return err
		case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
			return fmt.Errorf("%s in %s is not a program", name, folder)
		}
	}
	return nil
}
