// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package child

import (
	"os/exec"
	"syscall"
)

// bind keeps a terminal's Ctrl-C from reaching a server before us.
func bind(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}
