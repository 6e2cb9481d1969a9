// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/eligibility"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/pki"
)

// lookEvery is how often the archive's word on an ending is asked for.
const lookEvery = 150 * time.Millisecond

// grantScope is what one pass over a grant knows.
type grantScope struct {
	grant    *v1alpha1.RegistryAccessGrant
	before   *v1alpha1.RegistryAccessGrant // as it was last written
	now      time.Time
	registry *v1alpha1.Registry
	unit     *v1alpha1.ProducerUnit
	archive  *v1alpha1.Archive
	binding  binding // of the registry

	verdict   eligibility.Verdict
	issuance  issuance
	lost      bool // this pass took away a right that was there
	live      int32
	nextCount time.Time // when time changes the number of live relationships
	nextLook  time.Time // when to ask the archive again
	wasReady  bool
	waited    bool // was told to be not ready by an earlier pass
}

// gather reads what the grant rests on and judges it.
func (r *RegistryAccessGrantReconciler) gather(ctx context.Context, s *grantScope) error {
	s.wasReady = conditions.IsTrue(s.grant, v1alpha1.ReadyCondition)
	s.waited = !s.wasReady && conditions.Get(s.grant, v1alpha1.ReadyCondition) != nil
	in := eligibility.GrantInput{Now: s.now, Grant: *grantFacts(s.grant)}
	siblings, err := r.grantsOfPair(ctx, s.grant.Namespace, s.grant.Spec.RegistryRef.Name, s.grant.Spec.ProducerUnit)
	if err != nil {
		return err
	}
	if len(siblings) > 0 && siblings[0].UID != s.grant.UID && byAge(siblings[0], s.grant) < 0 {
		in.OlderGrant = fullName(siblings[0])
	}
	if s.registry, err = r.registry(ctx, s.grant.Namespace, s.grant.Spec.RegistryRef); err != nil {
		return err
	}
	if s.unit, err = r.unitByOID(ctx, s.grant.Spec.ProducerUnit); err != nil {
		return err
	}
	in.Registry, in.Unit = registryFacts(s.registry), r.unitFacts(s.unit)
	if s.registry != nil {
		if s.archive, err = r.archiveByName(ctx, s.registry.Spec.ArchiveName); err != nil {
			return err
		}
		if s.binding, err = r.bindingOf(ctx, s.registry, s.now); err != nil {
			return err
		}
		in.Registry.Trial, in.Grant.OfTrial = s.binding.facts(), s.binding.madeFor(s.grant)
		if s.archive != nil && !r.manages(s.archive) {
			in.Registry.Accepted, in.Registry.Detail = false, notManaged("Archive", s.archive)
		}
		if s.binding.reason != "" { // the registry's own controller may not have seen it yet
			in.Registry.Accepted, in.Registry.Detail = false, s.binding.message
		}
		if in.Organizer, in.OrganizerMain, in.OrganizerSystem, err = r.side(ctx, s.registry.Spec.Organization, s.registry.Spec.ClientSystem); err != nil {
			return err
		}
	}
	if s.unit != nil {
		if in.Producer, in.ProducerMain, in.ProducerSystem, err = r.side(ctx, s.unit.Spec.Organization, s.unit.Spec.ClientSystem); err != nil {
			return err
		}
	}
	var tests v1alpha1.DeploymentTestList
	if err := r.List(ctx, &tests, client.InNamespace(s.grant.Namespace)); err != nil {
		return err
	}
	for i := range tests.Items {
		in.Tests = append(in.Tests, testFacts(&tests.Items[i]))
	}
	s.verdict = eligibility.EvaluateGrant(&in)
	return r.count(ctx, s)
}

// side reads an organization, the main joiner it joined through, and the client system used on its side.
func (r *RegistryAccessGrantReconciler) side(ctx context.Context, oid v1alpha1.OID, system v1alpha1.ObjectName) (
	org, main *eligibility.Organization, used *eligibility.ClientSystem, err error,
) {
	o, err := r.organizationByOID(ctx, oid)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := r.mainJoiner(ctx, o)
	if err != nil {
		return nil, nil, nil, err
	}
	c, err := r.clientSystem(ctx, system)
	return organizationFacts(o), organizationFacts(m), systemFacts(c), err
}

// count counts the live relationships and finds when time changes the count.
func (r *RegistryAccessGrantReconciler) count(ctx context.Context, s *grantScope) error {
	var list v1alpha1.ServiceRelationshipList
	key := pairKey(s.grant.Spec.RegistryRef.Name, s.grant.Spec.ProducerUnit)
	if err := r.List(ctx, &list, append(in(s.grant.Namespace, byPair, key), client.UnsafeDisableDeepCopy)...); err != nil {
		return err
	}
	for i := range list.Items {
		o := &list.Items[i]
		if o.DeletionTimestamp != nil || !conditions.IsTrue(o, v1alpha1.AcceptedCondition) {
			continue
		}
		start, end := o.Spec.Start.Time, instant(o.Spec.End)
		for _, t := range []time.Time{start, end} {
			if t.After(s.now) && (s.nextCount.IsZero() || t.Before(s.nextCount)) {
				s.nextCount = t
			}
		}
		if !start.After(s.now) && (end.IsZero() || end.After(s.now)) {
			s.live++
		}
	}
	return nil
}

// issueOrRevoke brings the ledger in line with the verdict. Losing the right has no grace.
func (r *RegistryAccessGrantReconciler) issueOrRevoke(ctx context.Context, s *grantScope) error {
	h := &holder{
		object: s.grant, archive: s.archive,
		ledger: &s.grant.Status.Credentials, ref: &s.grant.Status.SecretRef, expires: &s.grant.Status.CredentialExpiresAt,
		bundle: &s.grant.Status.CABundleHash,
		persist: func(ctx context.Context) error {
			r.updateStatus(s)
			return r.persist(ctx, s)
		},
	}
	if !s.verdict.OK || s.archive == nil {
		if s.verdict.OK {
			s.issuance.reason, s.issuance.message = v1alpha1.IssuerUnavailableReason, "There is no Archive named "+string(s.registry.Spec.ArchiveName)+"."
		}
		s.lost = r.issuing.revoke(h) || s.wasReady
		return nil
	}
	h.identity = pki.Identity{
		TrustDomain: s.archive.Spec.TrustDomain, Registry: string(s.registry.Spec.OID), Unit: string(s.unit.Spec.OID),
	}
	h.most = s.binding.lifetime(s.now)
	if s.binding.simulated() {
		// Nobody's own system takes part: the program that plays the producer runs beside this grant.
		h.secret = &v1alpha1.SecretReference{
			Namespace: s.grant.Namespace, Name: v1alpha1.ObjectName(deploymenttest.ProducerSecret(s.grant.Name)),
		}
		h.owners = controllerOf(s.grant, "RegistryAccessGrant")
	} else if s.unit.Spec.Credential.Delivery == v1alpha1.DeliveryCertificateRequest {
		if err := r.useOwnKey(s, h); err != nil {
			s.issuance.reason = v1alpha1.CertificateRequestInvalidReason
			s.issuance.message = "spec.credential.certificateRequest of ProducerUnit " + fullName(s.unit) + " cannot be used: " + err.Error() + "."
			s.lost = r.issuing.revoke(h) || s.wasReady
			return nil
		}
	} else {
		h.secret = &v1alpha1.SecretReference{
			Namespace: s.unit.Namespace, Name: v1alpha1.ObjectName(s.unit.Name + "-" + string(s.registry.Spec.OID)),
		}
	}
	var err error
	s.issuance, err = r.issuing.run(ctx, h)
	s.lost = s.issuance.revoked && s.issuance.reason == v1alpha1.SecretConflictReason
	r.metrics.CredentialsIssued(s.issuance.issued)
	if errors.Is(err, errNoIssuer) {
		s.issuance.reason, s.issuance.message = v1alpha1.IssuerUnavailableReason, "The archive's certificate authority cannot be read; the Archive's status tells more."
	}
	return err
}

func (r *RegistryAccessGrantReconciler) useOwnKey(s *grantScope, h *holder) error {
	public, err := pki.ParseCSR([]byte(s.unit.Spec.Credential.CertificateRequest))
	if err != nil {
		return err
	}
	h.ownKey = public
	h.keyHash, err = hashOf(public)
	return err
}

func (r *RegistryAccessGrantReconciler) persist(ctx context.Context, s *grantScope) error {
	if err := r.patchStatus(ctx, s.before, s.grant); err != nil {
		return err
	}
	s.before = s.grant.DeepCopy()
	return nil
}

// afterRevocation deletes the Secret once the ledger is empty, and tells when every archive replica has applied that.
func (r *RegistryAccessGrantReconciler) afterRevocation(ctx context.Context, s *grantScope) error {
	if ref := s.grant.Status.SecretRef; ref != nil && len(s.grant.Status.Credentials) == 0 {
		if err := r.deleteSecret(ctx, *ref, s.grant.UID); err != nil {
			return err
		}
		s.grant.Status.SecretRef = nil
	}
	// Nothing has ended, or its end has been enforced.
	if enforced := conditions.Get(s.grant, v1alpha1.RevocationEnforcedCondition); enforced == nil || enforced.Status == "True" {
		r.seen.forget(client.ObjectKeyFromObject(s.grant))
		return r.persist(ctx, s)
	}
	revision, err := revisionOf(s.grant)
	if err != nil {
		return err
	}
	since := r.seen.at(s.grant, s.now)
	outcome, err := r.tracker.Check(ctx, archiveKey(s.archive), enforcement.Ending{Kind: "grants", Revision: revision, SeenAt: since}, producerBound(s.archive, s.registry))
	if err != nil {
		return err
	}
	if outcome == enforcement.Awaiting {
		s.nextLook = r.awaitArchive(s.archive, s.now)
		return nil
	}
	r.metrics.Enforced(r.clock.Since(since))
	r.seen.forget(client.ObjectKeyFromObject(s.grant))
	r.markEnforced(s, outcome)
	return r.persist(ctx, s)
}

// finalize deletes what was delivered. It needs nothing but the grant itself, and waits for nobody:
// the archive refuses the grant from the moment that its deletion was asked for.
func (r *RegistryAccessGrantReconciler) finalize(ctx context.Context, grant *v1alpha1.RegistryAccessGrant) error {
	if !controllerutil.ContainsFinalizer(grant, GrantFinalizer) {
		return nil
	}
	if ref := grant.Status.SecretRef; ref != nil {
		if err := r.deleteSecret(ctx, *ref, grant.UID); err != nil {
			return err
		}
	}
	r.seen.forget(client.ObjectKeyFromObject(grant))
	before := grant.DeepCopy()
	controllerutil.RemoveFinalizer(grant, GrantFinalizer)
	err := r.Patch(ctx, grant, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if err == nil {
		r.events.Eventf(grant, nil, corev1.EventTypeNormal, v1alpha1.CredentialRevokedReason, "Revoke", "The grant was deleted and its credential revoked")
	}
	return client.IgnoreNotFound(err)
}

func archiveKey(archive *v1alpha1.Archive) client.ObjectKey {
	if archive == nil {
		return client.ObjectKey{} // then every archive is asked
	}
	return client.ObjectKeyFromObject(archive)
}

// producerBound is the longest age of a view at which the archive answers producers.
func producerBound(archive *v1alpha1.Archive, registry *v1alpha1.Registry) time.Duration {
	bound := int32(60) // the longest that the API allows
	if archive != nil {
		bound = 10
		if s := archive.Spec.Staleness; s != nil {
			bound = ptr.Deref(s.ProducersSeconds, bound)
		}
	}
	if registry != nil && registry.Spec.Policies.Staleness != nil {
		bound = ptr.Deref(registry.Spec.Policies.Staleness.ProducersSeconds, bound)
	}
	return time.Duration(bound) * time.Second
}
