// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

// relationshipChain is what the acceptance of a service relationship needs.
// What the object says by itself comes before what it waits for.
var relationshipChain = Chain[RelationshipInput]{
	relationshipRegistryKnown,    // the registry is in the relationship's namespace
	relationshipRegistryAccepted, // its claim on the controller OID is accepted
	endNotBeforeStart,            // the relationship does not end before it starts
	relationshipUnitKnown,        // a ProducerUnit has the unit's OID
	relationshipUnitAccepted,     // its claim on the OID is believed and not contested
	unitRegisteredForTasks,       // the unit is registered for each service task
	tasksBought,                  // each service task is among those the grant's agreement lists
	noOverlap,                    // no other accepted relationship covers the same client, unit, task and time
	grantExistsOrAutomatic,       // a grant exists, or the registry makes one by itself
}

// EvaluateRelationship says whether a relationship can be accepted. The verdict
// does not depend on time.
func EvaluateRelationship(in *RelationshipInput) Verdict {
	return relationshipChain.Evaluate(in, ReasonAccepted, "The service relationship is accepted.")
}
