// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"syscall"
	"time"
)

// dataSync makes what was written durable.
func dataSync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }

// processorTime is how long this process has had a processor.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
