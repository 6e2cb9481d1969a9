// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

// grantChain is what a register access grant needs, in the order in which a
// person is told of what is missing: the grant itself, the organizer, the unit
// and its producer, the systems, what is bought, and last what the two parties
// do together once all else is in place.
var grantChain = Chain[GrantInput]{
	notSuspended,             // the organizer has not suspended the grant
	registryKnown,            // the registry is in the grant's namespace
	registryAccepted,         // its claim on the controller OID is accepted
	inTrial,                  // in a deployment test's registry: it was made for the test, whose window is open
	onlyGrantOfPair,          // no older grant serves the same registry and unit
	organizerJoined,          // the organizer has joined and has not ended
	organizerRegistered,      // the organizer is registered for social care
	unitKnown,                // a ProducerUnit has the unit's OID
	unitAccepted,             // its claim on the OID is believed and not contested
	producerJoined,           // the producer has joined and has not ended
	organizerMainStands,      // a jointly connected organizer's main joiner stands
	producerMainStands,       // a jointly connected producer's main joiner stands
	producerRegistered,       // the producer is registered for social care
	organizerSystemKnown,     // the organizer's client system exists
	producerSystemKnown,      // the producer's client system exists
	organizerSystemCertified, // the organizer's client system is certified now
	producerSystemCertified,  // the producer's client system is certified now
	organizerSystemFeatured,  // ... and has the features that the extent needs
	producerSystemFeatured,   // ... and so has the producer's
	formatsCompatible,        // each system writes a format that the other reads
	unitRegisteredForBought,  // the unit is registered for something of what is bought
	socialCareBought,         // ... and social care is among it
	agreementInForce,         // the agreement, when given, is in force now
	deploymentTested,         // the combination of systems has passed a deployment test
	acceptedByUnit,           // the unit accepts the organizer, or the time of the deployment test
}

// EvaluateGrant says whether a grant has every prerequisite now.
func EvaluateGrant(in *GrantInput) Verdict {
	return grantChain.Evaluate(in, ReasonEligible, "Every prerequisite of the register access grant is met.")
}
