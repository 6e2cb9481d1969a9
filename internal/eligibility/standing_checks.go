// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "fmt"

func hasJoined(in *standingInput) Result {
	org := in.org
	if org.Joined.IsZero() {
		return fails(ReasonNotYetJoined, fmt.Sprintf("Organization %s has not joined. "+
			"The platform team must record when it joined.", org.label()))
	}
	p, r := locate(in.now, org.Joined, org.Ended)
	switch p {
	case before:
		return r.violated(ReasonNotYetJoined, fmt.Sprintf("Organization %s joins at %s. "+
			"Nothing needs to be done before that.", org.label(), instant(org.Joined)))
	case after:
		return r.violated(ReasonEnded, fmt.Sprintf("Organization %s ended at %s. "+
			"If that is wrong, the platform team must correct its end.", org.label(), instant(org.Ended)))
	}
	return r
}

func mainStands(in *standingInput) Result {
	if !in.org.Joint {
		return holds()
	}
	org, main := in.org.label(), in.main
	switch {
	case main == nil:
		return fails(ReasonMainJoinerMissing, fmt.Sprintf("Organization %s joined through the main joiner %s, which does not exist. "+
			"The platform team must add that Organization or correct the main joiner.", org, orNone(in.org.MainJoiner)))
	case main.Joint:
		return fails(ReasonMainJoinerNotDirect, fmt.Sprintf("Organization %s joined through %s, which has itself joined through another. "+
			"The platform team must name a main joiner that has joined directly.", org, main.label()))
	case main.Joined.IsZero():
		return fails(ReasonMainJoinerNotYetJoined, fmt.Sprintf("Organization %s joined through %s, which has not joined. "+
			"The platform team must record when the main joiner joined.", org, main.label()))
	}
	p, r := locate(in.now, main.Joined, main.Ended)
	switch p {
	case before:
		return r.violated(ReasonMainJoinerNotYetJoined, fmt.Sprintf("Organization %s joined through %s, which joins at %s. "+
			"Nothing needs to be done before that.", org, main.label(), instant(main.Joined)))
	case after:
		return r.violated(ReasonMainJoinerEnded, fmt.Sprintf("Organization %s joined through %s, which ended at %s. "+
			"The organization must join directly or through a main joiner that stands.", org, main.label(), instant(main.Ended)))
	}
	return r
}
