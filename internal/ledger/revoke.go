// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

// Revoke returns the ledger of an owner that has lost its right: empty, without grace.
func Revoke([]Entry) []Entry { return nil }

// toRevoke tells whether entries must go at once, why, and what stays. Pruned is
// the ledger without what has run out.
func toRevoke(entries, pruned []Entry, observed Observed) (cause string, rest []Entry, ok bool) {
	if malformed(entries) {
		return CauseMalformed, nil, true
	}
	for _, e := range pruned {
		if e.PublicKeyHash == observed.PublicKeyHash {
			rest = append(rest, e)
		}
	}
	if len(rest) != len(pruned) {
		return CauseKeyChanged, rest, true
	}
	if observed.PublicKeyHash != "" || len(pruned) == 0 {
		return "", nil, false
	}
	if observed.SecretForeign {
		return CauseSecretForeign, nil, true
	}
	if find(pruned, Active) >= 0 && !secretHoldsOurs(pruned, observed.SecretFingerprint) {
		return CauseSecretGone, nil, true
	}
	return "", nil, false
}

// secretHoldsOurs tells whether the Secret holds the Active entry's certificate,
// or the Issuing one's that is about to take its place. A Superseded one does not
// count: a Secret put back from a copy is not what we wrote last.
func secretHoldsOurs(entries []Entry, fingerprint string) bool {
	for _, e := range entries {
		if e.State != Superseded && e.Fingerprint == fingerprint {
			return true
		}
	}
	return false
}

// malformed tells whether a ledger breaks its own rules. We never write such a
// ledger, so another hand did, and nothing in it can be believed.
func malformed(entries []Entry) bool {
	seen := map[string]bool{}
	count := map[State]int{}
	for _, e := range entries {
		if e.ID == "" || e.Fingerprint == "" || seen[e.ID] || seen[e.Fingerprint] {
			return true
		}
		seen[e.ID], seen[e.Fingerprint] = true, true
		count[e.State]++
	}
	return count[Issuing] > 1 || count[Active] > 1 ||
		count[Issuing]+count[Active]+count[Superseded] != len(entries)
}
