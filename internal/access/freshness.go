// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import "time"

const (
	// DefaultProducerBound is how old a view may be for a producer unit if the registry says nothing.
	DefaultProducerBound = 10 * time.Second
	// DefaultOrganizerBound is how old a view may be for the organizer if the registry says nothing:
	// social emergency work has to survive an outage of the API server.
	DefaultOrganizerBound = time.Hour
	// ClockTolerance is how far before the view's proof the clock may stand before the view counts as stale.
	ClockTolerance = time.Second
)

// believable checks that the view is whole and recent enough. It comes before anything that the view
// says, because a stale view may be wrong in what it denies, too.
func (c *inquiry) believable(registry Registry, known bool) bool {
	f := c.view.Freshness()
	age := c.now.Sub(f.ProvenAt)
	c.decision.ViewAge = max(age, 0)
	if !f.Complete {
		return c.deny(ReasonViewIncomplete)
	}
	// A clock that was stepped back makes old proof look young: an age below zero proves nothing.
	if f.ProvenAt.IsZero() || age < -ClockTolerance || age > staleness(registry, known, c.req.Caller) {
		return c.deny(ReasonViewStale)
	}
	return true
}

// staleness is how old a view may be for the caller. Only an accepted registry has a say in it.
func staleness(registry Registry, known bool, caller Caller) time.Duration {
	if !known || !registry.Accepted {
		return DefaultProducerBound
	}
	bound, otherwise := registry.ProducerBound, DefaultProducerBound
	if caller.IsOrganizer() {
		bound, otherwise = registry.OrganizerBound, DefaultOrganizerBound
	}
	if bound == 0 {
		return otherwise
	}
	return bound
}
