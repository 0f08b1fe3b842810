package localcluster

import (
	"bytes"
	"io"
	"sync"
)

// tailSize is how much of a program's output is kept for an error, in bytes.
const tailSize = 4096

// output is where one program writes: to the caller's writers, and into a tail,
// because the reason why a program did not start stands there.
type output struct {
	out, err io.Writer
	tail     *tail
}

func newOutput(options Options) *output {
	o := &output{tail: &tail{}}
	o.out, o.err = o.tail, o.tail
	if options.Out != nil {
		o.out = io.MultiWriter(o.tail, options.Out)
	}
	if options.Err != nil {
		o.err = io.MultiWriter(o.tail, options.Err)
	}
	return o
}

// tail keeps the last bytes written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - tailSize; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(p), nil
}

// String is what was kept, from the start of a line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.kept
	if len(kept) == tailSize {
		_, kept, _ = bytes.Cut(kept, []byte("\n"))
	}
	return string(bytes.TrimSpace(kept))
}
