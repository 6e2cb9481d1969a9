// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "time"

// Verdict is the answer of a chain.
type Verdict struct {
	OK      bool
	Reason  string // a condition reason, also when OK
	Message string // full sentences; the same for the same facts at any instant
	Warning string // what a person should mend although OK; empty = nothing
	Note    string // what a person should know although OK; empty = nothing

	// ValidFrom and ValidUntil say how long a positive verdict holds by itself:
	// from the first, until just before the second. Zero = open. Both are zero
	// when not OK.
	ValidFrom, ValidUntil time.Time

	// RecheckAt is the first instant at which time alone may change anything in
	// the verdict, positive or negative. Zero = never.
	RecheckAt time.Time
}

// Result is the answer of one check.
type Result struct {
	Reason  string // empty = the condition holds
	Message string
	Warning string
	Note    string

	// From and Until bound the period in which this result stays as it is.
	// Zero = open.
	From, Until time.Time

	// WarnUntil is when only the warning may change. Zero = never.
	WarnUntil time.Time
}

// Check looks at one condition of an input.
type Check[I any] func(in *I) Result

// Chain is an ordered list of checks.
type Chain[I any] []Check[I]

// Evaluate runs the checks in order and stops at the first violation. When all
// hold, the verdict carries the given reason and message.
func (c Chain[I]) Evaluate(in *I, reason, message string) Verdict {
	v := Verdict{OK: true, Reason: reason, Message: message}
	for _, check := range c {
		r := check(in)
		// Results of the checks before a violation count too: when one of them
		// turns, the chain stops earlier and says something else.
		v.RecheckAt = earliest(v.RecheckAt, r.Until)
		if r.Reason != "" {
			return Verdict{Reason: r.Reason, Message: r.Message, RecheckAt: v.RecheckAt}
		}
		v.RecheckAt = earliest(v.RecheckAt, r.WarnUntil)
		v.ValidFrom = latest(v.ValidFrom, r.From)
		v.ValidUntil = earliest(v.ValidUntil, r.Until)
		v.Warning, v.Note = joinSentences(v.Warning, r.Warning), joinSentences(v.Note, r.Note)
	}
	return v
}

// holds is the result of a condition that holds whatever the time.
func holds() Result { return Result{} }

// fails is the result of a violation that time alone does not mend.
func fails(reason, message string) Result {
	return Result{Reason: reason, Message: message}
}

// earliest returns the earlier of two instants where zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// latest returns the later of two instants where zero means always.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func joinSentences(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
