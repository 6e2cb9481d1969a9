// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/eligibility"
	"github.com/valtuus/valtuus/internal/enforcement"
)

func (r *RegistryAccessGrantReconciler) updateStatus(s *grantScope) {
	set := conditions.For(s.grant, s.now)
	status := &s.grant.Status
	status.LiveRelationships = ptr.To(s.live)
	if s.registry != nil {
		status.RegistryOID = s.registry.Spec.OID
	}
	set.Bool(v1alpha1.EligibleCondition, s.verdict.OK, s.verdict.Reason, s.verdict.Message)
	status.ValidUntil = moment(s.verdict.ValidUntil)
	if !s.verdict.OK {
		set.False(v1alpha1.CredentialIssuedCondition, v1alpha1.CredentialRevokedReason, "A grant that is not eligible has no credential.")
		r.markLost(set, s)
		if eligibility.Waits(s.verdict.Reason) || !s.verdict.RecheckAt.IsZero() {
			set.Waiting(s.verdict.Reason, s.verdict.Message)
		} else {
			set.Stalled(s.verdict.Reason, s.verdict.Message)
		}
		return
	}
	setCredential(set, status.Credentials, s.issuance, s.now)
	switch {
	case conditions.IsTrue(s.grant, v1alpha1.CredentialIssuedCondition):
		set.Remove(v1alpha1.RevocationEnforcedCondition)
		if s.verdict.Warning != "" {
			set.Ready(v1alpha1.GrantReadyTestMissingReason, s.verdict.Warning)
			return
		}
		message := "The unit has access to the clients whose relationships are live."
		if s.verdict.Note != "" {
			message += " " + s.verdict.Note
		}
		set.Ready(v1alpha1.GrantReadyReason, message)
	case s.issuance.reason == v1alpha1.SecretConflictReason, s.issuance.reason == v1alpha1.CertificateRequestInvalidReason:
		r.markLost(set, s)
		set.Stalled(s.issuance.reason, s.issuance.message)
	default:
		r.markLost(set, s)
		issued := conditions.Get(s.grant, v1alpha1.CredentialIssuedCondition)
		set.Waiting(issued.Reason, issued.Message)
	}
}

// markLost begins the wait for the archive's word, when a right that was there has been taken away.
func (r *RegistryAccessGrantReconciler) markLost(set conditions.Setter, s *grantScope) {
	if s.lost {
		set.False(v1alpha1.RevocationEnforcedCondition, v1alpha1.AwaitingArchiveReason, "The archive has not yet confirmed that the access has ended.")
	}
}

func (r *RegistryAccessGrantReconciler) markEnforced(s *grantScope, outcome enforcement.Outcome) {
	setEnforced(conditions.For(s.grant, s.now), outcome)
}

func setEnforced(set conditions.Setter, outcome enforcement.Outcome) {
	if outcome == enforcement.NoLiveReplica {
		set.True(v1alpha1.RevocationEnforcedCondition, v1alpha1.NoLiveReplicaReason, "No archive replica is live, and none can serve the ended access any more.")
		return
	}
	set.True(v1alpha1.RevocationEnforcedCondition, v1alpha1.AppliedReason, "Every live archive replica has applied the end.")
}

// tell makes an event of what a person waits for or must act on: a grant that had to wait is ready, or is so no
// more. What goes straight through makes none; the condition and the metrics tell of it.
func (r *RegistryAccessGrantReconciler) tell(s *grantScope) {
	ready := conditions.Get(s.grant, v1alpha1.ReadyCondition)
	switch isReady := ready.Status == "True"; {
	case isReady && s.waited:
		r.events.Eventf(s.grant, nil, corev1.EventTypeNormal, ready.Reason, "Grant", "%s", ready.Message)
	case !isReady && s.wasReady:
		r.events.Eventf(s.grant, nil, corev1.EventTypeWarning, ready.Reason, "Revoke", "%s", ready.Message)
	}
}
