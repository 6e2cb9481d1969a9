// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

func (r *ProducerUnitReconciler) updateStatus(s *unitScope) {
	set := conditions.For(s.unit, s.now)
	s.unit.Status.Registries, s.unit.Status.DeploymentTests = s.registries, s.tests
	set.Bool(v1alpha1.AcceptedCondition, s.claim.believed, s.claim.reason, s.claim.message)
	if s.claim.believed {
		set.Ready(v1alpha1.SucceededReason, "The unit is accepted.")
		return
	}
	// All of these may come without a change to the unit.
	set.Waiting(s.claim.reason, s.claim.message)
}

// tell makes an event of each deployment test that the unit is asked to take part in.
func (r *ProducerUnitReconciler) tell(s *unitScope, before *v1alpha1.ProducerUnit) {
	for _, test := range s.asked(before) {
		r.events.Eventf(s.unit, nil, corev1.EventTypeNormal, "TestProposed", "Test",
			"A deployment test for registry %s is proposed for %s to %s: status.deploymentTests tells what to accept in spec.acceptTests",
			test.RegistryOID, rfc3339(test.StartsAt), rfc3339(test.ClosesAt))
	}
}
