// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/eligibility"
	"github.com/valtuus/valtuus/internal/enforcement"
)

func (r *ServiceRelationshipReconciler) updateStatus(s *relationshipScope) {
	switch {
	case !s.ended():
		r.setAccepted(s)
	case s.outcome != enforcement.Awaiting:
		r.setEnded(s)
	case s.late:
		// Only an end that takes long is worth a write of its own.
		set := conditions.For(s.relationship, s.now)
		set.False(v1alpha1.RevocationEnforcedCondition, v1alpha1.AwaitingArchiveReason, "A live archive replica has not yet applied the end.")
		set.Waiting(v1alpha1.AwaitingArchiveReason, "The relationship has ended; the archive has not yet confirmed it.")
	}
}

func (r *ServiceRelationshipReconciler) setAccepted(s *relationshipScope) {
	set := conditions.For(s.relationship, s.now)
	status := &s.relationship.Status
	set.Remove(v1alpha1.RevocationEnforcedCondition)
	set.Bool(v1alpha1.AcceptedCondition, s.verdict.OK, s.verdict.Reason, s.verdict.Message)
	status.AcceptedEnd, status.GrantName = nil, ""
	if !s.verdict.OK {
		if eligibility.Waits(s.verdict.Reason) {
			status.Access = v1alpha1.AccessWaiting
			set.Waiting(s.verdict.Reason, s.verdict.Message)
			return
		}
		status.Access = v1alpha1.AccessRefused
		set.Stalled(s.verdict.Reason, s.verdict.Message)
		return
	}
	status.AcceptedEnd = s.relationship.Spec.End
	status.GrantName = v1alpha1.ObjectName(s.grant.Name)
	if conditions.IsTrue(s.grant, v1alpha1.ReadyCondition) {
		status.Access = v1alpha1.AccessGranted
		set.Ready(v1alpha1.AccessGrantedReason, "The unit has access from start until end.")
		return
	}
	status.Access = v1alpha1.AccessWaiting
	message := "The grant " + s.grant.Name + " is not ready yet."
	if ready := conditions.Get(s.grant, v1alpha1.ReadyCondition); ready != nil {
		message = ready.Message
	}
	set.Waiting(v1alpha1.GrantNotReadyReason, message)
}

func (r *ServiceRelationshipReconciler) setEnded(s *relationshipScope) {
	status := &s.relationship.Status
	set := conditions.For(s.relationship, s.now)
	status.Access, status.AcceptedEnd = v1alpha1.AccessEnded, s.relationship.Spec.End
	setEnforced(set, s.outcome)
	set.Ready(v1alpha1.EndedReason, "The relationship has ended and the archive enforces it.")
}

// tell makes an event of what a person must act on. What goes well makes none: there is one relationship for each client.
func (r *ServiceRelationshipReconciler) tell(before *v1alpha1.ServiceRelationship, s *relationshipScope) {
	was, is := conditionReason(before, v1alpha1.ReadyCondition), conditions.Get(s.relationship, v1alpha1.ReadyCondition)
	if is == nil || is.Reason == was {
		return
	}
	if s.relationship.Status.Access == v1alpha1.AccessRefused || is.Reason == v1alpha1.AwaitingArchiveReason {
		r.events.Eventf(s.relationship, nil, corev1.EventTypeWarning, is.Reason, "Accept", "%s", is.Message)
	}
}
