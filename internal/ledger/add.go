// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// Add returns the ledger to write for StepIssue and StepReissue: Ledger and an
// entry for what was issued. The entry is Issuing; with the unit's own key it is
// Active at once, for the certificate goes to the status in the same write.
func (s Step) Add(issued Issued) []Entry {
	id := issued.ID
	if id == "" {
		id = entryID(s.ownerUID, issued.Fingerprint)
	}
	notBefore, notAfter := whole(issued.NotBefore), whole(issued.NotAfter)
	entry := Entry{
		ID:              id,
		State:           Issuing,
		Fingerprint:     issued.Fingerprint,
		NotBefore:       notBefore,
		NotAfter:        notAfter,
		RenewAt:         RenewAt(s.ownerUID, id, later(whole(s.now), notBefore), notAfter),
		SecretNamespace: issued.SecretNamespace,
		SecretName:      issued.SecretName,
		PublicKeyHash:   issued.PublicKeyHash,
		Certificate:     issued.Certificate,
		Authority:       issued.Authority,
	}
	entries := append(slices.Clone(s.Ledger), entry)
	if entry.PublicKeyHash != "" {
		entries = activate(entries, id, s.policy, s.now)
	}
	return bounded(entries)
}

// activate makes one entry Active and supersedes the one that was. A superseded
// entry that would not be accepted any more is dropped at once.
func activate(entries []Entry, id string, policy Policy, now time.Time) []Entry {
	out := make([]Entry, 0, len(entries))
	for _, e := range entries {
		switch {
		case e.ID == id:
			e.State = Active
		case e.State == Active:
			e.State = Superseded
			e.AcceptUntil = sooner(e.NotAfter, whole(now.Add(policy.Overlap)))
		}
		out = append(out, e)
	}
	return pruned(out, now)
}

// pruned drops the superseded entries that have run out.
func pruned(entries []Entry, now time.Time) []Entry {
	var out []Entry
	for _, e := range entries {
		if e.State == Superseded && (!now.Before(e.AcceptUntil) || !now.Before(e.NotAfter)) {
			continue
		}
		out = append(out, e)
	}
	return out
}

// bounded drops the oldest superseded entries of a ledger that has grown past
// MaxEntries, which only a clock that keeps stepping back can bring about.
func bounded(entries []Entry) []Entry {
	for len(entries) > MaxEntries {
		i := slices.IndexFunc(entries, func(e Entry) bool { return e.State == Superseded })
		if i < 0 {
			break
		}
		entries = slices.Delete(entries, i, i+1)
	}
	return entries
}

// entryID is deterministic, so that writing the same entry twice is one entry.
func entryID(ownerUID, fingerprint string) string {
	sum := sha256.Sum256([]byte(ownerUID + "\x00" + fingerprint))
	return hex.EncodeToString(sum[:8])
}

// whole drops what a status and a certificate cannot keep.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
