// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"syscall"
	"time"
)

// nap sleeps for a very short while. time.Sleep may take a millisecond, because the runtime waits for
// network events meanwhile, and those wait in milliseconds.
func nap(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil)
}

// napPrecisely lets the calling thread's naps end on time. The kernel would gather them with others within 50 µs.
func napPrecisely() {
	const setTimerSlack = 29
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1000, 0)
}
