// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "time"

// phase is where an instant lies relative to a period.
type phase int

const (
	before phase = iota
	within
	after
)

// locate places now relative to [from, until), and gives a result that holds for
// as long as that place does. Zero bounds are open.
func locate(now, from, until time.Time) (phase, Result) {
	switch {
	case !from.IsZero() && now.Before(from):
		return before, Result{Until: from}
	case !until.IsZero() && !now.Before(until):
		return after, Result{}
	}
	return within, Result{From: from, Until: until}
}

// violated turns a result into a violation that lasts as long as the result.
func (r Result) violated(reason, message string) Result {
	return Result{Reason: reason, Message: message, Until: r.Until}
}

// overlap tells whether [aFrom, aUntil) and [bFrom, bUntil) have an instant in common.
func overlap(aFrom, aUntil, bFrom, bUntil time.Time) bool {
	from, until := latest(aFrom, bFrom), earliest(aUntil, bUntil)
	return until.IsZero() || from.Before(until)
}

// instant writes a fixed instant for a message.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
