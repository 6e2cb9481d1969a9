// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "time"

// Standing says whether an organization has joined and stands now: joined, not
// ended and, when it joined through a main joiner, the main joiner exists, stands
// and is itself direct. Main is nil when the main joiner does not exist or the
// organization is direct.
func Standing(org, main *Organization, now time.Time) Verdict {
	in := &standingInput{org: org, main: main, now: now}
	return standingChain.Evaluate(in, ReasonStanding, "The organization has joined and stands.")
}

type standingInput struct {
	org, main *Organization
	now       time.Time
}

var standingChain = Chain[standingInput]{
	hasJoined,  // the organization has joined and has not ended
	mainStands, // a co-joiner stands while its main joiner stands
}
