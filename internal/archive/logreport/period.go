// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logreport

import (
	"time"

	"github.com/valtuus/valtuus/internal/archive/catalog"
)

// Years is how far back a report goes without a special reason.
const Years = 2

var finland = func() *time.Location {
	location, err := time.LoadLocation("Europe/Helsinki") // the catalog has the zone files
	if err != nil {
		panic("logreport: " + err.Error())
	}
	return location
}()

// Earliest gives the first day that a report made today may cover without a special reason: the same day two years
// ago, or the last of its month where that has no such day.
func Earliest(today catalog.Day) catalog.Day {
	t, err := time.Parse(time.DateOnly, string(today))
	if err != nil {
		return today // it was made by DayOf
	}
	back := t.AddDate(-Years, 0, 0)
	if back.Day() != t.Day() {
		back = back.AddDate(0, 0, -back.Day())
	}
	return catalog.Day(back.Format(time.DateOnly))
}

// ParseDay reads a day such as 2026-03-01.
func ParseDay(text string) (catalog.Day, bool) {
	t, err := time.Parse(time.DateOnly, text)
	return catalog.Day(text), err == nil && t.Year() >= 1900 && t.Year() <= 9998
}

// Span gives the time of the days from the first to the last, both included: from inclusive, until exclusive.
func Span(first, last catalog.Day) (from, until time.Time) {
	return midnight(first, 0), midnight(last, 1)
}

// midnight is when the day so many days after the given one begins in Finland.
func midnight(day catalog.Day, after int) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(day), finland)
	if err != nil {
		return time.Time{}
	}
	return t.AddDate(0, 0, after).UTC()
}
