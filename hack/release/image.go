package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageUser is nonroot of the distroless images, as a number: that alone Kubernetes can hold against runAsNonRoot.
const imageUser = "65532:65532"

// buildImages makes the manager's image for each platform, and one for all of them.
func buildImages(o *options, binaries []binary) error {
	all := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range binaries {
		if b.program != "manager" {
			continue
		}
		image, err := imageOf(o, &b)
		if err != nil {
			return fmt.Errorf("make the image for %s/%s: %w", b.os, b.arch, err)
		}
		platform := &v1.Platform{OS: b.os, Architecture: b.arch}
		all = mutate.AppendManifests(all, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
		tag, err := name.NewTag(o.image + ":" + o.version)
		if err != nil {
			return fmt.Errorf("the image's name: %w", err)
		}
		if err := tarball.WriteToFile(filepath.Join(o.out, fmt.Sprintf("image_%s_%s_%s.tar", o.version, b.os, b.arch)), tag, image); err != nil {
			return err
		}
	}
	if manifest, err := all.IndexManifest(); err != nil || len(manifest.Manifests) == 0 {
		return err
	}
	return writeLayout(o, all)
}

// imageOf puts an image together on nothing: what an HTTPS client needs in one layer, the program in another.
func imageOf(o *options, b *binary) (v1.Image, error) {
	program, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	base := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	base = mutate.ConfigMediaType(base, types.OCIConfigJSON)
	image, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS: b.os, Architecture: b.arch, Created: v1.Time{Time: o.at},
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: imageUser, Entrypoint: []string{"/manager"}, WorkingDir: "/",
			Labels: map[string]string{
				"org.opencontainers.image.title":       "TrustBuilder MFA operator",
				"org.opencontainers.image.description": "Keeps people's TrustBuilder MFA accounts as the MFAUser manifests of a cluster say",
				"org.opencontainers.image.source":      "https://github.com/trustbuilder-mfa/operator",
				"org.opencontainers.image.licenses":    "Apache-2.0",
				"org.opencontainers.image.version":     o.version,
				"org.opencontainers.image.created":     o.at.Format("2006-01-02T15:04:05Z"),
			},
		},
	})
	if err != nil {
		return nil, err
	}
	for _, content := range []struct {
		what  string
		files []file
	}{
		{"certificates and user", baseFiles()},
		{"manager", []file{{name: "manager", mode: 0o755, data: program}}},
	} {
		layer, err := layerOf(o, content.files)
		if err != nil {
			return nil, err
		}
		image, err = mutate.Append(image, mutate.Addendum{
			Layer: layer, History: v1.History{Created: v1.Time{Time: o.at}, CreatedBy: "hack/release", Comment: content.what},
		})
		if err != nil {
			return nil, err
		}
	}
	return image, nil
}

func layerOf(o *options, files []file) (v1.Layer, error) {
	var packed bytes.Buffer
	if err := writeTar(&packed, o.at, files); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
}

// baseFiles are what a static program needs of a system: a name for its user, and whom to trust.
func baseFiles() []file {
	return []file{
		{name: "etc", mode: 0o755, dir: true},
		{name: "etc/passwd", mode: 0o644, data: []byte("nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{name: "etc/group", mode: 0o644, data: []byte("nonroot:x:65532:\n")},
		{name: "etc/ssl", mode: 0o755, dir: true},
		{name: "etc/ssl/certs", mode: 0o755, dir: true},
		{name: rootsFile, mode: 0o644, data: rootCertificates()},
		{name: "tmp", mode: 0o1777, dir: true},
	}
}

// writeLayout packs the image of all platforms as tools like skopeo, crane and oras read it.
func writeLayout(o *options, all v1.ImageIndex) error {
	dir, err := os.MkdirTemp("", "release-image-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	named := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": o.version})
	if err := path.AppendIndex(all, named); err != nil {
		return err
	}
	files, err := readFolder(dir)
	if err != nil {
		return err
	}
	return writeTarball(filepath.Join(o.out, fmt.Sprintf("image_%s_oci.tar.gz", o.version)), o.at, files)
}

func readFolder(dir string) (files []file, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // our own
		files = append(files, file{name: filepath.ToSlash(name), mode: 0o644, data: data})
		return err
	})
	return slices.Clip(files), err
}
