// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "time"

// Accepted tells whether the archive accepts the entry's certificate now.
func (e Entry) Accepted(now time.Time) bool {
	if now.Before(e.NotBefore) || !now.Before(e.NotAfter) {
		return false
	}
	switch e.State {
	case Active:
		return true
	case Superseded:
		return now.Before(e.AcceptUntil)
	}
	return false
}

// Live returns the entries that the archive accepts now.
func Live(entries []Entry, now time.Time) []Entry {
	var live []Entry
	for _, e := range entries {
		if e.Accepted(now) {
			live = append(live, e)
		}
	}
	return live
}

// Current returns the Active entry, if there is one.
func Current(entries []Entry) (Entry, bool) {
	for _, e := range entries {
		if e.State == Active {
			return e, true
		}
	}
	return Entry{}, false
}

// NextExpiry returns the first instant at which a credential that is live now
// stops being accepted if nothing is done. Zero = none is live.
func NextExpiry(entries []Entry, now time.Time) time.Time {
	var next time.Time
	for _, e := range Live(entries, now) {
		until := e.NotAfter
		if e.State == Superseded && e.AcceptUntil.Before(until) {
			until = e.AcceptUntil
		}
		if next.IsZero() || until.Before(next) {
			next = until
		}
	}
	return next
}
