// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// A child is this program again, as a process of its own: what it uses is its own, and
// counted apart. The two talk JSON over pipes, one question and one answer at a time.

type question struct {
	Op  string
	Arg string
}

type answer struct {
	Error   string
	Address string
	Counts  map[string]int
	Values  map[string]float64
}

// child is a running child, seen from its parent.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
	mutex sync.Mutex
	first answer
}

var children atomic.Int64

// spawn starts a child with its configuration and waits until it is ready.
func (b *bench) spawn(ctx context.Context, kind string, config any) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(b.dir, fmt.Sprintf("%s-%d.log", kind, children.Add(1))))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	c := &child{cmd: exec.Command(self, "-child", kind)}
	c.cmd.Stderr = log
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.in.Close() })
	defer stop()
	if c.first, err = c.ask("config", string(text)); err != nil {
		c.stop()
		return nil, fmt.Errorf("start the %s: %w", kind, err)
	}
	return c, nil
}

// ask asks a child.
func (c *child) ask(op, arg string) (answer, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := json.NewEncoder(c.in).Encode(question{Op: op, Arg: arg}); err != nil {
		return answer{}, err
	}
	var a answer
	if err := c.out.Decode(&a); err != nil {
		return answer{}, fmt.Errorf("the child process ended: %w", err)
	}
	if a.Error != "" {
		return answer{}, errors.New(a.Error)
	}
	return a, nil
}

// stop ends a child; it may be nil.
func (c *child) stop() {
	if c == nil {
		return
	}
	_ = c.in.Close()
	kill := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	_ = c.cmd.Wait()
}

// kill ends a child at once, as a crash would.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	_ = c.in.Close()
}

// processor is how long a child has had a processor.
func (c *child) processor() (time.Duration, error) {
	a, err := c.ask("processor", "")
	return time.Duration(a.Values["seconds"] * float64(time.Second)), err
}

// profile begins a CPU profile of a child if profiles are wanted, and returns what ends it.
func (b *bench) profile(c *child, name string) (func(), error) {
	if b.profiles == "" {
		return func() {}, nil
	}
	file, err := filepath.Abs(filepath.Join(b.profiles, name+".cpu"))
	if err != nil {
		return nil, err
	}
	_, err = c.ask("profile", file)
	return func() { _, _ = c.ask("profile-end", "") }, err
}

// profileSelf does the same for this process.
func (b *bench) profileSelf() (func(), error) {
	if b.profiles == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(b.profiles, 0o750); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(b.profiles, "bench.cpu"))
	if err != nil {
		return nil, err
	}
	return pprof.StopCPUProfile, pprof.StartCPUProfile(f)
}
