// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"testing"

	. "github.com/onsi/gomega"
)

// The order of a chain decides which of several missing conditions a person hears
// of first. Changing it is changing the specification: do it here too.

func TestGrantChainOrder(t *testing.T) {
	NewWithT(t).Expect(names(grantChain)).To(Equal([]string{
		"notSuspended",
		"registryKnown",
		"registryAccepted",
		"inTrial",
		"onlyGrantOfPair",
		"organizerJoined",
		"organizerRegistered",
		"unitKnown",
		"unitAccepted",
		"producerJoined",
		"organizerMainStands",
		"producerMainStands",
		"producerRegistered",
		"organizerSystemKnown",
		"producerSystemKnown",
		"organizerSystemCertified",
		"producerSystemCertified",
		"organizerSystemFeatured",
		"producerSystemFeatured",
		"formatsCompatible",
		"unitRegisteredForBought",
		"socialCareBought",
		"agreementInForce",
		"deploymentTested",
		"acceptedByUnit",
	}))
}

func TestRelationshipChainOrder(t *testing.T) {
	NewWithT(t).Expect(names(relationshipChain)).To(Equal([]string{
		"relationshipRegistryKnown",
		"relationshipRegistryAccepted",
		"endNotBeforeStart",
		"relationshipUnitKnown",
		"relationshipUnitAccepted",
		"unitRegisteredForTasks",
		"tasksBought",
		"noOverlap",
		"grantExistsOrAutomatic",
	}))
}

func TestStandingChainOrder(t *testing.T) {
	NewWithT(t).Expect(names(standingChain)).To(Equal([]string{"hasJoined", "mainStands"}))
}
