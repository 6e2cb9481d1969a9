// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "fmt"

func organizerJoined(in *GrantInput) Result {
	if in.Organizer == nil {
		return fails(ReasonOrganizerNotJoined, fmt.Sprintf("The organizer %s of %s has not joined: no Organization has that OID. "+
			"The platform team must add it, or the organizer must correct the Registry.", orNone(in.Registry.OrganizationOID), in.Registry.label()))
	}
	return as(hasJoined(&standingInput{org: in.Organizer, now: in.Now}), map[string]string{
		ReasonNotYetJoined: ReasonOrganizerNotJoined,
		ReasonEnded:        ReasonOrganizerEnded,
	})
}

func organizerMainStands(in *GrantInput) Result {
	return mainOf(in.Organizer, in.OrganizerMain, in)
}

func organizerRegistered(in *GrantInput) Result {
	return registeredForSocial(in.Organizer, ReasonOrganizerNotRegistered)
}

func producerJoined(in *GrantInput) Result {
	if in.Producer == nil {
		return fails(ReasonProducerNotJoined, fmt.Sprintf("The producer %s of %s has not joined: no Organization has that OID. "+
			"The platform team must add it, or the producer must correct the ProducerUnit.", orNone(in.Unit.OrganizationOID), in.Unit.label()))
	}
	return as(hasJoined(&standingInput{org: in.Producer, now: in.Now}), map[string]string{
		ReasonNotYetJoined: ReasonProducerNotJoined,
		ReasonEnded:        ReasonProducerEnded,
	})
}

func producerMainStands(in *GrantInput) Result {
	return mainOf(in.Producer, in.ProducerMain, in)
}

func producerRegistered(in *GrantInput) Result {
	return registeredForSocial(in.Producer, ReasonProducerNotRegistered)
}

func registeredForSocial(org *Organization, reason string) Result {
	if org.Social {
		return holds()
	}
	// Being registered for health care does not count: a producer may sell only
	// what it is registered for.
	return fails(reason, fmt.Sprintf("Organization %s is not registered for social care. "+
		"It must register, and the platform team must record it.", org.label()))
}

func mainOf(org, main *Organization, in *GrantInput) Result {
	r := mainStands(&standingInput{org: org, main: main, now: in.Now})
	if r.Reason != "" {
		r.Reason = ReasonMainJoinerNotStanding
	}
	return r
}

// as renames the reason of a violation to say whose it is.
func as(r Result, reasons map[string]string) Result {
	r.Reason = reasons[r.Reason]
	return r
}
