package manager

import (
	"github.com/go-logr/logr"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// mostVerbose is the highest verbosity that is written. From 8 on the Kubernetes client writes the bodies of requests and
// answers, among them those of Secrets, with their codes and tokens.
const mostVerbose = 7

// NewLogger makes the logger of the program. Whatever level is asked for, no body of a Secret gets into it.
func NewLogger(o zap.Options) logr.Logger {
	if o.Level != nil {
		o.Level = cappedLevel{o.Level}
	}
	return zap.New(zap.UseFlagOptions(&o))
}

// cappedLevel enables what the level inside does, up to mostVerbose. In zap, more verbose is lower.
type cappedLevel struct{ zapcore.LevelEnabler }

// Enabled is part of zapcore.LevelEnabler.
func (c cappedLevel) Enabled(level zapcore.Level) bool {
	return level >= -mostVerbose && c.LevelEnabler.Enabled(level)
}
