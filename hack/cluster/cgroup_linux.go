// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// hierarchy is one mounted tree of control groups: one for each set of controllers with
// version 1, a single one with version 2.
type hierarchy struct {
	dir     string // where it is mounted
	options string // what mounts it again, with version 1; empty with version 2
}

// hierarchies reads the trees to use from the text of a mountinfo file: those of version
// 1 where the machine has its controllers there, or else that of version 2.
func hierarchies(mountinfo string) []hierarchy {
	var first, second []hierarchy
	for line := range strings.Lines(mountinfo) {
		left, right, found := strings.Cut(strings.TrimSpace(line), " - ")
		fields, about := strings.Fields(left), strings.Fields(right)
		if !found || len(fields) < 5 || len(about) < 3 {
			continue
		}
		switch about[0] {
		case "cgroup2":
			second = append(second, hierarchy{dir: fields[4]})
		case "cgroup":
			options := slices.DeleteFunc(strings.Split(about[2], ","), func(option string) bool {
				return option == "rw" || option == "ro" || strings.HasPrefix(option, "release_agent=")
			})
			for i, option := range options {
				if strings.HasPrefix(option, "name=") { // it has no controllers; the kubelet wants it all the same
					options[i] = "none," + option
				}
			}
			tree := hierarchy{dir: fields[4], options: strings.Join(options, ",")}
			known := slices.ContainsFunc(first, func(h hierarchy) bool { return h.options == tree.options })
			if !known {
				first = append(first, tree)
			}
		}
	}
	// With version 2 systemd's own tree may still be one of version 1.
	if slices.ContainsFunc(first, func(h hierarchy) bool { return !strings.Contains(h.options, "name=") }) {
		return first
	}
	return second[:min(1, len(second))]
}

func machineHierarchies() ([]hierarchy, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	trees := hierarchies(string(text))
	if len(trees) == 0 {
		return nil, errors.New("no control groups are mounted in /sys/fs/cgroup")
	}
	return trees, nil
}

// groups are the cluster's control groups, one in each tree. Every process of the cluster
// is in them or below them from its first moment, so they tell what belongs to it.
type groups []string

func groupsOf(at place) (groups, error) {
	trees, err := machineHierarchies()
	if err != nil {
		return nil, err
	}
	var all groups
	for _, tree := range trees {
		all = append(all, filepath.Join(tree.dir, at.id()))
	}
	return all, nil
}

// join makes the groups and moves this process into them.
func (g groups) join() error {
	for _, dir := range g {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		// With version 1 a new set of processors is empty, and takes no process.
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			all, err := os.ReadFile(filepath.Join(filepath.Dir(dir), name))
			if err != nil {
				continue // another tree, or version 2
			}
			if err := os.WriteFile(filepath.Join(dir, name), all, 0o644); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0o644); err != nil {
			return fmt.Errorf("joining the control group %s: %w", dir, err)
		}
	}
	return nil
}

// members are the processes in the groups and below, by the numbers of this process's namespace.
func (g groups) members() []int {
	found := map[int]bool{}
	for _, dir := range g {
		_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return nil //nolint:nilerr // it went away meanwhile
			}
			for _, pid := range numbersIn(filepath.Join(path, "cgroup.procs")) {
				found[pid] = true
			}
			return nil
		})
	}
	var pids []int
	for pid := range found {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	return pids
}

func numbersIn(file string) []int {
	opened, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer func() { _ = opened.Close() }()
	var numbers []int
	for lines := bufio.NewScanner(opened); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil && n > 0 {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// kill ends all members, again and again until none is left.
func (g groups) kill(timeout time.Duration) error {
	for deadline := time.Now().Add(timeout); ; time.Sleep(50 * time.Millisecond) {
		pids := g.members()
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes that do not end: %v", pids)
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// remove removes the groups, the innermost first. The kernel may hold one for a moment
// after its last process has ended.
func (g groups) remove(timeout time.Duration) error {
	var err error
	for deadline := time.Now().Add(timeout); ; time.Sleep(50 * time.Millisecond) {
		if err = g.removeOnce(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (g groups) removeOnce() error {
	for _, dir := range g {
		var inside []string
		_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				inside = append(inside, path)
			}
			return nil
		})
		for _, path := range slices.Backward(inside) {
			if err := syscall.Rmdir(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("control group %s: %w", path, err)
			}
		}
	}
	return nil
}

// exist are the groups that do.
func (g groups) exist() []string {
	var there []string
	for _, dir := range g {
		if _, err := os.Stat(dir); err == nil {
			there = append(there, dir)
		}
	}
	return there
}
