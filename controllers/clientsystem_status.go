// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

func (r *ClientSystemReconciler) updateStatus(system *v1alpha1.ClientSystem, now time.Time) {
	set := conditions.For(system, now)
	switch certificate := system.Spec.Certificate; {
	case now.Before(certificate.ValidFrom.Time):
		set.Waiting(v1alpha1.SystemNotYetCertifiedReason, "The certificate of conformity does not hold yet.")
	case !now.Before(certificate.ValidUntil.Time):
		set.Stalled(v1alpha1.SystemExpiredReason, "The certificate of conformity has run out: record the new certificate.")
	default:
		set.Ready(v1alpha1.SystemCertifiedReason, "The certificate of conformity holds.")
	}
}
