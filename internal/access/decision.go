// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import "time"

// Decision is the answer to a Request, with all that the use log and a refusal's message need.
type Decision struct {
	// Allowed is the answer. The zero Decision denies.
	Allowed bool
	// Reason tells why, also when allowed.
	Reason Reason
	// Detail narrows the reason: for ReasonGrantNotReady the eligibility reason of the grant.
	Detail string
	// Tasks are the service tasks that the caller may see of this client: the filter of a search.
	// Empty unless allowed.
	Tasks TaskSet
	// ShowsNonDisclosure tells that the caller gets documents under a non-disclosure for personal safety as they
	// were stored. False masks them; it is false unless allowed.
	ShowsNonDisclosure bool
	// RestsOn names the objects and revisions that the decision rests on.
	RestsOn RestsOn
	// ViewAge is how old the view was when it decided.
	ViewAge time.Duration
	// StartsAt is when the missing right begins, where the reason is one of time; else zero.
	StartsAt time.Time
	// EndedAt is when the missing right ended, where the reason is one of time; else zero.
	EndedAt time.Time
}

// RestsOn names the objects that a decision rests on, as far as the decision got.
// A zero Ref means that there was no such object, or that it was not looked at.
type RestsOn struct {
	// Registry is the client registry that was asked for.
	Registry Ref
	// Unit is the producer unit that asked.
	Unit Ref
	// Grant is the register access grant of the unit to the registry.
	Grant Ref
	// Relationship is the service relationship that opens the client's data, or that came nearest to it.
	Relationship Ref
}
