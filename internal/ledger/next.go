// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"time"
)

// Next decides the single next step. The same arguments always give the same
// step, so a restart repeats nothing.
func Next(entries []Entry, observed Observed, policy Policy, ownerUID string, now time.Time) Step {
	step := Step{Ledger: pruned(entries, now), ownerUID: ownerUID, policy: policy, now: now}
	if cause, rest, ok := toRevoke(entries, step.Ledger, observed); ok {
		step.Action, step.Cause, step.Ledger = StepRevoke, cause, rest
		return step
	}
	if observed.PublicKeyHash == "" && observed.SecretForeign {
		step.Action = StepConflict
		return step
	}
	if i := find(step.Ledger, Issuing); i >= 0 {
		return step.finish(i, observed)
	}
	return step.keep(len(entries))
}

// finish brings an Issuing entry on its way to Active.
func (s Step) finish(i int, observed Observed) Step {
	entry := s.Ledger[i]
	s.EntryID = entry.ID
	switch {
	case observed.SecretFingerprint == entry.Fingerprint:
		// Even when it is due for renewal: the ledger first says what the Secret holds.
		s.Action, s.Ledger = StepActivate, activate(s.Ledger, entry.ID, s.policy, s.now)
	case observed.HeldFingerprint == entry.Fingerprint && !s.due(entry):
		s.Action = StepDeliver
	default:
		s.Ledger = slices.Delete(s.Ledger, i, i+1) // pruned made it ours
		s = s.issue(StepReissue)
	}
	return s
}

// keep looks after a ledger with nothing on its way. Before is the length of the
// ledger as it is persisted.
func (s Step) keep(before int) Step {
	i := find(s.Ledger, Active)
	switch {
	case i < 0 || s.due(s.Ledger[i]):
		return s.issue(StepIssue)
	case len(s.Ledger) != before:
		s.Action = StepPrune
	default:
		s.Action = StepNone
		s.WakeAt = s.Ledger[i].RenewAt
		for _, e := range s.Ledger {
			if e.State == Superseded {
				s.WakeAt = sooner(s.WakeAt, sooner(e.AcceptUntil, e.NotAfter))
			}
		}
	}
	return s
}

func (s Step) issue(action Action) Step {
	s.Action = action
	s.NotBefore, s.NotAfter = whole(s.now.Add(-s.policy.Backdate)), whole(s.now.Add(s.policy.Lifetime))
	if until := whole(s.policy.Until); !s.policy.Until.IsZero() && until.Before(s.NotAfter) {
		s.NotAfter = until
	}
	return s
}

// skew is how far an issuer's clock may be ahead of ours. Without it, an issuer
// that does not backdate would be asked again and again.
const skew = time.Minute

// due tells whether an entry must be replaced: its renewal point or its end has
// come, the clock has stepped back to well before its validity, or its authority is trusted no more.
func (s Step) due(e Entry) bool {
	return !s.now.Before(e.RenewAt) || !s.now.Before(e.NotAfter) || s.now.Before(e.NotBefore.Add(-skew)) || s.orphaned(e)
}

// orphaned tells whether an entry's authority is known and not trusted.
func (s Step) orphaned(e Entry) bool {
	return e.Authority != "" && len(s.policy.Authorities) > 0 && !slices.Contains(s.policy.Authorities, e.Authority)
}

func find(entries []Entry, state State) int {
	return slices.IndexFunc(entries, func(e Entry) bool { return e.State == state })
}
