// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// findNode is the first process of the cluster's namespace of processes: with it, all of
// them end. It is found in the cluster's control groups, so that no file can be wrong about it.
func findNode(at place) (pid int, found bool) {
	g, err := groupsOf(at)
	if err != nil {
		return 0, false
	}
	own := len(namespacePIDs(os.Getpid()))
	for _, pid := range g.members() {
		if numbers := namespacePIDs(pid); len(numbers) == own+1 && numbers[own] == 1 {
			return pid, true
		}
	}
	return 0, false
}

// namespacePIDs are the numbers of a process, one for each namespace from the machine's inwards.
func namespacePIDs(pid int) []int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(status)) {
		rest, found := strings.CutPrefix(line, "NSpid:")
		if !found {
			continue
		}
		var numbers []int
		for _, field := range strings.Fields(rest) {
			n, err := strconv.Atoi(field)
			if err != nil {
				return nil
			}
			numbers = append(numbers, n)
		}
		return numbers
	}
	return nil
}

// namespacesOf are the namespaces ("net:[4026532001]") in which a process is and this one is not.
func namespacesOf(pid int) []string {
	var foreign []string
	for _, kind := range []string{"cgroup", "ipc", "mnt", "net", "pid", "uts"} {
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
		if err != nil {
			continue
		}
		if mine, err := os.Readlink("/proc/self/ns/" + kind); err == nil && mine != theirs {
			foreign = append(foreign, theirs)
		}
	}
	return foreign
}

// allProcesses are the numbers of all processes that this one can see.
func allProcesses() []int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var pids []int
	for _, dir := range dirs {
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
