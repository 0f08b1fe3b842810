package e2e

import (
	"bytes"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/trustbuilder-mfa/operator/internal/manager"
)

// mostVerbose is the lowest level that zap knows: everything is asked for.
const mostVerbose = zapcore.Level(-128)

// logs is what the managers of the running test have written. A process has one logger.
var logs logBuffer

type logBuffer struct {
	mu    sync.Mutex
	lines bytes.Buffer
	level uberzap.AtomicLevel
}

// logger is made as the program makes it, and goes back to the default level.
func (b *logBuffer) logger() logr.Logger {
	b.level = uberzap.NewAtomicLevelAt(mostVerbose) // at first, or it drops lines that repeat
	logger := manager.NewLogger(zap.Options{DestWriter: b, Level: b.level})
	b.level.SetLevel(zapcore.InfoLevel)
	return logger
}

// Write is part of io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.Write(p)
}

// String is everything since the last reset.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.String()
}

func (b *logBuffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines.Reset()
}

// tail is the last lines, for whoever has to find out why a test failed.
func (b *logBuffer) tail(n int) string {
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
