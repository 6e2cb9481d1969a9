// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// ledger is the kept lines of a ledger: hardly ever more than the current certificate and the one before it.
// The first is at hand, so that finding it costs no trip through memory.
type ledger struct {
	first line
	more  []line
}

// line is one of them, small enough for one line of memory.
type line struct {
	fingerprint access.Fingerprint
	notBefore   instant
	notAfter    instant
	acceptUntil instant
}

// newLedger copies the lines that a certificate can match.
func newLedger(credentials []Credential) ledger {
	var kept ledger
	for _, c := range credentials {
		switch {
		case c.Fingerprint.IsZero():
		case kept.first.fingerprint.IsZero():
			kept.first = newLine(c)
		default:
			kept.more = append(kept.more, newLine(c))
		}
	}
	return kept
}

func newLine(c Credential) line {
	return line{c.Fingerprint, newInstant(c.NotBefore), newInstant(c.NotAfter), newInstant(c.AcceptUntil)}
}

func (l *line) credential() access.Credential {
	return access.Credential{
		NotBefore: l.notBefore.time(), NotAfter: l.notAfter.time(), AcceptUntil: l.acceptUntil.time(),
	}
}

// find looks a certificate up.
func (l *ledger) find(fingerprint access.Fingerprint) (access.Credential, bool) {
	if fingerprint.IsZero() {
		return access.Credential{}, false
	}
	if l.first.fingerprint == fingerprint {
		return l.first.credential(), true
	}
	for i := range l.more {
		if l.more[i].fingerprint == fingerprint {
			return l.more[i].credential(), true
		}
	}
	return access.Credential{}, false
}

// loses tells whether a certificate is worth less in the next ledger than in this one.
func (l *ledger) loses(next *ledger) bool {
	if l.first.fingerprint.IsZero() {
		return false
	}
	return l.first.loses(next) || slices.ContainsFunc(l.more, func(more line) bool { return more.loses(next) })
}

func (l *line) loses(next *ledger) bool {
	then, ok := next.find(l.fingerprint)
	now := l.credential()
	return !ok || then.NotBefore.After(now.NotBefore) || then.NotAfter.Before(now.NotAfter) ||
		endsSooner(now.AcceptUntil, then.AcceptUntil)
}

// endsSooner tells whether the next end is before the last one; zero is open.
func endsSooner(last, next time.Time) bool {
	return !next.IsZero() && (last.IsZero() || next.Before(last))
}

// startsLater tells whether the next start is after the last one; zero is open.
func startsLater(last, next time.Time) bool {
	return !next.IsZero() && (last.IsZero() || next.After(last))
}
