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
	"sync"
	"syscall"
	"time"

	"github.com/valtuus/valtuus/internal/testenv/child"
)

// stopGrace is how long the server gets to end in an orderly way, with its last checkpoint.
const stopGrace = 2 * time.Minute

// server is the server's process. It can be ended and started again.
type server struct {
	path, dir, log string
	args           []string
	account        *account
	ready          func(context.Context) error

	mu      sync.Mutex
	running *child.Run
}

// command is a program run as the account, with none of the PG* settings of whoever runs us.
func command(path string, who *account, dir string, args ...string) *exec.Cmd {
	//nolint:noctx // It outlives the call that starts it; or runBounded ends it.
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who.credential()}
	return cmd
}

// runBounded runs the program to its end and gives what it printed.
func runBounded(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	run, err := child.Start(cmd)
	if err != nil {
		return "", err
	}
	select {
	case <-run.Done():
		return out.String(), run.Err()
	case <-ctx.Done():
		killGroup(cmd.Process.Pid)
		<-run.Done()
		return out.String(), context.Cause(ctx)
	}
}

// start starts the server and waits until it takes connections. It is an error if it runs.
func (s *server) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running.Alive() {
		return errors.New("the server runs already")
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := command(s.path, s.account, s.dir, s.args...)
	cmd.Stdout, cmd.Stderr = log, log
	if s.running, err = child.Start(cmd); err != nil {
		return fmt.Errorf("start %s: %w", s.path, err)
	}
	if err := s.running.WaitReady(ctx, 20*time.Millisecond, s.ready); err != nil {
		return errors.Join(fmt.Errorf("the server did not become ready: %w; end of its log:\n%s", err, child.Tail(s.log, 15)), s.kill())
	}
	return nil
}

// stop asks for a fast shutdown, and kills the server when it has not ended in time.
func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running.Alive() {
		return nil
	}
	_ = s.running.Signal(syscall.SIGINT)
	select {
	case <-s.running.Done():
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
	if !s.running.Alive() {
		return nil
	}
	pid := s.running.PID()
	if err := s.running.Signal(syscall.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	waitStopped(pid)
	children, err := childrenOf(pid)
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	s.running.Kill()
	for deadline := time.Now().Add(endTimeout); !allGone(children); time.Sleep(5 * time.Millisecond) {
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
	return s.running.PID()
}
