// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// ledger is the kept lines of a ledger. It holds a handful, so that a scan is the fastest look-up.
type ledger []line

// line is one of them, small enough for one line of memory.
type line struct {
	fingerprint access.Fingerprint
	notBefore   instant
	notAfter    instant
	acceptUntil instant
}

// newLedger copies the lines that a certificate can match.
func newLedger(lines []Credential) ledger {
	var kept ledger
	for _, line := range lines {
		if !line.Fingerprint.IsZero() {
			kept = append(kept, newLine(line))
		}
	}
	return kept
}

func newLine(c Credential) line {
	return line{c.Fingerprint, newInstant(c.NotBefore), newInstant(c.NotAfter), newInstant(c.AcceptUntil)}
}

// find looks a certificate up.
func (l ledger) find(fingerprint access.Fingerprint) (access.Credential, bool) {
	for i := range l {
		if l[i].fingerprint == fingerprint {
			return access.Credential{
				NotBefore: l[i].notBefore.time(), NotAfter: l[i].notAfter.time(), AcceptUntil: l[i].acceptUntil.time(),
			}, true
		}
	}
	return access.Credential{}, false
}

// loses tells whether a certificate is worth less in the next ledger than in this one.
func (l ledger) loses(next ledger) bool {
	for _, line := range l {
		now, _ := l.find(line.fingerprint)
		then, ok := next.find(line.fingerprint)
		if !ok || then.NotBefore.After(now.NotBefore) || then.NotAfter.Before(now.NotAfter) ||
			endsSooner(now.AcceptUntil, then.AcceptUntil) {
			return true
		}
	}
	return false
}

// endsSooner tells whether the next end is before the last one; zero is open.
func endsSooner(last, next time.Time) bool {
	return !next.IsZero() && (last.IsZero() || next.Before(last))
}

// startsLater tells whether the next start is after the last one; zero is open.
func startsLater(last, next time.Time) bool {
	return !next.IsZero() && (last.IsZero() || next.After(last))
}
