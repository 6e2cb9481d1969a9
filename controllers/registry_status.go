// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

func (r *RegistryReconciler) updateStatus(s *registryScope) {
	set := conditions.For(s.registry, s.now)
	s.registry.Status.Test = nil
	if s.claim.believed {
		s.registry.Status.Test = s.binding.terms
	}
	set.Bool(v1alpha1.AcceptedCondition, s.claim.believed, s.claim.reason, s.claim.message)
	if !s.claim.believed {
		set.False(v1alpha1.CredentialIssuedCondition, v1alpha1.CredentialRevokedReason, "A registry that is not accepted has no credential.")
		// All of these may come without a change to the registry.
		set.Waiting(s.claim.reason, s.claim.message)
		return
	}
	setCredential(set, s.registry.Status.Credentials, s.issuance, s.now)
	switch {
	case conditions.IsTrue(s.registry, v1alpha1.CredentialIssuedCondition):
		set.Ready(v1alpha1.SucceededReason, "The registry is accepted and the organizer's credential has been delivered.")
	case s.issuance.reason == v1alpha1.SecretConflictReason:
		set.Stalled(s.issuance.reason, s.issuance.message)
	default:
		set.Waiting(v1alpha1.CredentialPendingReason, "The organizer's credential is being issued.")
	}
}

// setCredential tells of the credential. While a new one is on its way or cannot be had, the active one still counts.
func setCredential(set conditions.Setter, ledger []v1alpha1.Credential, issuance issuance, now time.Time) {
	switch {
	case issuance.delivered:
		set.True(v1alpha1.CredentialIssuedCondition, issuance.reason, issuance.message)
	case hasActive(ledger, now) && issuance.reason != "":
		set.True(v1alpha1.CredentialIssuedCondition, v1alpha1.CredentialActiveReason, "The credential is due for renewal, and the active one still accepted. "+issuance.message)
	case hasActive(ledger, now):
		set.True(v1alpha1.CredentialIssuedCondition, v1alpha1.CredentialActiveReason, "The credential is being renewed; the active one is still accepted.")
	case issuance.reason != "":
		set.False(v1alpha1.CredentialIssuedCondition, issuance.reason, issuance.message)
	default:
		set.False(v1alpha1.CredentialIssuedCondition, v1alpha1.CredentialPendingReason, "The credential is being issued.")
	}
}

func hasActive(ledger []v1alpha1.Credential, now time.Time) bool {
	for i := range ledger {
		if ledger[i].State == v1alpha1.CredentialActive && now.Before(ledger[i].NotAfter.Time) {
			return true
		}
	}
	return false
}
