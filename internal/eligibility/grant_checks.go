// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "fmt"

func notSuspended(in *GrantInput) Result {
	if !in.Grant.Suspended {
		return holds()
	}
	return fails(ReasonSuspended, "The organizer has suspended this grant. "+
		"It opens nothing until the organizer sets spec.suspend to false.")
}

func registryKnown(in *GrantInput) Result { return checkRegistryKnown(in.Registry, in.Grant.Registry) }

func registryAccepted(in *GrantInput) Result { return checkRegistryAccepted(in.Registry) }

func onlyGrantOfPair(in *GrantInput) Result {
	if in.OlderGrant == "" {
		return holds()
	}
	return fails(ReasonGrantConflict, fmt.Sprintf("RegistryAccessGrant %s is older and serves the same registry and unit %s. "+
		"The organizer must delete one of the two.", in.OlderGrant, in.Grant.UnitOID))
}

func unitKnown(in *GrantInput) Result { return checkUnitKnown(in.Unit, in.Grant.UnitOID) }

func unitAccepted(in *GrantInput) Result { return checkUnitAccepted(in.Unit) }

func acceptedByUnit(in *GrantInput) Result {
	if in.Registry.Trial != nil {
		return trialAccepted(in)
	}
	oid := in.Registry.OrganizationOID
	if contains(in.Unit.AcceptFrom, oid) {
		return holds()
	}
	return fails(ReasonNotAcceptedByUnit, fmt.Sprintf("%s does not accept the organizer %s. "+
		"The producer must add %s to spec.acceptFrom of ProducerUnit %s.",
		in.Unit.label(), in.Organizer.label(), oid, in.Unit.Name))
}
