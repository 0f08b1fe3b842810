package flux

import (
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/test/gitops/states"
)

// TestStatus asks kstatus, which Flux waits and checks health with, about every state that the operator can bring about.
func TestStatus(t *testing.T) {
	for name, state := range states.All(t) {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			result, err := status.Compute(state.Object)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(result.Status.String()).To(Equal(state.KStatus), result.Message)
		})
	}
}
