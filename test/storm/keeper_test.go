package storm

import (
	"context"
	"sync"
	"time"

	"github.com/trustbuilder-mfa/operator/test/program"
)

// keeper keeps a manager running, as a kubelet does: one that has ended is started again.
type keeper struct {
	stage *stage
	ctx   context.Context
	stop  context.CancelFunc
	gone  chan struct{}

	mu      sync.Mutex
	process *program.Process
	killed  int // by kill
	ended   int // by themselves
	err     error
}

func (s *stage) keep() *keeper {
	k := &keeper{stage: s, gone: make(chan struct{})}
	k.ctx, k.stop = context.WithCancel(context.Background())
	k.start()
	go k.run()
	return k
}

func (k *keeper) start() {
	p, err := program.Start(k.stage.program, k.stage.kubeconfig, k.stage.log)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.process, k.err = p, err
}

func (k *keeper) run() {
	defer close(k.gone)
	for k.err == nil {
		select {
		case <-k.ctx.Done():
			k.process.Kill()
			return
		case <-k.process.Exited():
		}
		k.mu.Lock()
		byItself := k.process.ExitCode() >= 0
		if byItself {
			k.ended++
		}
		k.mu.Unlock()
		if byItself {
			pause(k.ctx, time.Second) // a kubelet waits as well
		}
		k.start()
	}
}

// kill ends the manager in whatever it does. The next one is started at once.
func (k *keeper) kill() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.killed++
	k.process.Kill()
}

// close ends the manager for good and returns how often it was killed and how often it ended by itself.
func (k *keeper) close() (killed, ended int, err error) {
	k.stop()
	<-k.gone
	return k.killed, k.ended, k.err
}
