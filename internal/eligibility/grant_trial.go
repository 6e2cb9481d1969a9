// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "fmt"

// inTrial keeps all but the test's own grant out of a deployment test's registry, and that one to its window.
func inTrial(in *GrantInput) Result {
	t := in.Registry.Trial
	if t == nil {
		return holds()
	}
	if !in.Grant.OfTrial || in.Grant.UnitOID != t.UnitOID {
		return fails(ReasonNotOfTest, fmt.Sprintf("%s was made for DeploymentTest %s with unit %s: only the grant that was made for the test opens it. "+
			"The organizer must delete this grant.", in.Registry.label(), t.Name, t.UnitOID))
	}
	p, r := locate(in.Now, t.StartsAt, t.ClosesAt)
	switch p {
	case before:
		return r.violated(ReasonTestNotOpen, fmt.Sprintf("The window of DeploymentTest %s opens at %s. "+
			"Nothing needs to be done before that.", t.Name, instant(t.StartsAt)))
	case after:
		return r.violated(ReasonTestClosed, fmt.Sprintf("The window of DeploymentTest %s closed at %s. "+
			"The organizer must make another test, or have extended this one before that.", t.Name, instant(t.ClosesAt)))
	}
	return r
}

// trialAccepted asks for the unit's word on the test, its time and how long it takes: it stands in for its word on the organizer.
func trialAccepted(in *GrantInput) Result {
	t := in.Registry.Trial
	if t.Simulated {
		return holds()
	}
	for _, accepted := range in.Unit.AcceptTests {
		if accepted.TestRegistryOID == in.Registry.OID && accepted.RegistryOID == t.RegistryOID &&
			accepted.StartsAt.Equal(t.StartsAt) && !accepted.ClosesAt.Before(t.ClosesAt) {
			return holds()
		}
	}
	return fails(ReasonNotAcceptedByUnit, fmt.Sprintf("%s does not accept the time of DeploymentTest %s. "+
		"The producer must add {registryOID: %s, testRegistryOID: %s, startsAt: %q, closesAt: %q} to spec.acceptTests of ProducerUnit %s.",
		in.Unit.label(), t.Name, t.RegistryOID, in.Registry.OID, instant(t.StartsAt), instant(t.ClosesAt), in.Unit.Name))
}
