// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// down ends the cluster, whatever state it is in, and looks that nothing is left.
func down(_ context.Context, at place) error {
	unlock, err := lock(at)
	if err != nil {
		return err
	}
	defer unlock()
	if os.Geteuid() != 0 {
		return errors.New("a cluster is run, and ended, by root")
	}
	started := time.Now()
	there, err := remains(at)
	if err != nil {
		return err
	}
	if len(there) == 0 {
		say("nothing of a cluster is in %s", at.dir)
		return nil
	}
	if err := takeDown(at); err != nil {
		return err
	}
	say("down in %.1f s; nothing is left", time.Since(started).Seconds())
	return nil
}

// takeDown ends all processes, removes the control groups and the directory, and checks.
func takeDown(at place) error {
	g, err := groupsOf(at)
	if err != nil {
		return err
	}
	var namespaces []string
	for _, pid := range g.members() {
		namespaces = append(namespaces, namespacesOf(pid)...)
	}
	if pid, found := findNode(at); found {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		for deadline := time.Now().Add(10 * time.Second); alive(pid) && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	if err := g.kill(patience); err != nil {
		return err
	}
	if err := g.remove(patience); err != nil {
		return err
	}
	if err := removeDir(at); err != nil {
		return err
	}
	// The kernel takes namespaces apart after their last process has ended.
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		left, err := leftovers(at, namespaces)
		if err != nil || len(left) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w:\n  %s", errLeft, strings.Join(left, "\n  "))
		}
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// removeDir removes the cluster's directory, if up made it and nothing is mounted in it.
func removeDir(at place) error {
	if _, err := os.Stat(at.marker()); err != nil {
		if _, err := os.Stat(at.dir); err == nil {
			return fmt.Errorf("%s has no %s in it, so it is not removed", at.dir, at.marker())
		}
		return nil
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if inside := mountsIn(string(text), at.dir); len(inside) > 0 {
		return fmt.Errorf("not removing %s: something is mounted in it: %v", at.dir, inside)
	}
	return os.RemoveAll(at.dir)
}
