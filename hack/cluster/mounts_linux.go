// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Kernel settings of the whole machine that the kubelet insists on. It is shown these
// values; the machine keeps its own.
var shown = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// mounting is one mount of the node's view.
type mounting struct {
	source, target, kind string
	flags                uintptr
	data                 string
}

// mountNode makes the node's view of the file system. What Kubernetes writes in
// well-known places (/var/lib, /var/log, /run) lands in the cluster's directory or in
// memory; the rest of the machine's files cannot be written.
func mountNode(at place) error {
	trees, err := machineHierarchies()
	if err != nil {
		return err
	}
	for _, dir := range []string{"var/lib", "var/log", "shown"} {
		if err := os.MkdirAll(at.path(dir), 0o755); err != nil {
			return err
		}
	}
	const safe = syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC
	mounts := []mounting{
		{"none", "/", "", syscall.MS_REC | syscall.MS_PRIVATE, ""}, // nothing gets out
		{at.dir, at.dir, "", syscall.MS_BIND, ""},
		{"none", "/", "", syscall.MS_REMOUNT | syscall.MS_BIND | syscall.MS_RDONLY, ""},
		{at.path("var/lib"), "/var/lib", "", syscall.MS_BIND, ""},
		{at.path("var/log"), "/var/log", "", syscall.MS_BIND, ""},
		{"tmpfs", "/run", "tmpfs", syscall.MS_NOSUID | syscall.MS_NODEV, "mode=755"},
		{"proc", "/proc", "proc", safe, ""},
		{"sysfs", "/sys", "sysfs", safe, ""},
	}
	for name, value := range shown {
		file := at.path("shown", strings.ReplaceAll(name, "/", "."))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		mounts = append(mounts, mounting{file, "/proc/sys/" + name, "", syscall.MS_BIND, ""})
	}
	for _, m := range append(mounts, groupMounts(trees)...) {
		if err := m.do(); err != nil {
			return err
		}
	}
	// The kubelet passes mounts on to pods that ask for it, inside this namespace.
	return mounting{"none", "/", "", syscall.MS_REC | syscall.MS_SHARED, ""}.do()
}

func (m mounting) do() error {
	if strings.HasPrefix(m.target, groupRoot+"/") {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
	}
	if err := syscall.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
		return fmt.Errorf("mounting %s %s on %s: %w", m.kind, m.source, m.target, err)
	}
	return nil
}

const groupRoot = "/sys/fs/cgroup"

// groupMounts are the trees of control groups with the cluster's own groups as their roots.
func groupMounts(trees []hierarchy) []mounting {
	const safe = syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC
	if len(trees) == 1 && trees[0].options == "" {
		return []mounting{{"cgroup2", groupRoot, "cgroup2", safe, ""}}
	}
	mounts := []mounting{{"tmpfs", groupRoot, "tmpfs", safe, "mode=755"}}
	for _, tree := range trees {
		mounts = append(mounts, mounting{"cgroup", filepath.Join(groupRoot, filepath.Base(tree.dir)), "cgroup", safe, tree.options})
	}
	return mounts
}

// innerGroup holds the node's own processes with version 2 of control groups, where a
// group that passes controllers on has no process of its own.
const innerGroup = "init"

// splitGroups passes all controllers on to the groups of the pods, with version 2.
func splitGroups() error {
	controllers, err := os.ReadFile(filepath.Join(groupRoot, "cgroup.controllers"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // version 1
	}
	if err != nil {
		return err
	}
	inner := filepath.Join(groupRoot, innerGroup)
	if err := os.MkdirAll(inner, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(inner, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return err
	}
	on := []byte("+" + strings.Join(strings.Fields(string(controllers)), " +"))
	// Until the process that launched this one has ended.
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if err = os.WriteFile(filepath.Join(groupRoot, "cgroup.subtree_control"), on, 0o644); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("passing on control groups: %w", err)
		}
	}
}
