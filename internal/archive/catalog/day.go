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
