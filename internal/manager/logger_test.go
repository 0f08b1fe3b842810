package manager_test

import (
	"bytes"
	"testing"

	. "github.com/onsi/gomega"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/trustbuilder-mfa/operator/internal/manager"
)

// TestVerbosityIsCapped: the Kubernetes client writes bodies, of Secrets too, from verbosity 8 on.
func TestVerbosityIsCapped(t *testing.T) {
	cases := map[string]struct {
		level     zapcore.LevelEnabler // nil: not stated
		verbosity int
		written   bool
	}{
		"info by default":        {nil, 0, true},
		"no debug by default":    {nil, 1, false},
		"debug":                  {zapcore.Level(-1), 1, true},
		"as stated":              {zapcore.Level(-5), 5, true},
		"no more than stated":    {zapcore.Level(-5), 6, false},
		"the most verbose":       {zapcore.Level(-127), 7, true},
		"never bodies":           {zapcore.Level(-127), 8, false},
		"never longer bodies":    {zapcore.Level(-127), 10, false},
		"bodies, just asked for": {zapcore.Level(-8), 8, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var out bytes.Buffer
			log := manager.NewLogger(zap.Options{DestWriter: &out, Level: tc.level})
			g.Expect(log.V(tc.verbosity).Enabled()).To(Equal(tc.written))
			log.V(tc.verbosity).Info("a line")
			g.Expect(out.Len() > 0).To(Equal(tc.written))
		})
	}
}
