// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import "time"

// window is a span of time: from the first instant until the last, exclusive. A zero instant is open.
type window struct {
	from, until time.Time
}

// ended tells whether the window is over.
func (w window) ended(now time.Time) bool { return !w.until.IsZero() && !now.Before(w.until) }

// ahead tells whether the window has not begun.
func (w window) ahead(now time.Time) bool { return !w.from.IsZero() && now.Before(w.from) }

// holds tells whether now is in the window.
func (w window) holds(now time.Time) bool { return !w.ended(now) && !w.ahead(now) }
