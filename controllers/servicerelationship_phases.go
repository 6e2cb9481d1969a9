// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/eligibility"
	"github.com/valtuus/valtuus/internal/enforcement"
)

// lateAfter is how long an end may wait for the archive before the status tells of the wait.
const lateAfter = 15 * time.Second

// relationshipScope is what one pass over a relationship knows.
type relationshipScope struct {
	relationship *v1alpha1.ServiceRelationship
	now          time.Time
	registry     *v1alpha1.Registry
	grant        *v1alpha1.RegistryAccessGrant

	verdict  eligibility.Verdict
	outcome  enforcement.Outcome
	late     bool
	nextLook time.Time
}

// ended tells whether the relationship's end has come.
func (s *relationshipScope) ended() bool {
	end := s.relationship.Spec.End
	return end != nil && !end.After(s.now)
}

// accept judges the relationship and makes the grant that it needs.
func (r *ServiceRelationshipReconciler) accept(ctx context.Context, s *relationshipScope) error {
	o := s.relationship
	var err error
	if s.registry, err = r.registry(ctx, o.Namespace, o.Spec.RegistryRef); err != nil {
		return err
	}
	unit, err := r.unitByOID(ctx, o.Spec.ProducerUnit)
	if err != nil {
		return err
	}
	grants, err := r.grantsOfPair(ctx, o.Namespace, o.Spec.RegistryRef.Name, o.Spec.ProducerUnit)
	if err != nil {
		return err
	}
	if len(grants) > 0 {
		s.grant = grants[0]
	}
	input := eligibility.RelationshipInput{
		Relationship: relationshipFacts(o), Registry: registryFacts(s.registry), Unit: r.unitFacts(unit), Grant: grantFacts(s.grant),
	}
	var others v1alpha1.ServiceRelationshipList
	if err := r.List(ctx, &others, append(in(o.Namespace, byClientUnit, clientUnitKey(o)), client.UnsafeDisableDeepCopy)...); err != nil {
		return err
	}
	for i := range others.Items {
		other := &others.Items[i]
		if other.DeletionTimestamp == nil && other.Spec.RegistryRef == o.Spec.RegistryRef {
			input.Others = append(input.Others, relationshipFacts(other))
		}
	}
	if s.verdict = eligibility.EvaluateRelationship(&input); !s.verdict.OK || s.grant != nil {
		return nil
	}
	return r.makeGrant(ctx, s)
}

// makeGrant makes the basic grant of the pair. Its name follows from the pair, so that two passes cannot make two;
// only where another pair's grant has that name, it is the digest.
func (r *ServiceRelationshipReconciler) makeGrant(ctx context.Context, s *relationshipScope) error {
	o := s.relationship
	grant := &v1alpha1.RegistryAccessGrant{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: o.Namespace, Name: grantName(o.Spec.RegistryRef.Name, o.Spec.ProducerUnit),
			// With the finalizer from the start, the grant never holds a credential without it.
			Finalizers:      []string{GrantFinalizer},
			Labels:          map[string]string{managedByLabel: managedByValue},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s.registry, v1alpha1.GroupVersion.WithKind("Registry"))},
		},
		Spec: v1alpha1.RegistryAccessGrantSpec{
			RegistryRef: o.Spec.RegistryRef, ProducerUnit: o.Spec.ProducerUnit, Extent: v1alpha1.ExtentBasic,
		},
	}
	var namesake v1alpha1.RegistryAccessGrant
	err := r.Get(ctx, client.ObjectKeyFromObject(grant), &namesake)
	switch {
	case err == nil && (namesake.Spec.RegistryRef != grant.Spec.RegistryRef || namesake.Spec.ProducerUnit != grant.Spec.ProducerUnit):
		grant.Name = grantDigest(o.Spec.RegistryRef.Name, o.Spec.ProducerUnit)
	case client.IgnoreNotFound(err) != nil:
		return err
	}
	err = r.Create(ctx, grant)
	if apierrors.IsAlreadyExists(err) {
		return &retrySoon{what: "grant " + fullName(grant)}
	}
	s.grant = grant
	return err
}

// grantName is readable while it fits into a name, and a digest where it does not.
func grantName(registry v1alpha1.ObjectName, unit v1alpha1.OID) string {
	if name := string(registry) + "-" + string(unit); len(name) <= 253 {
		return name
	}
	return grantDigest(registry, unit)
}

func grantDigest(registry v1alpha1.ObjectName, unit v1alpha1.OID) string {
	sum := sha256.Sum256([]byte(pairKey(registry, unit)))
	return "grant-" + hex.EncodeToString(sum[:16])
}

// confirmEnd asks whether every live archive replica has applied the end.
func (r *ServiceRelationshipReconciler) confirmEnd(ctx context.Context, s *relationshipScope) error {
	o := s.relationship
	if o.Status.Access == v1alpha1.AccessEnded && o.Status.ObservedGeneration == o.Generation {
		s.outcome = enforcement.Outcome(conditionReason(o, v1alpha1.RevocationEnforcedCondition))
		return nil
	}
	revision, err := revisionOf(o)
	if err != nil {
		return err
	}
	registry, err := r.registry(ctx, o.Namespace, o.Spec.RegistryRef)
	if err != nil {
		return err
	}
	var archive *v1alpha1.Archive
	if registry != nil {
		if archive, err = r.archiveByName(ctx, registry.Spec.ArchiveName); err != nil {
			return err
		}
	}
	since := r.seen.at(o, s.now)
	s.outcome, err = r.tracker.Check(ctx, archiveKey(archive), enforcement.Ending{Kind: "relationships", Revision: revision, SeenAt: since}, producerBound(archive, registry))
	if err != nil {
		return err
	}
	if s.outcome == enforcement.Awaiting {
		s.nextLook = r.awaitArchive(archive, s.now)
		s.late = s.now.Sub(since) > lateAfter
		return nil
	}
	r.metrics.Enforced(r.clock.Since(since))
	r.seen.forget(client.ObjectKeyFromObject(o))
	return nil
}

// revisionOf is an object's resourceVersion as a number, which the archive's revisions are compared with.
func revisionOf(o metav1.Object) (uint64, error) {
	return strconv.ParseUint(o.GetResourceVersion(), 10, 64)
}

func conditionReason(o conditions.Object, conditionType string) string {
	if c := conditions.Get(o, conditionType); c != nil {
		return c.Reason
	}
	return ""
}
