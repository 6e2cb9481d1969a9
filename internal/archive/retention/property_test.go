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
	"github.com/valtuus/valtuus/internal/archive/store"
)

// forever is past every day that is drawn.
const forever = 1 << 30

var helsinki = func() *time.Location {
	l, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		panic(err)
	}
	return l
}()

// number gives a day as year, month and day in one number, so that another century's days compare too.
func number(year, month, day int) int { return year*10000 + month*100 + day }

func numberOf(day string) int {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return forever
	}
	return number(t.Year(), int(t.Month()), t.Day())
}

func numberAt(t time.Time) int {
	if t.IsZero() {
		return forever
	}
	l := t.In(helsinki)
	return number(l.Year(), int(l.Month()), l.Day())
}

// lastDay is the oracle's way to count years: it adds to the year, and takes no 29 February that there is not.
func lastDay(event, years int) int {
	if event == forever {
		return forever
	}
	last := event + years*10000
	year := last / 10000
	if last%10000 == 229 && (year%4 != 0 || year%100 == 0 && year%400 != 0) {
		last--
	}
	return last
}

// keptThrough is the oracle: the last day on which the document is kept, forever if nothing ends it. It is written
// from the table and not from the code: every rule of every task, for every client and matter, the latest of all.
func keptThrough(c *catalog.Catalog, k *store.Kept) int {
	latest, rules := 0, 0
	keep := func(through int) { latest = max(latest, through) }
	var own *store.KeptMatter
	for i := range k.Matters {
		if k.Matters[i].ID == k.Matter && k.Matter != "" {
			own = &k.Matters[i]
		}
	}
	find := func(id uuid.UUID) (born, died int) {
		born, died = forever, forever
		for _, client := range k.Clients {
			if client.ID == id {
				born, died = numberOf(client.BornOn), numberOf(client.DiedOn)
			}
		}
		return born, died
	}
	isMinor := func(id uuid.UUID) bool {
		born, _ := find(id)
		return born == forever || own == nil || own.Opened.IsZero() || lastDay(born, 18) > numberAt(own.Opened)
	}
	people := slices.Clone(k.ClientIDs)
	if own != nil {
		people = append(people, own.ClientIDs...)
	}
	byType := slices.ContainsFunc(c.Retention(), func(r catalog.RetentionRule) bool { return slices.Contains(r.DocumentTypes, k.Type) })
	subjects := k.ServiceTasks
	if byType {
		subjects = []string{""}
	}
	for _, task := range subjects {
		rules = 0
		for _, r := range c.Retention() {
			if byType && !slices.Contains(r.DocumentTypes, k.Type) || !byType && !slices.Contains(r.ServiceTasks, task) {
				continue
			}
			if r.When != "" && !slices.ContainsFunc(people, isMinor) {
				continue
			}
			rules++
			switch r.From {
			case catalog.FromStored:
				keep(lastDay(numberAt(k.Stored), r.Years))
			case catalog.FromMatterClosed, catalog.FromLastMatterClosed:
				if own == nil {
					keep(forever)
					break
				}
				keep(lastDay(numberAt(own.Closed), r.Years))
				for _, m := range k.Matters {
					mine := slices.ContainsFunc(m.ClientIDs, func(id uuid.UUID) bool { return slices.Contains(k.ClientIDs, id) })
					if r.From == catalog.FromLastMatterClosed && mine && slices.ContainsFunc(m.ServiceTasks, func(x string) bool { return slices.Contains(r.ServiceTasks, x) }) {
						keep(lastDay(numberAt(m.Closed), r.Years))
					}
				}
			case catalog.FromClientDeath:
				for _, id := range k.ClientIDs {
					_, died := find(id)
					keep(lastDay(died, r.Years))
				}
			case catalog.FromClientBirth:
				for _, id := range people {
					born, _ := find(id)
					if isMinor(id) {
						keep(lastDay(born, r.Years))
					}
				}
			}
		}
		if rules == 0 {
			return forever
		}
	}
	if k.Unsettled {
		return forever
	}
	return latest
}

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
		got, want := retention.Document(c, &k), keptThrough(c, &k)
		if want == forever {
			kept++
			if got.WaitsFor == "" || got.Due("9999-12-31") {
				t.Fatalf("kept for now, but %+v", got)
			}
			return
		}
		ended++
		last := catalog.Day(fmt.Sprintf("%04d-%02d-%02d", want/10000, want/100%100, want%100))
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
				k.Stored = k.Stored.AddDate(0, 0, rapid.IntRange(0, 4000).Draw(t, "days"))
			},
			"a relationship that is unsettled": func(k *store.Kept) { k.Unsettled = true },
		}
		name := rapid.SampledFrom([]string{
			"another client", "another task", "another matter", "a later closing", "a matter that is opened again",
			"a death that is taken back", "a later version", "a relationship that is unsettled",
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
