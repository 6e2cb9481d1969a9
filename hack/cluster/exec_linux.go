// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// execIn becomes a command of this machine, with its files and users, in the network of
// the cluster: pods reach it under the node's address, and it reaches pods and services.
// It is the cluster's from then on, and ends with it.
func execIn(at place, command []string) error {
	pid, found := findNode(at)
	if !found {
		return fmt.Errorf("no cluster runs in %s", at.dir)
	}
	g, err := groupsOf(at)
	if err != nil {
		return err
	}
	for i, dir := range g {
		if inner := filepath.Join(dir, innerGroup); isDir(inner) {
			g[i] = inner
		}
	}
	if err := g.join(); err != nil {
		return err
	}
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return err
	}
	args := append([]string{"nsenter", "--target", strconv.Itoa(pid), "--net", "--"}, command...)
	return syscall.Exec(nsenter, args, os.Environ())
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
