package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lock takes a lock on a file, which the system frees when the process ends in
// whatever way: no stale lock can stop the next build. It calls waiting once
// when somebody else holds it.
func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = file.Close()
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
		if first {
			waiting()
		}
		// Asking again instead of blocking keeps Ctrl-C working.
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
