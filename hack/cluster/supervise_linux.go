// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// supervisor keeps components running. It buries every process that ends in its
// namespace, its own and those that others left to it, so nothing here may use os/exec.
type supervisor struct {
	at      place
	mutex   sync.Mutex
	started map[int]component
	ending  bool
}

func supervise(at place, all []component) *supervisor {
	s := &supervisor{at: at, started: map[int]component{}}
	for _, c := range all {
		s.start(c)
	}
	go s.bury()
	return s
}

// start is done under the lock, so that no end is seen before the start.
func (s *supervisor) start(c component) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.ending {
		return
	}
	pid, err := s.spawn(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		time.AfterFunc(time.Second, func() { s.start(c) })
		return
	}
	fmt.Fprintf(os.Stderr, "%s started as %d\n", c.name, pid)
	s.started[pid] = c
}

func (s *supervisor) spawn(c component) (int, error) {
	log, err := os.OpenFile(s.at.log(c.name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { _ = log.Close() }()
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer func() { _ = nothing.Close() }()
	program := s.at.binary(c.name)
	if c.name == volumesComponent {
		program = "/proc/self/exe" // go run has removed the file by now
	}
	process, err := os.StartProcess(program, append([]string{c.name}, c.args...), &os.ProcAttr{
		Dir:   s.at.root,
		Env:   s.environment(),
		Files: []*os.File{nothing, log, log},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, err
	}
	pid := process.Pid
	return pid, process.Release()
}

// environment is the same for all, and has nothing of the environment up was called in.
func (s *supervisor) environment() []string {
	return []string{
		"PATH=" + strings.Join([]string{s.at.path("bin"), "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}, ":"),
		"HOME=" + s.at.dir,
		"TMPDIR=" + s.at.path("tmp"),
		"CLUSTER_DIR=" + s.at.dir, "VALTUUS_CACHE=" + s.at.cache,
	}
}

// bury waits for whatever ends, and starts a component again a second later.
func (s *supervisor) bury() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil { // ECHILD: nothing runs just now
			time.Sleep(100 * time.Millisecond)
			continue
		}
		s.mutex.Lock()
		c, own := s.started[pid]
		delete(s.started, pid)
		s.mutex.Unlock()
		if own {
			fmt.Fprintf(os.Stderr, "%s ended: status %d, signal %d\n", c.name, status.ExitStatus(), status.Signal())
			time.AfterFunc(time.Second, func() { s.start(c) })
		}
	}
}

// end asks all components to end, and waits for them, but no longer than the time given.
func (s *supervisor) end(within time.Duration) {
	s.mutex.Lock()
	s.ending = true
	for pid := range s.started {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	s.mutex.Unlock()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		s.mutex.Lock()
		left := len(s.started)
		s.mutex.Unlock()
		if left == 0 {
			return
		}
	}
}
