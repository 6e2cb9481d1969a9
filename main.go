// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Valtuus runs the register access right of Finnish social care: its controllers and its archive.
package main

import (
	"os"

	"github.com/valtuus/valtuus/internal/cli"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	os.Exit(cli.Main(version, os.Args[1:], os.Stdout, os.Stderr))
}
