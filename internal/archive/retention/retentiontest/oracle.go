// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package retentiontest is the naive oracle that retention times are held against.
package retentiontest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Forever is past every day.
const Forever = 1 << 30

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
		return Forever
	}
	return number(t.Year(), int(t.Month()), t.Day())
}

func numberAt(t time.Time) int {
	if t.IsZero() {
		return Forever
	}
	l := t.In(helsinki)
	return number(l.Year(), int(l.Month()), l.Day())
}

// lastDay is the oracle's way to count years: it adds to the year, and takes no 29 February that there is not.
func lastDay(event, years int) int {
	if event == Forever {
		return Forever
	}
	last := event + years*10000
	year := last / 10000
	if last%10000 == 229 && (year%4 != 0 || year%100 == 0 && year%400 != 0) {
		last--
	}
	return last
}

// KeptThrough is the last day on which the document is kept, as a number (Day), Forever if nothing ends it. It is written
// from the table and not from the code: every rule of every task, for every client and matter, the latest of all.
func KeptThrough(c *catalog.Catalog, k *store.Kept) int { //nolint:gocyclo // As plain as the table that it is written from.
	latest, rules := 0, 0
	keep := func(through int) { latest = max(latest, through) }
	// A closing or a death is not before the document.
	keepFrom := func(event, years int) {
		if !k.Created.IsZero() {
			event = max(event, numberAt(k.Created))
		}
		keep(lastDay(event, years))
	}
	var own *store.KeptMatter
	for i := range k.Matters {
		if k.Matters[i].ID == k.Matter && k.Matter != "" {
			own = &k.Matters[i]
		}
	}
	find := func(id uuid.UUID) (born, died int) {
		born, died = Forever, Forever
		for _, client := range k.Clients {
			if client.ID == id {
				born, died = numberOf(client.BornOn), numberOf(client.DiedOn)
			}
		}
		return born, died
	}
	isMinor := func(id uuid.UUID) bool {
		born, _ := find(id)
		return born == Forever || own == nil || own.Opened.IsZero() || lastDay(born, 18) > numberAt(own.Opened)
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
					keep(Forever)
					break
				}
				keepFrom(numberAt(own.Closed), r.Years)
				for _, m := range k.Matters {
					mine := slices.ContainsFunc(m.ClientIDs, func(id uuid.UUID) bool { return slices.Contains(k.ClientIDs, id) })
					if r.From == catalog.FromLastMatterClosed && mine && slices.ContainsFunc(m.ServiceTasks, func(x string) bool { return slices.Contains(r.ServiceTasks, x) }) {
						keepFrom(numberAt(m.Closed), r.Years)
					}
				}
			case catalog.FromClientDeath:
				for _, id := range k.ClientIDs {
					_, died := find(id)
					keepFrom(died, r.Years)
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
			return Forever
		}
	}
	if k.Unsettled {
		return Forever
	}
	return latest
}

// Day gives the day of a number.
func Day(n int) catalog.Day {
	return catalog.Day(fmt.Sprintf("%04d-%02d-%02d", n/10000, n/100%100, n%100))
}

// Number gives the number of the day in Finland at t.
func Number(t time.Time) int { return numberAt(t) }
