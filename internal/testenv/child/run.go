// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package child runs the servers of suites as children that end with the program that started them, on ports
// that stay theirs.
package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Run is one run of a program. A nil Run is one that has ended.
type Run struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // why it ended; valid after done
}

// Start starts the program, reaps it when it ends, and binds its life to ours.
func Start(cmd *exec.Cmd) (*Run, error) {
	bind(cmd)
	r := &Run{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the parent-death signal when the starting *thread*
		// ends, so the thread is kept until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			r.err = cmd.Wait()
			close(r.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return r, nil
}

// Done is closed when the program has ended; Err tells why.
func (r *Run) Done() <-chan struct{} { return r.done }

// Err is why the program ended, once it has.
func (r *Run) Err() error { return r.err }

// Alive tells whether the program has not ended.
func (r *Run) Alive() bool {
	if r == nil {
		return false
	}
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// PID is the process id; 0 once the program has ended.
func (r *Run) PID() int {
	if !r.Alive() {
		return 0
	}
	return r.cmd.Process.Pid
}

// Signal sends the program a signal.
func (r *Run) Signal(s os.Signal) error { return r.cmd.Process.Signal(s) }

// Kill ends the program at once and waits until it has ended.
func (r *Run) Kill() {
	if r.Alive() {
		_ = r.cmd.Process.Kill()
		<-r.done
	}
}

// WaitReady asks again and again whether the program is ready, until it is, ends, or ctx ends.
func (r *Run) WaitReady(ctx context.Context, every time.Duration, ready func(context.Context) error) error {
	var last error
	for {
		select {
		case <-r.done:
			return fmt.Errorf("it ended: %w", r.err)
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), last)
		case <-time.After(every):
		}
		probe, cancel := context.WithTimeout(ctx, 10*time.Second)
		last = ready(probe)
		cancel()
		if last == nil {
			return nil
		}
	}
}

// Tail gives the last lines of a log, or why it cannot be read.
func Tail(path string, lines int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
