package main

import (
	"archive/tar"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	. "github.com/onsi/gomega"
)

// TestImage: the image has its user, labels and layers, trusts the usual authorities, and runs with nothing else around it.
func TestImage(t *testing.T) {
	g := NewWithT(t)
	o := &options{
		version: version, out: t.TempDir(), image: "registry.example.com/mfa", at: time.Unix(1795000000, 0).UTC(),
		platforms: []string{"linux/" + runtime.GOARCH},
	}
	t.Chdir(repository(t))
	b := binary{program: "manager", os: "linux", arch: runtime.GOARCH, path: filepath.Join(t.TempDir(), "manager")}
	g.Expect(b.build(t.Context(), version)).To(Succeed())
	g.Expect(buildImages(o, []binary{b})).To(Succeed())
	image, err := tarball.ImageFromPath(filepath.Join(o.out, "image_"+version+"_linux_"+runtime.GOARCH+".tar"), nil)
	g.Expect(err).NotTo(HaveOccurred())

	config, err := image.ConfigFile()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(config.Config.User).To(Equal("65532:65532"))
	g.Expect(config.Config.Entrypoint).To(Equal([]string{"/manager"}))
	g.Expect(config.Config.Labels).To(HaveKeyWithValue("org.opencontainers.image.version", version))
	g.Expect(config.Created.Time).To(Equal(o.at))
	g.Expect(config.Architecture).To(Equal(runtime.GOARCH))

	layers, err := image.Layers()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(layers).To(HaveLen(2))
	root := t.TempDir()
	for _, layer := range layers {
		unpack(t, layer, root)
	}
	g.Expect(filepath.Join(root, "manager")).To(BeAnExistingFile())

	roots, err := os.ReadFile(filepath.Join(root, rootsFile))
	g.Expect(err).NotTo(HaveOccurred())
	block, _ := pem.Decode(roots)
	g.Expect(block).NotTo(BeNil())
	_, err = x509.ParseCertificate(block.Bytes)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Count(string(roots), "BEGIN CERTIFICATE")).To(BeNumerically(">", 100))

	out, err := inside(t, root, "/manager", "--version").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(strings.TrimSpace(string(out))).To(Equal(version))
}

// unpack writes a layer's files into a folder.
func unpack(t *testing.T, layer v1.Layer, root string) {
	t.Helper()
	g := NewWithT(t)
	in, err := layer.Uncompressed()
	g.Expect(err).NotTo(HaveOccurred())
	for packed := tar.NewReader(in); ; {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		g.Expect(err).NotTo(HaveOccurred())
		path := filepath.Join(root, header.Name)
		if header.Typeflag == tar.TypeDir {
			g.Expect(os.MkdirAll(path, 0o755)).To(Succeed())
			continue
		}
		data, err := io.ReadAll(packed)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.WriteFile(path, data, header.FileInfo().Mode())).To(Succeed())
	}
}

// inside runs a program of an unpacked image: as its user and with the image's files alone where this process may do so, and
// else as it is.
func inside(t *testing.T, root, program string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() == 0 {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Path, cmd.Dir = program, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		NewWithT(t).Expect(os.Chmod(root, 0o755)).To(Succeed())
		return cmd
	}
	t.Log("not root: the image's program runs among the files of this machine")
	return exec.CommandContext(t.Context(), filepath.Join(root, program), args...)
}
