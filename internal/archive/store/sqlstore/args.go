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
