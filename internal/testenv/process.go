// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/valtuus/valtuus/internal/testenv/child"
)

// Time a server gets to end by itself before it is killed. The API server would
// otherwise wait a minute for open watches.
const stopGrace = 3 * time.Second

// Process is one server. It can be stopped and started again: same arguments,
// same port, same data. Its methods may be called from any goroutine.
type Process struct {
	name  string
	path  string
	args  []string
	log   string
	ready func(context.Context) error

	mu      sync.Mutex
	running *child.Run
}

// Start starts the process and waits until it is ready. It is an error if it runs.
func (p *Process) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running.Alive() {
		return fmt.Errorf("%s runs already", p.name)
	}
	r, err := p.spawn()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.running = r
	if err := r.WaitReady(ctx, 50*time.Millisecond, p.ready); err != nil {
		r.Kill()
		return fmt.Errorf("%s did not become ready: %w; end of %s:\n%s", p.name, err, p.log, child.Tail(p.log, 15))
	}
	return nil
}

func (p *Process) spawn() (*child.Run, error) {
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	//nolint:noctx // It outlives the call that starts it; Stop and Kill end it.
	cmd := exec.Command(p.path, p.args...)
	cmd.Stdout, cmd.Stderr = out, out
	return child.Start(cmd)
}

// Stop asks the process to end, and kills it when it has not after three seconds.
// Stopping what does not run is no error.
func (p *Process) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running.Alive() {
		return nil
	}
	_ = p.running.Signal(syscall.SIGTERM)
	_ = p.running.Signal(syscall.SIGCONT) // it may be paused
	select {
	case <-p.running.Done():
	case <-time.After(stopGrace):
		p.running.Kill()
	}
	return nil
}

// Kill ends the process at once, as a crash of its machine would.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running.Kill()
}

// Pause freezes the process: connections stay open and nothing answers.
func (p *Process) Pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	// The signal stops one thread after the other; an answer may still leave meanwhile.
	for deadline := time.Now().Add(time.Minute); !stopped(p.PID()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not pause", p.name)
		}
	}
	return nil
}

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running.Alive() {
		return fmt.Errorf("%s does not run", p.name)
	}
	return p.running.Signal(s)
}

// Running tells whether the process has been started and has not ended.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running.Alive()
}

// PID is the process id, for measuring; 0 when it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running.PID()
}

// LogFile is where the process writes its output.
func (p *Process) LogFile() string { return p.log }
