package localcluster_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

// TestStartFails holds what a person reads when nothing starts.
func TestStartFails(t *testing.T) {
	incomplete := t.TempDir()
	NewWithT(t).Expect(os.WriteFile(filepath.Join(incomplete, "etcd"), nil, 0o700)).To(Succeed())
	cases := map[string]struct {
		env     string
		options localcluster.Options
		want    string
	}{
		"no folder is named":         {want: "KUBEBUILDER_ASSETS is not set; run: make test"},
		"the variable's is missing":  {env: "/no/such/folder", want: "/no/such/folder/etcd"},
		"the option's is incomplete": {options: localcluster.Options{Assets: incomplete}, want: "kube-apiserver"},
		"a program that fails says why": {
			env:     os.Getenv("KUBEBUILDER_ASSETS"),
			options: localcluster.Options{APIServerFlags: map[string]string{"authorization-mode": "Nonsense"}},
			want:    `authorization-mode \"Nonsense\" is not a valid mode`,
		},
		"a CRD folder that is not there": {
			env:     os.Getenv("KUBEBUILDER_ASSETS"),
			options: localcluster.Options{CRDPaths: []string{"/no/such/crds"}},
			want:    "/no/such/crds",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			t.Setenv("KUBEBUILDER_ASSETS", tc.env)
			t.Setenv("TMPDIR", t.TempDir())
			cluster, err := localcluster.Start(t.Context(), tc.options)
			g.Expect(err).To(MatchError(ContainSubstring(tc.want)))
			g.Expect(cluster).To(BeNil())
			g.Expect(os.ReadDir(os.Getenv("TMPDIR"))).To(BeEmpty(), "nothing is left on the disk")
		})
	}
}
