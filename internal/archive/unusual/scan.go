// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package unusual

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Scan looks at rows of one registry, newest first. It holds what it needs of each client of a unit, and of each
// refusal, not the rows.
type Scan struct {
	rules       Rules
	from, until time.Time
	now         time.Time

	nextWork map[atUnit]time.Time
	reads    map[reader]*ReadsWithoutWork
	refusals map[refused][]refusal
	day      catalog.Day
	clients  map[string]map[uuid.UUID]bool
	many     []ManyClients
}

// atUnit is a client in the work of a unit.
type atUnit struct {
	unit   string
	client uuid.UUID
}

type reader struct {
	professional string
	atUnit
}

// refused is whose refusals are counted together: one of the two is set.
type refused struct{ professional, certificate string }

type refusal struct {
	at     time.Time
	reason string
}

// NewScan looks for what is unusual in a time span, from inclusive, until exclusive. It has to be given each unit's first
// work (Working) for each client in the rules' work time after it, and then the rows of the span. A read of which that
// time is not over now is not judged yet.
func NewScan(rules Rules, from, until, now time.Time) *Scan {
	return &Scan{
		rules: rules, from: from, until: until, now: now,
		nextWork: map[atUnit]time.Time{}, reads: map[reader]*ReadsWithoutWork{},
		refusals: map[refused][]refusal{}, clients: map[string]map[uuid.UUID]bool{},
	}
}

// Worked takes in the first work of a unit for a client after the span.
func (s *Scan) Worked(f store.LogFact) { s.nextWork[atUnit{f.Unit, f.ClientID}] = f.Time }

// Take looks at the next older row.
func (s *Scan) Take(f store.LogFact) {
	if f.Outcome == store.OutcomeAllowed && f.ClientID != uuid.Nil && slices.Contains(working, f.Operation) {
		s.nextWork[atUnit{f.Unit, f.ClientID}] = f.Time
	}
	if f.Time.Before(s.from) || !f.Time.Before(s.until) {
		return
	}
	switch f.Outcome {
	case store.OutcomeAllowed:
		s.takeRead(f)
		s.takeClient(f)
	case store.OutcomeRefused:
		one := refusal{f.Time, f.Reason}
		for _, by := range []refused{{professional: f.Professional}, {certificate: f.CertificateThumbprint}} {
			if by != (refused{}) {
				s.refusals[by] = append(s.refusals[by], one)
			}
		}
	case store.OutcomeError:
	}
}

func (s *Scan) takeRead(f store.LogFact) {
	if f.Professional == "" || f.ClientID == uuid.Nil || !slices.Contains(reading, f.Operation) {
		return
	}
	due := f.Time.Add(s.rules.WorkTime())
	at := atUnit{f.Unit, f.ClientID}
	if worked, later := s.nextWork[at]; due.After(s.now) || later && !worked.After(due) {
		return
	}
	by := reader{f.Professional, at}
	found := s.reads[by]
	if found == nil {
		found = &ReadsWithoutWork{Professional: f.Professional, Unit: f.Unit, Client: f.ClientID, Last: f.Time}
		s.reads[by] = found
	}
	found.Reads++
	found.First = f.Time
}

func (s *Scan) takeClient(f store.LogFact) {
	if day := catalog.DayOf(f.Time); day != s.day {
		s.endDay()
		s.day = day
	}
	if f.Professional == "" || f.ClientID == uuid.Nil {
		return
	}
	if s.clients[f.Professional] == nil {
		s.clients[f.Professional] = map[uuid.UUID]bool{}
	}
	s.clients[f.Professional][f.ClientID] = true
}

func (s *Scan) endDay() {
	for professional, clients := range s.clients {
		if len(clients) >= s.rules.Clients {
			s.many = append(s.many, ManyClients{professional, s.day, len(clients)})
		}
	}
	clear(s.clients)
}

// Findings gives what was found, once all rows have been looked at.
func (s *Scan) Findings() Findings {
	s.endDay()
	f := Findings{ManyClients: s.many}
	for _, reads := range s.reads {
		f.ReadsWithoutWork = append(f.ReadsWithoutWork, *reads)
	}
	for by, refusals := range s.refusals {
		f.Bursts = append(f.Bursts, s.bursts(by, refusals)...)
	}
	f.sort()
	return f
}

// bursts gives the runs of refusals, newest first as they come, in which every one is among enough of them within the
// time. Two runs that share a refusal are one.
func (s *Scan) bursts(by refused, refusals []refusal) (found []Burst) {
	end := 0 // of the last run
	for i := 0; i+s.rules.Refusals <= len(refusals); i++ {
		last := i + s.rules.Refusals
		if refusals[i].at.Sub(refusals[last-1].at) > s.rules.Within {
			continue
		}
		if len(found) == 0 || i >= end {
			found = append(found, Burst{
				Professional: by.professional, Certificate: by.certificate, Last: refusals[i].at, Reasons: map[string]int{},
			})
			end = i
		}
		burst := &found[len(found)-1]
		for ; end < last; end++ {
			burst.Refusals++
			burst.First = refusals[end].at
			burst.Reasons[refusals[end].reason]++
		}
	}
	return found
}
