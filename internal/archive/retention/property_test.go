// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package retention_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/retention"
	"github.com/valtuus/valtuus/internal/archive/retention/retentiontest"
	"github.com/valtuus/valtuus/internal/archive/store"
)

var (
	drawnTasks = []string{"families", "older-people", "elderly", "disability", "child-welfare", "family-law", "nothing"}
	drawnTypes = []string{"case-note", "client-relationship", "voucher", "fee-decision"}
)

func drawDay(t *rapid.T, label string) string {
	return time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 15_000).Draw(t, label)).Format(time.DateOnly)
}

func drawMoment(t *rapid.T, label string) time.Time {
	return time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 20*365*24*60).Draw(t, label)) * time.Minute)
}

func drawSome[T any](t *rapid.T, label string, from []T, least int) []T {
	n := rapid.IntRange(least, len(from)).Draw(t, label)
	return rapid.Permutation(from).Draw(t, label)[:n]
}

// drawKept draws a document with matters and clients of which much may be unknown.
func drawKept(t *rapid.T) store.Kept {
	ids := []uuid.UUID{adult, child, unknown}
	k := store.Kept{
		Type: rapid.SampledFrom(drawnTypes).Draw(t, "type"), Matter: rapid.SampledFrom([]string{"", "M0", "M1", "M9"}).Draw(t, "matter"),
		ServiceTasks: drawSome(t, "tasks", drawnTasks, 1)[:1], Stored: drawMoment(t, "stored"),
		ClientIDs: drawSome(t, "of", ids, 1), Unsettled: rapid.IntRange(0, 9).Draw(t, "unsettled") == 0,
	}
	k.Created = k.Stored.AddDate(0, 0, -rapid.IntRange(0, 8000).Draw(t, "written so long before"))
	if rapid.Bool().Draw(t, "two tasks") {
		k.ServiceTasks = drawSome(t, "tasks", drawnTasks, 2)[:2]
	}
	for _, id := range drawSome(t, "known", ids, 0) {
		client := store.KeptClient{ID: id}
		if rapid.IntRange(0, 4).Draw(t, "birth known") > 0 {
			client.BornOn = drawDay(t, "born")
		}
		if rapid.IntRange(0, 4).Draw(t, "dead") > 0 {
			client.DiedOn = drawDay(t, "died")
		}
		k.Clients = append(k.Clients, client)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "matters") {
		m := store.KeptMatter{ID: fmt.Sprint("M", i), ClientIDs: drawSome(t, "shared by", ids, 1), ServiceTasks: drawSome(t, "matter tasks", drawnTasks, 1), Opened: drawMoment(t, "opened")}
		if rapid.IntRange(0, 4).Draw(t, "closed") > 0 {
			m.Closed = drawMoment(t, "closed at")
		}
		k.Matters = append(k.Matters, m)
	}
	return k
}

// TestTheClockIsTheOracles: never due while the oracle keeps it, due on the first day that it does not, and without a
// rule for each task never.
func TestTheClockIsTheOracles(t *testing.T) {
	c := catalog.StandIn()
	ended, kept := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		k := drawKept(t)
		got, want := retention.Document(c, &k), retentiontest.KeptThrough(c, &k)
		if want == retentiontest.Forever {
			kept++
			if got.WaitsFor == "" || got.Due("9999-12-31") {
				t.Fatalf("kept for now, but %+v", got)
			}
			return
		}
		ended++
		last := retentiontest.Day(want)
		if got.WaitsFor != "" || got.Due(last) || !got.Due(last.Next()) || got.DestroyOn != last.Next() {
			t.Fatalf("kept through %s, but %+v", last, got)
		}
	})
	if ended < 5 || kept < 5 {
		t.Errorf("%d documents had an end and %d had none: too few to tell", ended, kept)
	}
}

// later tells whether b keeps at least as long as a.
func later(a, b retention.Clock) bool {
	return b.WaitsFor != "" || a.WaitsFor == "" && b.DestroyOn >= a.DestroyOn
}

// TestMoreKeepsNoShorter: another client, task or matter, a later event and an event that is taken back never make
// anything due earlier.
func TestMoreKeepsNoShorter(t *testing.T) {
	c := catalog.StandIn()
	rapid.Check(t, func(t *rapid.T) {
		k := drawKept(t)
		before := retention.Document(c, &k)
		changes := map[string]func(k *store.Kept){
			"another client": func(k *store.Kept) {
				k.ClientIDs = append(slices.Clone(k.ClientIDs), uuid.UUID{15: 9})
				k.Clients = append(slices.Clone(k.Clients), store.KeptClient{ID: uuid.UUID{15: 9}, BornOn: drawDay(t, "born"), DiedOn: drawDay(t, "died")})
			},
			"another task": func(k *store.Kept) {
				k.ServiceTasks = append(slices.Clone(k.ServiceTasks), rapid.SampledFrom(drawnTasks).Draw(t, "more"))
			},
			"another matter": func(k *store.Kept) {
				k.Matters = append(slices.Clone(k.Matters), store.KeptMatter{ID: "new", ClientIDs: k.ClientIDs, ServiceTasks: drawnTasks, Opened: drawMoment(t, "opened"), Closed: drawMoment(t, "closed")})
			},
			"a later closing": func(k *store.Kept) {
				k.Matters = slices.Clone(k.Matters)
				for i := range k.Matters {
					if !k.Matters[i].Closed.IsZero() {
						k.Matters[i].Closed = k.Matters[i].Closed.AddDate(0, 0, rapid.IntRange(0, 4000).Draw(t, "days"))
					}
				}
			},
			"a matter that is opened again": func(k *store.Kept) {
				k.Matters = slices.Clone(k.Matters)
				for i := range k.Matters {
					k.Matters[i].Closed = time.Time{}
				}
			},
			"a death that is taken back": func(k *store.Kept) {
				k.Clients = slices.Clone(k.Clients)
				for i := range k.Clients {
					k.Clients[i].DiedOn = ""
				}
			},
			"a later version": func(k *store.Kept) {
				days := rapid.IntRange(0, 4000).Draw(t, "days")
				k.Created, k.Stored = k.Created.AddDate(0, 0, days), k.Stored.AddDate(0, 0, days)
			},
			"an earlier closing and death": func(k *store.Kept) {
				k.Matters, k.Clients = slices.Clone(k.Matters), slices.Clone(k.Clients)
				for i := range k.Matters {
					if !k.Matters[i].Closed.IsZero() && k.Matters[i].Closed.Before(k.Created) {
						k.Matters[i].Closed = k.Matters[i].Closed.AddDate(0, 0, -rapid.IntRange(0, 4000).Draw(t, "days"))
					}
				}
				for i := range k.Clients {
					if day := k.Clients[i].DiedOn; day != "" && catalog.Day(day) < catalog.DayOf(k.Created) {
						k.Clients[i].DiedOn = "1950-01-01"
					}
				}
			},
			"a relationship that is unsettled": func(k *store.Kept) { k.Unsettled = true },
		}
		name := rapid.SampledFrom([]string{
			"another client", "another task", "another matter", "a later closing", "a matter that is opened again",
			"a death that is taken back", "a later version", "an earlier closing and death", "a relationship that is unsettled",
		}).Draw(t, "change")
		changes[name](&k)
		if after := retention.Document(c, &k); !later(before, after) {
			t.Fatalf("%s: from %+v to %+v", name, before, after)
		}
	})
}

// TestDueStaysDue: while nothing changes, what is due on one day is due on every later one.
func TestDueStaysDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKept(t)
		clock := retention.Document(catalog.StandIn(), &k)
		a, b := catalog.Day(drawDay(t, "a")), catalog.Day(drawDay(t, "b"))
		if a <= b && clock.Due(a) && !clock.Due(b) {
			t.Fatalf("%+v is due on %s and not on %s", clock, a, b)
		}
	})
}
