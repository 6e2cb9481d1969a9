// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import "github.com/valtuus/valtuus/internal/archive/catalog"

// Waiting is what a clock that does not run waits for: an event, as a rule names it, or one of those below.
type Waiting string

const (
	// WaitsForRule means that the catalog has no rule, so it is kept for good.
	WaitsForRule Waiting = "rule"
	// WaitsForMatter means that the rule counts from a matter, and the document names none, or none that the archive knows.
	WaitsForMatter Waiting = "matter"
	// WaitsForSettlement means that the client relationship document and its ServiceRelationship do not agree: the document
	// may be all that ends the relationship.
	WaitsForSettlement Waiting = "settlement"
)

// Clock tells until when something is kept. The zero value keeps it for good.
type Clock struct {
	// Rule is the code of the rule that keeps it longest; empty where there is none.
	Rule string
	// CountedFrom is the event that the rule counts from, StartedOn the day of it, or the day on which the document was
	// written if that is later and the event a closing or a death; empty while it waits.
	CountedFrom catalog.RetentionEvent
	StartedOn   catalog.Day
	// DestroyOn is the first day on which it is no longer kept; empty while it waits.
	DestroyOn catalog.Day
	// WaitsFor is what has to come before the clock runs; empty when it runs.
	WaitsFor Waiting
}

// Due tells whether it is no longer kept on that day.
func (c Clock) Due(today catalog.Day) bool {
	return c.WaitsFor == "" && c.DestroyOn != "" && c.DestroyOn <= today
}

// started gives the clock of a rule whose event was on that day.
func started(rule *catalog.RetentionRule, on catalog.Day) Clock {
	c := Clock{Rule: rule.Code, CountedFrom: rule.From, StartedOn: on, DestroyOn: on.LastOf(rule.Years).Next()}
	if c.DestroyOn == "" { // no day, or one beyond the calendar
		return waiting(rule, Waiting(rule.From))
	}
	return c
}

func waiting(rule *catalog.RetentionRule, what Waiting) Clock {
	return Clock{Rule: rule.Code, CountedFrom: rule.From, WaitsFor: what}
}

// longer gives the clock that keeps longer; of two that wait, the first.
func longer(a, b Clock) Clock {
	switch {
	case a.WaitsFor != "":
		return a
	case b.WaitsFor != "" || b.DestroyOn > a.DestroyOn:
		return b
	default:
		return a
	}
}

// longest gives the one of the clocks that keeps longest; one that waits for a rule where there is none.
func longest(clocks []Clock) Clock {
	if len(clocks) == 0 {
		return Clock{WaitsFor: WaitsForRule}
	}
	found := clocks[0]
	for _, c := range clocks[1:] {
		found = longer(found, c)
	}
	return found
}
