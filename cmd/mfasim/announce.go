package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// announcement is what a caller has to know to use the simulator.
type announcement struct {
	url       string
	token     string
	authority []byte // PEM
	dir       string
}

// print tells a person how to go on. The token is shown in full: it opens nothing but this simulator, and dies with it.
func (a announcement) print(out io.Writer) {
	fmt.Fprintf(out, `TrustBuilder MFA, simulated, listens at %[1]s
API token (simulated, opens nothing real): %[2]s
Its certificate is signed by this CA, made a moment ago; put it in spec.caBundle of an MFAConnection or give it to curl --cacert:
%[3]sThe simulator's own side (play the end user, move the clock, inject faults): %[1]s/_sim/
Listening. Ctrl-C stops it and forgets everything.
`, a.url, a.token, a.authority)
}

// removeFiles takes away what an earlier run left, so that a script never picks up an address that is gone.
func removeFiles(dir string) error {
	if dir == "" {
		return nil
	}
	for _, name := range []string{"url", "token", "ca.crt"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// writeFiles leaves the same for scripts. The url comes last: who waits for it finds the others.
func (a announcement) writeFiles() error {
	if a.dir == "" {
		return nil
	}
	if err := os.MkdirAll(a.dir, 0o755); err != nil { //nolint:gosec // scripts of others read it; the token in it is for its owner alone
		return err
	}
	for _, file := range []struct {
		name string
		data string
		mode fs.FileMode
	}{
		{"ca.crt", string(a.authority), 0o644},
		{"token", a.token, 0o600},
		{"url", a.url, 0o644},
	} {
		if err := writeAtomically(filepath.Join(a.dir, file.name), file.data, file.mode); err != nil {
			return err
		}
	}
	return nil
}

// writeAtomically never shows a half-written file under its name. The temporary file is made readable to nobody else until it is finished.
func writeAtomically(path, data string, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // nothing to remove once it is renamed
	_, err = tmp.WriteString(data)
	if err = errors.Join(err, tmp.Chmod(mode), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
