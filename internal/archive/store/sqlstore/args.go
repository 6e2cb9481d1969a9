// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// optional gives a time as an argument, NULL for the zero time.
func optional(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return store.Micros(t)
}

// orZero is the inverse of optional.
func orZero(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return store.FromMicros(*us)
}

// flag gives a bool as an argument.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// microsOrZero gives a time as an argument, 0 for the zero time.
func microsOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return store.Micros(t)
}

// instantOf gives a time as the store gives it back, the zero time as it is.
func instantOf(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return store.Instant(t)
}
