// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
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
	running *run
}

type run struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // why it ended; valid after done
}

// Start starts the process and waits until it is ready. It is an error if it runs.
func (p *Process) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive() {
		return fmt.Errorf("%s runs already", p.name)
	}
	r, err := p.spawn()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.running = r
	if err := p.waitReady(ctx, r); err != nil {
		p.kill()
		return fmt.Errorf("%s did not become ready: %w; end of %s:\n%s", p.name, err, p.log, tail(p.log, 15))
	}
	return nil
}

func (p *Process) spawn() (*run, error) {
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	//nolint:noctx // It outlives the call that starts it; Stop and Kill end it.
	r := &run{cmd: exec.Command(p.path, p.args...), done: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = out, out
	r.cmd.SysProcAttr = sysProcAttr()
	started := make(chan error)
	go func() {
		// The kernel sends the parent-death signal when the starting *thread*
		// ends, so the thread is kept until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer out.Close()
		err := r.cmd.Start()
		started <- err
		if err == nil {
			r.err = r.cmd.Wait()
			close(r.done)
		}
	}()
	return r, <-started
}

func (p *Process) waitReady(ctx context.Context, r *run) error {
	var last error
	for {
		select {
		case <-r.done:
			return fmt.Errorf("it ended: %w", r.err)
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), last)
		case <-time.After(50 * time.Millisecond):
		}
		probe, cancel := context.WithTimeout(ctx, 2*time.Second)
		last = p.ready(probe)
		cancel()
		if last == nil {
			return nil
		}
	}
}

// Stop asks the process to end, and kills it when it has not after three seconds.
// Stopping what does not run is no error.
func (p *Process) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.alive() {
		return nil
	}
	_ = p.running.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.running.cmd.Process.Signal(syscall.SIGCONT) // it may be paused
	select {
	case <-p.running.done:
	case <-time.After(stopGrace):
		p.kill()
	}
	return nil
}

// Kill ends the process at once, as a crash of its machine would.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill()
}

func (p *Process) kill() {
	if p.alive() {
		_ = p.running.cmd.Process.Kill()
		<-p.running.done
	}
}

// Pause freezes the process: connections stay open and nothing answers.
func (p *Process) Pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	// The signal stops one thread after the other; an answer may still leave meanwhile.
	for deadline := time.Now().Add(5 * time.Second); !stopped(p.PID()); time.Sleep(time.Millisecond) {
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
	if !p.alive() {
		return fmt.Errorf("%s does not run", p.name)
	}
	return p.running.cmd.Process.Signal(s)
}

// Running tells whether the process has been started and has not ended.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive()
}

// PID is the process id, for measuring; 0 when it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.alive() {
		return 0
	}
	return p.running.cmd.Process.Pid
}

// LogFile is where the process writes its output.
func (p *Process) LogFile() string { return p.log }

func (p *Process) alive() bool {
	if p.running == nil {
		return false
	}
	select {
	case <-p.running.done:
		return false
	default:
		return true
	}
}

func tail(path string, lines int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
