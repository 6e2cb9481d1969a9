// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package unusual

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
)

// Findings are what the rules found.
type Findings struct {
	ReadsWithoutWork []ReadsWithoutWork
	Bursts           []Burst
	ManyClients      []ManyClients
}

// ReadsWithoutWork are reads of one client's data by one professional, after which the unit stored nothing for the
// client within the time.
type ReadsWithoutWork struct {
	Professional string
	// Unit is empty for the organizer's own system.
	Unit   string
	Client uuid.UUID
	Reads  int
	// First and Last are when the first and the last of them were.
	First, Last time.Time
}

// Burst is a run of refusals of which each is among so many within the time as the rule says.
type Burst struct {
	// Professional or Certificate is set: whose refusals they are.
	Professional, Certificate string
	Refusals                  int
	First, Last               time.Time
	// Reasons count the refusals by their reason.
	Reasons map[string]int
}

// ManyClients are the clients of one professional in a day.
type ManyClients struct {
	Professional string
	Day          catalog.Day
	Clients      int
}

// sort puts the newest first, and what is of one time in an order of its own.
func (f *Findings) sort() {
	slices.SortFunc(f.ReadsWithoutWork, func(a, b ReadsWithoutWork) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Professional, b.Professional), cmp.Compare(a.Unit, b.Unit),
			cmp.Compare(a.Client.String(), b.Client.String()))
	})
	slices.SortFunc(f.Bursts, func(a, b Burst) int {
		return cmp.Or(b.First.Compare(a.First), cmp.Compare(a.Professional, b.Professional), cmp.Compare(a.Certificate, b.Certificate))
	})
	slices.SortFunc(f.ManyClients, func(a, b ManyClients) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), cmp.Compare(b.Clients, a.Clients), cmp.Compare(a.Professional, b.Professional))
	})
}
