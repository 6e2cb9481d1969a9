// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "time"

// Action is what a controller does next.
type Action string

// The actions.
const (
	// StepNone: nothing to do before WakeAt.
	StepNone Action = "None"
	// StepIssue: make a key and a certificate valid from NotBefore to NotAfter in
	// memory, and write Step.Add(issued) to the status.
	StepIssue Action = "Issue"
	// StepReissue: as StepIssue; an Issuing entry whose key is lost is replaced.
	StepReissue Action = "Reissue"
	// StepDeliver: write the held key and certificate of EntryID to the Secret,
	// then forget the key whatever the outcome.
	StepDeliver Action = "Deliver"
	// StepActivate: the Secret holds EntryID; write Ledger to the status.
	StepActivate Action = "Activate"
	// StepRevoke: write Ledger to the status; see Cause.
	StepRevoke Action = "Revoke"
	// StepPrune: write Ledger to the status; superseded entries have run out.
	StepPrune Action = "Prune"
	// StepConflict: a foreign Secret has our name. Write nothing but a condition.
	StepConflict Action = "Conflict"
)

// Causes of StepRevoke.
const (
	// CauseSecretGone: the Secret of the active entry is gone or holds something else.
	CauseSecretGone = "SecretGone"
	// CauseSecretForeign: a Secret that is not ours has taken the place of ours.
	CauseSecretForeign = "SecretForeign"
	// CauseKeyChanged: the unit's own key changed, or the way of delivery did.
	CauseKeyChanged = "KeyChanged"
	// CauseMalformed: the ledger breaks its own rules.
	CauseMalformed = "Malformed"
)

// Step is the single next thing to do.
type Step struct {
	Action  Action
	Cause   string // of StepRevoke
	EntryID string // the entry concerned; of StepDeliver, StepActivate and StepReissue (the one replaced)

	// Ledger is the ledger after this step. For StepIssue and StepReissue it lacks
	// the new entry: use Add.
	Ledger []Entry

	// NotBefore and NotAfter are the validity to issue with; of StepIssue and StepReissue.
	NotBefore, NotAfter time.Time

	// WakeAt is when time alone makes another step due; of StepNone. Zero = never.
	WakeAt time.Time

	ownerUID string
	policy   Policy
	now      time.Time
}

// WritesStatus tells whether the step writes the ledger to the status.
func (s Step) WritesStatus() bool {
	switch s.Action {
	case StepIssue, StepReissue, StepActivate, StepRevoke, StepPrune:
		return true
	}
	return false
}
