// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"math"
	"time"
)

// instant is a time in a third of the memory: nanoseconds since 1970. Zero times have a value of their own.
type instant int64

// noInstant is the zero time.
const noInstant = instant(math.MinInt64)

// The times that an instant reaches, from 1677 to 2262. Those beyond are moved to the edge, where they are
// as far away as anyone will see.
var (
	firstInstant = time.Unix(0, math.MinInt64+1)
	lastInstant  = time.Unix(0, math.MaxInt64)
)

func newInstant(t time.Time) instant {
	switch {
	case t.IsZero():
		return noInstant
	case t.Before(firstInstant):
		t = firstInstant
	case t.After(lastInstant):
		t = lastInstant
	}
	return instant(t.UnixNano())
}

func (i instant) time() time.Time {
	if i == noInstant {
		return time.Time{}
	}
	return time.Unix(0, int64(i))
}
