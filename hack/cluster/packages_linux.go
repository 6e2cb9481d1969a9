// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// need is something of the machine's, and the Debian package that has it.
type need struct {
	pkg     string
	present func() bool
}

func command(name string) func() bool {
	return func() bool { _, err := exec.LookPath(name); return err == nil }
}

// Whatever the node runs with, and what runc is built with.
var (
	toRun   = []need{{"nftables", command("nft")}, {"iproute2", command("ip")}, {"libseccomp2", library("libseccomp.so.2")}}
	toBuild = []need{
		{"gcc", command("cc")}, {"libc6-dev", header("stdlib.h")}, {"pkg-config", command("pkg-config")},
		{"libseccomp-dev", func() bool { return exec.Command("pkg-config", "--exists", "libseccomp").Run() == nil }},
	}
)

func header(name string) func() bool {
	return func() bool {
		cmd := exec.Command("cc", "-E", "-x", "c", "-")
		cmd.Stdin = strings.NewReader("#include <" + name + ">\n")
		return cmd.Run() == nil
	}
}

func library(name string) func() bool {
	return func() bool {
		out, err := exec.Command("ldconfig", "-p").Output()
		return err == nil && strings.Contains(string(out), name)
	}
}

// installMissing installs what of the needed is not there, with apt-get, and says so.
func installMissing(ctx context.Context, needs []need) error {
	var missing []string
	for _, n := range needs {
		if !n.present() {
			missing = append(missing, n.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if !command("apt-get")() {
		return fmt.Errorf("install these first (their names on Debian): %s", strings.Join(missing, " "))
	}
	say("installing Debian packages that are missing: %s", strings.Join(missing, " "))
	for _, args := range [][]string{
		{"update", "-q"},
		append([]string{"install", "-q", "-y", "--no-install-recommends"}, missing...),
	} {
		// A mirror may fail once, and somebody else may be installing.
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "Acquire::Retries=5", "-o", "DPkg::Lock::Timeout=600"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return errors.Join(fmt.Errorf("apt-get %s: %w", args[0], err), errors.New(string(out)))
		}
	}
	return nil
}
