// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "fmt"

func relationshipRegistryKnown(in *RelationshipInput) Result {
	return checkRegistryKnown(in.Registry, in.Relationship.Registry)
}

func relationshipRegistryAccepted(in *RelationshipInput) Result {
	return checkRegistryAccepted(in.Registry)
}

func endNotBeforeStart(in *RelationshipInput) Result {
	r := in.Relationship
	if r.End.IsZero() || !r.End.Before(r.Start) {
		return holds()
	}
	return fails(ReasonEndBeforeStart, fmt.Sprintf("The relationship ends at %s, before it starts at %s. "+
		"The organizer must correct one of the two.", instant(r.End), instant(r.Start)))
}

func relationshipUnitKnown(in *RelationshipInput) Result {
	return checkUnitKnown(in.Unit, in.Relationship.UnitOID)
}

func relationshipUnitAccepted(in *RelationshipInput) Result { return checkUnitAccepted(in.Unit) }

func unitRegisteredForTasks(in *RelationshipInput) Result {
	missing := without(in.Relationship.ServiceTasks, in.Unit.ServiceTasks)
	if len(missing) == 0 {
		return holds()
	}
	return fails(ReasonTaskNotRegistered, fmt.Sprintf("%s is not registered for the service tasks: %s. "+
		"The producer must register the unit for them, or the organizer must correct the relationship.",
		in.Unit.label(), list(missing)))
}

func tasksBought(in *RelationshipInput) Result {
	if in.Grant == nil || in.Grant.Agreement == nil || len(in.Grant.Agreement.Tasks) == 0 {
		return holds()
	}
	a := in.Grant.Agreement
	missing := without(in.Relationship.ServiceTasks, a.Tasks)
	if len(missing) == 0 {
		return holds()
	}
	return fails(ReasonTaskNotBought, fmt.Sprintf("Agreement %s of RegistryAccessGrant %s does not buy the service tasks: %s. "+
		"The organizer must correct the relationship or the agreement.",
		orNone(a.Reference), in.Grant.Name, list(missing)))
}

// noOverlap names the oldest relationship that stands in the way, so that the
// message does not depend on the order of a list.
func noOverlap(in *RelationshipInput) Result {
	var blocking *Relationship
	for i := range in.Others {
		other := &in.Others[i]
		if blocks(other, &in.Relationship) && (blocking == nil || older(other, blocking)) {
			blocking = other
		}
	}
	if blocking == nil {
		return holds()
	}
	return fails(ReasonOverlap, fmt.Sprintf("ServiceRelationship %s already covers this client in unit %s at the same time for a common service task. "+
		"The organizer must end one of the two, or correct its period or service tasks.",
		blocking.Name, in.Relationship.UnitOID))
}

// blocks tells whether an accepted relationship keeps another from being accepted.
// Who was accepted first stays; if a race let both in, the older one stays.
func blocks(other, r *Relationship) bool {
	return other.Name != r.Name &&
		other.Accepted && (!r.Accepted || older(other, r)) &&
		other.ClientID == r.ClientID &&
		other.UnitOID == r.UnitOID &&
		intersects(other.ServiceTasks, r.ServiceTasks) &&
		overlap(other.Start, other.End, r.Start, r.End)
}

// older orders relationships; creation has whole seconds, so names break ties.
func older(a, b *Relationship) bool {
	if !a.Created.Equal(b.Created) {
		return a.Created.Before(b.Created)
	}
	return a.Name < b.Name
}

func grantExistsOrAutomatic(in *RelationshipInput) Result {
	if in.Grant != nil || in.Registry.AutomaticGrants {
		return holds()
	}
	return fails(ReasonGrantMissing, fmt.Sprintf("No RegistryAccessGrant for unit %s exists, and %s does not make grants by itself. "+
		"The organizer must create the grant, or allow automatic grants in the Registry.",
		in.Relationship.UnitOID, in.Registry.label()))
}
