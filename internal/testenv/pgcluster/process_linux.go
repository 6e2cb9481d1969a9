// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pgcluster

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// processStat gives the state of a process and its parent's id; ok is false when it is gone.
func processStat(pid int) (state byte, parent int, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, false
	}
	// "pid (command) state parent ...": the command may hold anything but ends at the last parenthesis.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 || len(fields[0]) != 1 {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return fields[0][0], parent, err == nil
}

// waitStopped waits until the server, which has one thread, is frozen or has ended.
func waitStopped(pid int) {
	for range 60_000 {
		if state, _, ok := processStat(pid); !ok || state == 'T' || state == 'Z' {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func childrenOf(pid int) (children []int, err error) {
	paths, err := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		child, convErr := strconv.Atoi(filepath.Base(path))
		if convErr != nil {
			continue
		}
		if _, parent, ok := processStat(child); ok && parent == pid {
			children = append(children, child)
		}
	}
	return children, err
}

// allGone tells whether the processes have ended; whoever inherits them reaps them.
func allGone(pids []int) bool {
	for _, pid := range pids {
		if state, _, ok := processStat(pid); ok && state != 'Z' {
			return false
		}
	}
	return true
}
