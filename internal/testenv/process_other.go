// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package testenv

import (
	"time"
)

// stopped cannot be seen here as it can on Linux; a moment is enough in practice.
func stopped(int) bool {
	time.Sleep(100 * time.Millisecond)
	return true
}
