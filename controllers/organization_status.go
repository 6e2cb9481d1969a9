// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/eligibility"
)

func (r *OrganizationReconciler) updateStatus(scope *organizationScope) {
	set := conditions.For(scope.org, scope.now)
	switch standing := scope.standing; {
	case scope.first != nil && scope.first.UID != scope.org.UID:
		set.Stalled(v1alpha1.OIDClaimedReason, fmt.Sprintf("OID %s belongs to the older Organization %s.", scope.org.Spec.OID, scope.first.Name))
	case standing.OK:
		set.Ready(standing.Reason, standing.Message)
	case eligibility.Waits(standing.Reason) || !standing.RecheckAt.IsZero():
		set.Waiting(standing.Reason, standing.Message)
	default:
		set.Stalled(standing.Reason, standing.Message)
	}
}
