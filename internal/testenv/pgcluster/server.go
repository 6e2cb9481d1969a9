// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pgcluster

import (
	"bytes"
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

// stopGrace is how long the server gets to end in an orderly way, with its last checkpoint.
const stopGrace = 30 * time.Second

// server is the server's process. It can be ended and started again.
type server struct {
	path, dir, log string
	args           []string
	account        *account
	ready          func(context.Context) error

	mu      sync.Mutex
	running *process
}

// process is one run of a program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // why it ended; valid after done
}

// command is a program run as the account, with none of the PG* settings of whoever runs us.
func command(path string, who *account, dir string, args ...string) *exec.Cmd {
	//nolint:noctx // It outlives the call that starts it; or runBounded ends it.
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = sysProcAttr()
	cmd.SysProcAttr.Credential = who.credential()
	return cmd
}

// launch starts the program and reaps it when it ends.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the parent-death signal when the starting *thread* ends, so the thread is kept
		// until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// runBounded runs the program to its end and gives what it printed.
func runBounded(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := launch(cmd)
	if err != nil {
		return "", err
	}
	select {
	case <-p.done:
		return out.String(), p.err
	case <-ctx.Done():
		killGroup(p.cmd.Process.Pid)
		<-p.done
		return out.String(), context.Cause(ctx)
	}
}

// start starts the server and waits until it takes connections. It is an error if it runs.
func (s *server) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alive() {
		return errors.New("the server runs already")
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := command(s.path, s.account, s.dir, s.args...)
	cmd.Stdout, cmd.Stderr = log, log
	if s.running, err = launch(cmd); err != nil {
		s.running = nil
		return fmt.Errorf("start %s: %w", s.path, err)
	}
	if err := s.waitReady(ctx); err != nil {
		return errors.Join(fmt.Errorf("the server did not become ready: %w; end of its log:\n%s", err, tail(s.log, 15)), s.kill())
	}
	return nil
}

func (s *server) waitReady(ctx context.Context) error {
	var last error
	for {
		select {
		case <-s.running.done:
			return fmt.Errorf("it ended: %w", s.running.err)
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), last)
		case <-time.After(20 * time.Millisecond):
		}
		probe, cancel := context.WithTimeout(ctx, 2*time.Second)
		last = s.ready(probe)
		cancel()
		if last == nil {
			return nil
		}
	}
}

// stop asks for a fast shutdown, and kills the server when it has not ended in time.
func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.alive() {
		return nil
	}
	_ = s.running.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-s.running.done:
		return nil
	case <-time.After(stopGrace):
		return s.kill()
	}
}

func (s *server) killAll() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kill()
}

// kill freezes the server, so that it starts nothing more, kills its children, which are in process groups of
// their own, then the server itself, and waits until all are gone: a new server refuses to start beside them.
func (s *server) kill() error {
	if !s.alive() {
		return nil
	}
	pid := s.running.cmd.Process.Pid
	if err := s.running.cmd.Process.Signal(syscall.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	waitStopped(pid)
	children, err := childrenOf(pid)
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	_ = s.running.cmd.Process.Kill()
	<-s.running.done
	for deadline := time.Now().Add(10 * time.Second); !allGone(children); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.Join(err, errors.New("processes of the killed server do not go away"))
		}
	}
	return err
}

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func (s *server) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.alive() {
		return 0
	}
	return s.running.cmd.Process.Pid
}

func (s *server) alive() bool {
	if s.running == nil {
		return false
	}
	select {
	case <-s.running.done:
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
