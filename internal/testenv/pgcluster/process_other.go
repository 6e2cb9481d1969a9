// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package pgcluster

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// waitStopped cannot see it as on Linux; a moment is enough in practice.
func waitStopped(int) { time.Sleep(100 * time.Millisecond) }

func childrenOf(pid int) (children []int, err error) {
	out, err := exec.Command("ps", "-axo", "pid=,ppid=").Output() //nolint:noctx // It ends by itself.
	for line := range strings.Lines(string(out)) {
		var child, parent int
		if _, scanErr := fmt.Sscan(line, &child, &parent); scanErr == nil && parent == pid {
			children = append(children, child)
		}
	}
	return children, err
}

func allGone(pids []int) bool {
	for _, pid := range pids {
		if !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return false
		}
	}
	return true
}
