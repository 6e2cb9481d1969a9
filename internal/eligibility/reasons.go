// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

// Reasons of positive verdicts.
const (
	// ReasonEligible surfaces when a grant has every prerequisite.
	ReasonEligible = "Eligible"
	// ReasonAccepted surfaces when a relationship has every prerequisite.
	ReasonAccepted = "Accepted"
	// ReasonStanding surfaces when an organization has joined and stands.
	ReasonStanding = "Standing"
)

// Reasons that both chains use.
const (
	// ReasonRegistryNotFound surfaces when the registry is not in the namespace.
	ReasonRegistryNotFound = "RegistryNotFound"
	// ReasonRegistryNotAccepted surfaces when the registry's own claim is not accepted.
	ReasonRegistryNotAccepted = "RegistryNotAccepted"
	// ReasonUnitUnknown surfaces when no ProducerUnit has the unit's OID yet.
	ReasonUnitUnknown = "UnitUnknown"
	// ReasonUnitNotAccepted surfaces when the unit's claim on its OID is contested or not believed.
	ReasonUnitNotAccepted = "UnitNotAccepted"
	// ReasonUnitNotManaged surfaces when the unit is in a namespace that the manager does not work in.
	ReasonUnitNotManaged = "UnitNotManaged"
	// ReasonTaskNotRegistered surfaces when the unit is not registered for what is bought or given.
	ReasonTaskNotRegistered = "TaskNotRegistered"
)

// Reasons of the grant chain.
const (
	// ReasonSuspended surfaces when the organizer has suspended the grant.
	ReasonSuspended = "Suspended"
	// ReasonGrantConflict surfaces when an older grant serves the same registry and unit.
	ReasonGrantConflict = "GrantConflict"
	// ReasonOrganizerNotJoined surfaces when the organizer is unknown or has not joined yet.
	ReasonOrganizerNotJoined = "OrganizerNotJoined"
	// ReasonOrganizerEnded surfaces when the organizer has ended.
	ReasonOrganizerEnded = "OrganizerEnded"
	// ReasonOrganizerNotRegistered surfaces when the organizer is not registered for social care.
	ReasonOrganizerNotRegistered = "OrganizerNotRegistered"
	// ReasonProducerNotJoined surfaces when the producer is unknown or has not joined yet.
	ReasonProducerNotJoined = "ProducerNotJoined"
	// ReasonProducerEnded surfaces when the producer has ended.
	ReasonProducerEnded = "ProducerEnded"
	// ReasonMainJoinerNotStanding surfaces when the main joiner of either side does not stand.
	ReasonMainJoinerNotStanding = "MainJoinerNotStanding"
	// ReasonProducerNotRegistered surfaces when the producer is not registered for social care.
	ReasonProducerNotRegistered = "ProducerNotRegistered"

	// ReasonOrganizerSystemUnknown surfaces when the registry's client system does not exist.
	ReasonOrganizerSystemUnknown = "OrganizerSystemUnknown"
	// ReasonOrganizerSystemNotCertified surfaces when the organizer's system has no certificate in force yet.
	ReasonOrganizerSystemNotCertified = "OrganizerSystemNotCertified"
	// ReasonOrganizerSystemExpired surfaces when the certificate of the organizer's system has expired.
	ReasonOrganizerSystemExpired = "OrganizerSystemExpired"
	// ReasonOrganizerSystemLacksFeature surfaces when the organizer's system lacks a feature the extent needs.
	ReasonOrganizerSystemLacksFeature = "OrganizerSystemLacksFeature"
	// ReasonProducerSystemUnknown surfaces when the unit's client system does not exist.
	ReasonProducerSystemUnknown = "ProducerSystemUnknown"
	// ReasonProducerSystemNotCertified surfaces when the producer's system has no certificate in force yet.
	ReasonProducerSystemNotCertified = "ProducerSystemNotCertified"
	// ReasonProducerSystemExpired surfaces when the certificate of the producer's system has expired.
	ReasonProducerSystemExpired = "ProducerSystemExpired"
	// ReasonProducerSystemLacksFeature surfaces when the producer's system lacks a feature the extent needs.
	ReasonProducerSystemLacksFeature = "ProducerSystemLacksFeature"
	// ReasonFormatsIncompatible surfaces when the two systems share no document format.
	ReasonFormatsIncompatible = "FormatsIncompatible"

	// ReasonSocialCareNotBought surfaces when the agreement buys health care only.
	ReasonSocialCareNotBought = "SocialCareNotBought"
	// ReasonAgreementNotYetValid surfaces before the agreement's first instant.
	ReasonAgreementNotYetValid = "AgreementNotYetValid"
	// ReasonAgreementExpired surfaces from the agreement's end.
	ReasonAgreementExpired = "AgreementExpired"
	// ReasonDeploymentTestMissing surfaces when the combination of systems has no passed deployment test and the registry enforces it.
	ReasonDeploymentTestMissing = "DeploymentTestMissing"
	// ReasonTestNotOpen surfaces in a deployment test's registry before the test's window opens.
	ReasonTestNotOpen = "TestNotOpen"
	// ReasonTestClosed surfaces in a deployment test's registry when the test's window has closed.
	ReasonTestClosed = "TestClosed"
	// ReasonNotOfTest surfaces in a deployment test's registry when the grant was not made for the test.
	ReasonNotOfTest = "NotOfTest"
	// ReasonNotAcceptedByUnit surfaces when the unit does not accept the organizer, or the time of a deployment test.
	ReasonNotAcceptedByUnit = "NotAcceptedByUnit"
)

// Reasons of the relationship chain.
const (
	// ReasonEndBeforeStart surfaces when a relationship ends before it starts.
	ReasonEndBeforeStart = "EndBeforeStart"
	// ReasonTaskNotBought surfaces when a service task is outside the grant's agreement.
	ReasonTaskNotBought = "TaskNotBought"
	// ReasonOverlap surfaces when another relationship already covers the client, unit, task and period.
	ReasonOverlap = "Overlap"
	// ReasonGrantMissing surfaces when there is no grant and the registry does not make grants by itself.
	ReasonGrantMissing = "GrantMissing"
)

// Reasons of an organization's standing.
const (
	// ReasonNotYetJoined surfaces before the organization has joined.
	ReasonNotYetJoined = "NotYetJoined"
	// ReasonEnded surfaces from the organization's end.
	ReasonEnded = "Ended"
	// ReasonMainJoinerMissing surfaces when the main joiner does not exist.
	ReasonMainJoinerMissing = "MainJoinerMissing"
	// ReasonMainJoinerNotYetJoined surfaces before the main joiner has joined.
	ReasonMainJoinerNotYetJoined = "MainJoinerNotYetJoined"
	// ReasonMainJoinerEnded surfaces from the main joiner's end.
	ReasonMainJoinerEnded = "MainJoinerEnded"
	// ReasonMainJoinerNotDirect surfaces when the main joiner has itself joined through another.
	ReasonMainJoinerNotDirect = "MainJoinerNotDirect"
)

// refusals are the reasons that stay until a person changes the object itself or
// takes back a deliberate act. All others wait for time or for another party.
var refusals = map[string]bool{
	ReasonSuspended:           true,
	ReasonGrantConflict:       true,
	ReasonOrganizerEnded:      true,
	ReasonProducerEnded:       true,
	ReasonAgreementExpired:    true,
	ReasonSocialCareNotBought: true,
	ReasonTestClosed:          true,
	ReasonNotOfTest:           true,
	ReasonEndBeforeStart:      true,
	ReasonTaskNotBought:       true,
	ReasonOverlap:             true,
	ReasonEnded:               true,
	ReasonMainJoinerEnded:     true,
	ReasonMainJoinerNotDirect: true,
}

// Waits tells whether a negative verdict with this reason waits for something
// outside the object (kstatus Reconciling) rather than refuses it until it is
// changed (kstatus Stalled).
func Waits(reason string) bool {
	switch reason {
	case "", ReasonEligible, ReasonAccepted, ReasonStanding:
		return false
	}
	return !refusals[reason]
}
