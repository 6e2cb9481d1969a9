// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"syscall"
)

// dataSync makes what was written durable.
func dataSync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
