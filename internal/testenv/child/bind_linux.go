// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package child

import (
	"os/exec"
	"syscall"
)

// bind makes the kernel end a server with us, however we end (a panic, a
// test timeout, SIGKILL), and keeps a terminal's Ctrl-C from reaching it first.
func bind(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig, cmd.SysProcAttr.Setpgid = syscall.SIGKILL, true
}
