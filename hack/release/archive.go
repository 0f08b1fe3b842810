package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is an entry of an archive.
type file struct {
	name string // with slashes
	mode int64
	data []byte
	dir  bool
}

// archiveAll packs each binary with the licence.
func archiveAll(o *options, binaries []binary) error {
	licence, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	for _, b := range binaries {
		program, err := os.ReadFile(b.path)
		if err != nil {
			return err
		}
		packed := filepath.Join(o.out, b.label(o.version)+".tar.gz")
		err = writeTarball(packed, o.at, []file{{name: b.fileName(), mode: 0o755, data: program}, {name: "LICENSE", mode: 0o644, data: licence}})
		if err != nil {
			return fmt.Errorf("pack %s: %w", packed, err)
		}
	}
	return nil
}

func writeTarball(path string, at time.Time, files []file) (err error) {
	out, err := os.Create(path) //nolint:gosec // where the caller wants it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	zipped := gzip.NewWriter(out) // without name and time
	if err := writeTar(zipped, at, files); err != nil {
		return err
	}
	return zipped.Close()
}

// writeTar writes files in the order of their names, of nobody, and of one time.
func writeTar(out io.Writer, at time.Time, files []file) error {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	packed := tar.NewWriter(out)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: at, Format: tar.FormatPAX}
		if f.dir {
			header.Typeflag, header.Name = tar.TypeDir, f.name+"/"
		}
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		if _, err := packed.Write(f.data); err != nil {
			return err
		}
	}
	return packed.Close()
}

// readTarball returns the files of a small archive that we have just made.
func readTarball(path string) (files []file, err error) {
	in, err := os.Open(path) //nolint:gosec // our own
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	for packed := tar.NewReader(unzipped); ; {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(packed)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: header.Name, mode: header.Mode & 0o777, data: data})
	}
}
