// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package destruction_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/destruction"
	"github.com/valtuus/valtuus/internal/archive/retention/retentiontest"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// history is what the model knows of one store: what was done to it, and not what it says.
type history struct {
	w         *world
	clients   map[uuid.UUID]*store.KeptClient
	matters   map[string]*store.KeptMatter
	documents map[uuid.UUID]*store.Kept
	gone      map[uuid.UUID]bool // documents
}

// TestNothingGoesEarlyAndAllGoesInTime draws histories of clients, matters, documents, deaths, closings, reopenings
// and time, with runs between them: after each run exactly those documents are gone whose last day, by the oracle, is
// past, and exactly those clients of whom nothing is left and whose own time has ended.
func TestNothingGoesEarlyAndAllGoesInTime(t *testing.T) {
	tasks := []string{"families", "older-people", "disability", "child-welfare", "family-law", "of-no-catalog"}
	types := []string{"case-note", "client-relationship", "voucher", "fee-decision"}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			destroyed, clientsGone := 0, 0
			w := open(t)
			rapid.Check(t, func(r *rapid.T) {
				w.wipe(r)
				h := &history{
					w: w, clients: map[uuid.UUID]*store.KeptClient{}, matters: map[string]*store.KeptMatter{},
					documents: map[uuid.UUID]*store.Kept{}, gone: map[uuid.UUID]bool{},
				}
				h.client(r)
				for range rapid.IntRange(15, 40).Draw(r, "steps") {
					switch rapid.IntRange(0, 9).Draw(r, "step") {
					case 0:
						h.client(r)
					case 1, 2:
						h.open(r, tasks)
					case 3, 4:
						h.store(r, types, tasks)
					case 5:
						h.close(r)
					case 6:
						h.die(r)
					default:
						h.w.clock.Step(time.Duration(rapid.IntRange(1, 15*365).Draw(r, "days")) * 24 * time.Hour)
						destroyed += h.run(r)
					}
				}
				for _, m := range h.matters { // at the end all that can end has ended
					h.w.closeMatter(r, m.ID)
					m.Closed = h.w.clock.Now()
				}
				for _, c := range h.clients {
					if c.DiedOn == "" {
						c.DiedOn = string(catalog.DayOf(h.w.clock.Now()))
						h.w.lives(r, c.ID, catalog.Day(c.BornOn), catalog.Day(c.DiedOn))
					}
				}
				h.w.clock.Step(200 * 366 * 24 * time.Hour)
				destroyed += h.run(r)
				clientsGone += len(h.clients) - h.w.count(r, "clients")
			})
			if destroyed == 0 || clientsGone == 0 {
				t.Errorf("%d documents and %d clients were destroyed: too few to tell", destroyed, clientsGone)
			}
			t.Logf("%d documents and %d clients were destroyed", destroyed, clientsGone)
		})
	}
}

// living gives the clients that the store still has, in the order of their ids.
func (h *history) living(r *rapid.T) (ids []uuid.UUID) {
	for id := range h.clients {
		if there, err := h.w.store.ClientExists(ctx, registry, id); err != nil {
			r.Fatal(err)
		} else if there {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

func (h *history) some(r *rapid.T) []uuid.UUID {
	ids := h.living(r)
	if len(ids) == 0 {
		h.client(r)
		ids = h.living(r)
	}
	n := min(len(ids), rapid.IntRange(1, 3).Draw(r, "how many"))
	return rapid.Permutation(ids).Draw(r, "clients")[:n]
}

func (h *history) client(r *rapid.T) {
	born := catalog.Day("")
	if rapid.IntRange(0, 5).Draw(r, "birth known") > 0 {
		born = catalog.DayOf(h.w.clock.Now().AddDate(-rapid.IntRange(0, 90).Draw(r, "age"), 0, 0))
	}
	id := h.w.client(r, born, "")
	h.clients[id] = &store.KeptClient{ID: id, BornOn: string(born)}
}

func (h *history) open(r *rapid.T, tasks []string) {
	m := &store.KeptMatter{
		ID: fmt.Sprint("M-", len(h.matters)), ClientIDs: h.some(r), ServiceTasks: []string{rapid.SampledFrom(tasks).Draw(r, "task")}, Opened: h.w.clock.Now(),
	}
	h.w.matter(r, m.ID, m.ServiceTasks, m.ClientIDs...)
	h.matters[m.ID] = m
}

// matter draws one that the store still has; nil for none.
func (h *history) matter(r *rapid.T) *store.KeptMatter {
	if len(h.matters) == 0 {
		return nil
	}
	m := h.matters[fmt.Sprint("M-", rapid.IntRange(0, len(h.matters)-1).Draw(r, "matter"))]
	if h.w.count(r, `matters WHERE matter = $1`, m.ID) == 0 {
		return nil
	}
	return m
}

func (h *history) store(r *rapid.T, types, tasks []string) {
	k := &store.Kept{Type: rapid.SampledFrom(types).Draw(r, "type"), Created: h.w.clock.Now().Add(-time.Hour), Stored: h.w.clock.Now()}
	m := h.matter(r)
	switch {
	case m != nil && rapid.IntRange(0, 4).Draw(r, "in a matter") > 0:
		k.Matter, k.ServiceTasks = m.ID, m.ServiceTasks
		there := h.living(r)
		for _, id := range m.ClientIDs {
			if slices.Contains(there, id) && (len(k.ClientIDs) == 0 || rapid.Bool().Draw(r, "also of")) {
				k.ClientIDs = append(k.ClientIDs, id)
			}
		}
		if len(k.ClientIDs) == 0 {
			return
		}
	case rapid.Bool().Draw(r, "no such matter"):
		k.Matter = "M-unknown"
		fallthrough
	default:
		k.ClientIDs, k.ServiceTasks = h.some(r), []string{rapid.SampledFrom(tasks).Draw(r, "task")}
	}
	doc := h.w.put(r, k.Type, k.Matter, k.ServiceTasks, k.ClientIDs...)
	k.ID = doc.ID
	h.documents[doc.ID] = k
}

func (h *history) close(r *rapid.T) {
	m := h.matter(r)
	switch {
	case m == nil:
	case m.Closed.IsZero():
		h.w.closeMatter(r, m.ID)
		m.Closed = h.w.clock.Now()
	case rapid.Bool().Draw(r, "reopen"):
		h.w.reopen(r, m.ID)
		m.Closed = time.Time{}
	}
}

// die has one die today, or takes a death back.
func (h *history) die(r *rapid.T) {
	ids := h.living(r)
	if len(ids) == 0 {
		return
	}
	c := h.clients[rapid.SampledFrom(ids).Draw(r, "who")]
	if c.DiedOn == "" {
		c.DiedOn = string(catalog.DayOf(h.w.clock.Now()))
	} else {
		c.DiedOn = ""
	}
	h.w.lives(r, c.ID, catalog.Day(c.BornOn), catalog.Day(c.DiedOn))
}

// lastDay gives the oracle's last day of a document. It is told of all clients and matters that ever were.
func (h *history) lastDay(k *store.Kept) int {
	full := *k
	for _, c := range h.clients {
		full.Clients = append(full.Clients, *c)
	}
	for _, m := range h.matters {
		full.Matters = append(full.Matters, *m)
	}
	return retentiontest.KeptThrough(catalog.StandIn(), &full)
}

// run destroys, and compares the store with the model; it gives how many documents went.
func (h *history) run(r *rapid.T) (went int) {
	h.w.run(r, func(o *destruction.Options) { o.Batch = rapid.IntRange(1, 5).Draw(r, "batch") })
	today := retentiontest.Number(h.w.clock.Now())
	ofClient := map[uuid.UUID]int{}
	for id, k := range h.documents {
		past := h.lastDay(k) < today
		there := h.w.is(r, id)
		switch {
		case h.gone[id] && there:
			r.Fatalf("a destroyed document is there again: %+v", k)
		case !h.gone[id] && !there && !past:
			r.Fatalf("destroyed early, kept through %d and today is %d: %+v", h.lastDay(k), today, k)
		case there && past:
			r.Fatalf("not destroyed, kept through %d and today is %d: %+v", h.lastDay(k), today, k)
		case !there && !h.gone[id]:
			h.gone[id] = true
			went++
		}
		for _, client := range k.ClientIDs {
			if there {
				ofClient[client]++
			}
		}
	}
	living := h.living(r)
	for id, c := range h.clients {
		there := slices.Contains(living, id)
		died, err := time.Parse(time.DateOnly, c.DiedOn)
		ended := err == nil && retentiontest.Number(died.AddDate(2, 0, 0).Add(12*time.Hour)) < today
		if !there && (ofClient[id] > 0 || !ended) {
			r.Fatalf("a client went with %d documents, who died on %q; today is %d", ofClient[id], c.DiedOn, today)
		}
		if there && ended && ofClient[id] == 0 && !h.inMatter(id, today) {
			r.Fatalf("a client of whom nothing is kept is there, who died on %s; today is %d", c.DiedOn, today)
		}
	}
	return went
}

// inMatter tells whether a matter of the client would keep a document, or has one.
func (h *history) inMatter(client uuid.UUID, today int) bool {
	for _, m := range h.matters {
		if !slices.Contains(m.ClientIDs, client) {
			continue
		}
		if h.lastDay(&store.Kept{Matter: m.ID, ServiceTasks: m.ServiceTasks, ClientIDs: m.ClientIDs}) >= today {
			return true
		}
		for id, k := range h.documents {
			if k.Matter == m.ID && !h.gone[id] {
				return true
			}
		}
	}
	return false
}
