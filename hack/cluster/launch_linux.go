// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// listenerFD is the number under which launch and node find the listener that up opened:
// it stays a socket of this machine's network, in whatever namespace the process is.
const listenerFD = 3

// newNamespaces are all that the node shares with nobody; users it shares.
const newNamespaces = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
	syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWCGROUP

// launch starts the node and ends. It is a process of its own because it has to be in the
// cluster's control groups before it does so: the node is born in them, and so can
// never be a process that down does not find.
func launch(at place) error {
	g, err := groupsOf(at)
	if err != nil {
		return err
	}
	if err := g.join(); err != nil {
		return err
	}
	log, err := os.OpenFile(at.log("node"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command("/proc/self/exe", "node")
	cmd.Dir = at.root
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{os.NewFile(listenerFD, "listener")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: newNamespaces, Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the node: %w", err)
	}
	return cmd.Process.Release()
}
