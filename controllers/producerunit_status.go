// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/valtuus/valtuus/internal/conditions"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

func (r *ProducerUnitReconciler) updateStatus(s *unitScope) {
	set := conditions.For(s.unit, s.now)
	s.unit.Status.Registries = s.registries
	set.Bool(v1alpha1.AcceptedCondition, s.claim.believed, s.claim.reason, s.claim.message)
	if s.claim.believed {
		set.Ready(v1alpha1.SucceededReason, "The unit is accepted.")
		return
	}
	// All of these may come without a change to the unit.
	set.Waiting(s.claim.reason, s.claim.message)
}
