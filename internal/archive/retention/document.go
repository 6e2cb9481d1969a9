// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Document gives the clock of a document.
func Document(c *catalog.Catalog, k *store.Kept) Clock {
	return longest(clocksOf(c, k))
}

// Matter gives the clock of a matter: that of a document in it which has no rule of its own type. Clients are those
// that the archive knows, matters all of the matter's clients that the caller knows.
func Matter(c *catalog.Catalog, m *store.KeptMatter, clients []store.KeptClient, matters []store.KeptMatter) Clock {
	return Document(c, &store.Kept{Matter: m.ID, ServiceTasks: m.ServiceTasks, ClientIDs: m.ClientIDs, Clients: clients, Matters: matters})
}

func clocksOf(c *catalog.Catalog, k *store.Kept) (clocks []Clock) {
	rules := c.RetentionOf(k.Type)
	for i := range rules {
		clocks = append(clocks, clockOf(&rules[i], k))
	}
	if len(rules) == 0 {
		for _, task := range k.ServiceTasks {
			clocks = append(clocks, inTask(c.RetentionIn(task), k))
		}
	}
	if k.Unsettled && len(clocks) > 0 {
		clocks = append(clocks, Clock{Rule: clocks[0].Rule, CountedFrom: clocks[0].CountedFrom, WaitsFor: WaitsForSettlement})
	}
	return clocks
}

// inTask gives the clock by the rules of one service task.
func inTask(rules []catalog.RetentionRule, k *store.Kept) Clock {
	var clocks []Clock
	for i := range rules {
		if rules[i].When != catalog.WhenChildMatter || len(minors(k)) > 0 {
			clocks = append(clocks, clockOf(&rules[i], k))
		}
	}
	return longest(clocks)
}

func clockOf(rule *catalog.RetentionRule, k *store.Kept) Clock {
	switch rule.From {
	case catalog.FromStored:
		return started(rule, catalog.DayOf(k.Stored))
	case catalog.FromMatterClosed:
		return written(rule, k, closed(rule, []*store.KeptMatter{matterOf(k)}))
	case catalog.FromLastMatterClosed:
		return written(rule, k, closed(rule, append([]*store.KeptMatter{matterOf(k)}, mattersIn(rule.ServiceTasks, k)...)))
	case catalog.FromClientDeath:
		return written(rule, k, lived(rule, k.ClientIDs, k.Clients, func(c *store.KeptClient) string { return c.DiedOn }))
	case catalog.FromClientBirth:
		counted := k.ClientIDs
		if rule.When == catalog.WhenChildMatter {
			counted = minors(k)
		}
		return lived(rule, counted, k.Clients, func(c *store.KeptClient) string { return c.BornOn })
	default:
		return waiting(rule, WaitsForRule)
	}
}

// written counts from the day on which the document was written where that is later than the event: a closing or a death
// that was recorded as of a day too early makes no later document due before its time.
func written(rule *catalog.RetentionRule, k *store.Kept, c Clock) Clock {
	if k.Created.IsZero() || c.WaitsFor != "" {
		return c
	}
	if day := catalog.DayOf(k.Created); day > c.StartedOn {
		return started(rule, day)
	}
	return c
}

// closed counts from the closing of the last of the matters; nil stands for one that is not known.
func closed(rule *catalog.RetentionRule, matters []*store.KeptMatter) Clock {
	var clocks []Clock
	for _, m := range matters {
		switch {
		case m == nil:
			clocks = append(clocks, waiting(rule, WaitsForMatter))
		case m.Closed.IsZero():
			clocks = append(clocks, waiting(rule, Waiting(rule.From)))
		default:
			clocks = append(clocks, started(rule, catalog.DayOf(m.Closed)))
		}
	}
	return longest(clocks)
}

// lived counts from a day in the lives of the clients, the last of them.
func lived(rule *catalog.RetentionRule, counted []uuid.UUID, known []store.KeptClient, day func(*store.KeptClient) string) Clock {
	var clocks []Clock
	for _, id := range counted {
		if c := clientOf(id, known); c != nil {
			clocks = append(clocks, started(rule, catalog.Day(day(c)))) // an empty day starts nothing
		} else {
			clocks = append(clocks, waiting(rule, Waiting(rule.From)))
		}
	}
	return longest(clocks)
}

func clientOf(id uuid.UUID, known []store.KeptClient) *store.KeptClient {
	for i := range known {
		if known[i].ID == id {
			return &known[i]
		}
	}
	return nil
}

// matterOf gives the document's own matter; nil if it names none that is known.
func matterOf(k *store.Kept) *store.KeptMatter {
	for i := range k.Matters {
		if k.Matter != "" && k.Matters[i].ID == k.Matter {
			return &k.Matters[i]
		}
	}
	return nil
}

// mattersIn gives the matters of the document's clients in any of the service tasks.
func mattersIn(tasks []string, k *store.Kept) (matters []*store.KeptMatter) {
	for i := range k.Matters {
		m := &k.Matters[i]
		ofClient := slices.ContainsFunc(m.ClientIDs, func(id uuid.UUID) bool { return slices.Contains(k.ClientIDs, id) })
		inTask := slices.ContainsFunc(m.ServiceTasks, func(task string) bool { return slices.Contains(tasks, task) })
		if ofClient && inTask {
			matters = append(matters, m)
		}
	}
	return matters
}

// ofAge is the age from which nobody is a child.
const ofAge = 18

// minors gives those clients of the document and its matter who were children when the matter was opened, as far as
// is known: one whose birth is not known may have been, and anyone where the opening is not known.
func minors(k *store.Kept) (found []uuid.UUID) {
	all := slices.Clone(k.ClientIDs)
	var opened time.Time
	if m := matterOf(k); m != nil {
		opened = m.Opened
		for _, id := range m.ClientIDs {
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	for _, id := range all {
		var birthday catalog.Day
		if c := clientOf(id, k.Clients); c != nil {
			birthday = catalog.Day(c.BornOn).LastOf(ofAge)
		}
		if opened.IsZero() || birthday == "" || birthday > catalog.DayOf(opened) {
			found = append(found, id)
		}
	}
	return found
}
