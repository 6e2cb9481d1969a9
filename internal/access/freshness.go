// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"cmp"
	"time"
)

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
func (c *inquiry) believable(registry *Registry, known bool) bool {
	f := c.view.Freshness()
	// The monotonic clock stands still while a machine is suspended, and the wall clock can be stepped: the
	// view is as old as the one that says more, and a wall clock before the proof proves nothing.
	wall := c.now.Round(0).Sub(f.ProvenAt.Round(0))
	age := max(c.now.Sub(f.ProvenAt), wall)
	c.decision.ViewAge = max(age, 0)
	if !f.Complete {
		return c.deny(ReasonViewIncomplete)
	}
	if f.ProvenAt.IsZero() || wall < -ClockTolerance || age > f.bound(registry, known, c.req.Caller) {
		return c.deny(ReasonViewStale)
	}
	return true
}

// bound is how old the view may be for the caller. Only an accepted registry has a say in it.
func (f *Freshness) bound(registry *Registry, known bool, caller Caller) time.Duration {
	switch {
	case !known || !registry.Accepted:
		return DefaultProducerBound
	case caller.IsOrganizer():
		return f.OfOrganizer(registry)
	}
	return f.OfProducers(registry)
}

// OfProducers is how old the view may be for the registry's producer units.
func (f *Freshness) OfProducers(registry *Registry) time.Duration {
	return cmp.Or(registry.ProducerBound, f.ProducerBound, DefaultProducerBound)
}

// OfOrganizer is how old the view may be for the registry's organizer.
func (f *Freshness) OfOrganizer(registry *Registry) time.Duration {
	return cmp.Or(registry.OrganizerBound, f.OrganizerBound, DefaultOrganizerBound)
}
