// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"time"
	_ "time/tzdata" // the image has no zone files
)

// Day is a day in Finland, such as 2026-03-01; days compare as text.
type Day string

var finland = func() *time.Location {
	location, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		panic("catalog: time/tzdata is built in: " + err.Error())
	}
	return location
}()

// DayOf gives the day in Finland at t.
func DayOf(t time.Time) Day { return Day(t.In(finland).Format(time.DateOnly)) }

func (d Day) valid() bool {
	_, err := time.Parse(time.DateOnly, string(d))
	return err == nil
}

// LastOf gives the last day of a time of so many years after the day: the one of the same date, or where that year
// has none the last of its month (Act 150/1930, section 3). Empty for what is no day, and past the year 9999, where
// days no longer compare as text.
func (d Day) LastOf(years int) Day {
	on, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return ""
	}
	then := time.Date(on.Year()+years, on.Month(), on.Day(), 0, 0, 0, 0, time.UTC)
	if then.Month() != on.Month() { // 29 February of a year without one
		then = then.AddDate(0, 0, -then.Day())
	}
	return dayAt(then)
}

// Next gives the day after; empty as in LastOf.
func (d Day) Next() Day {
	on, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return ""
	}
	return dayAt(on.AddDate(0, 0, 1))
}

func dayAt(t time.Time) Day {
	if t.Year() > 9999 {
		return ""
	}
	return Day(t.Format(time.DateOnly))
}

// Period is a span of days, both ends included.
type Period struct {
	// ValidFrom is the first day; empty when it has always been valid.
	ValidFrom Day `json:"validFrom,omitempty"`
	// ValidUntil is the last day; empty while none is set.
	ValidUntil Day `json:"validUntil,omitempty"`
}

// Holds tells whether the day is within the period.
func (p Period) Holds(day Day) bool {
	return p.ValidFrom <= day && (p.ValidUntil == "" || day <= p.ValidUntil)
}
