// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// WaitsForDocuments and WaitsForMatters: a client is kept as long as a document or a matter of it is.
const (
	WaitsForDocuments Waiting = "documents"
	WaitsForMatters   Waiting = "matters"
)

// BasicData gives the clock of a client's identifiers and basic data alone.
func BasicData(c *catalog.Catalog, client *store.KeptClient) Clock {
	k := &store.Kept{ClientIDs: []uuid.UUID{client.ID}, Clients: []store.KeptClient{*client}}
	var clocks []Clock
	rules := c.BasicDataRetention()
	for i := range rules {
		clocks = append(clocks, clockOf(&rules[i], k))
	}
	return longest(clocks)
}

// Client gives the clock of a client as a whole, and those of its matters. The client waits while there are documents
// of it, and while a matter of it is kept on that day.
func Client(c *catalog.Catalog, p *store.KeptPerson, today catalog.Day) (whole Clock, matters []Clock) {
	whole = BasicData(c, &p.KeptClient)
	if p.Documents > 0 {
		whole = longer(whole, Clock{Rule: whole.Rule, CountedFrom: whole.CountedFrom, WaitsFor: WaitsForDocuments})
	}
	for i := range p.Matters {
		clock := Matter(c, &p.Matters[i], p.Clients, p.Matters)
		matters = append(matters, clock)
		// A matter goes with its last client, and not from under a document of others that names it.
		last := len(p.Matters[i].ClientIDs) == 1
		if !clock.Due(today) || last && p.Matters[i].Documents > 0 {
			whole = longer(whole, Clock{Rule: whole.Rule, CountedFrom: whole.CountedFrom, WaitsFor: WaitsForMatters})
		}
	}
	return whole, matters
}
