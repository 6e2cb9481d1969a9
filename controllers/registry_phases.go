// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/pki"
)

// registryScope is what one pass over a registry knows.
type registryScope struct {
	registry *v1alpha1.Registry
	before   *v1alpha1.Registry // as it was last written
	now      time.Time
	archive  *v1alpha1.Archive
	claim    claim
	binding  binding
	issuance issuance
}

// closesAt is when time closes the registry of a deployment test.
func (s *registryScope) closesAt() time.Time {
	if s.binding.terms == nil {
		return time.Time{}
	}
	return s.binding.terms.ClosesAt.Time
}

// claim tells whether what an object claims is believed. The zero claim is not.
type claim struct {
	believed        bool
	reason, message string
}

func refused(reason, format string, args ...any) claim {
	return claim{reason: reason, message: fmt.Sprintf(format, args...)}
}

func (r *RegistryReconciler) judge(ctx context.Context, s *registryScope) error {
	var err error
	spec := s.registry.Spec
	if s.archive, err = r.archiveByName(ctx, spec.ArchiveName); err != nil {
		return err
	}
	if s.claim, err = r.actsFor(ctx, s.registry.Namespace, spec.Organization, s.now); err != nil || !s.claim.believed {
		return err
	}
	if s.binding, err = r.bindingOf(ctx, s.registry, s.now); err != nil {
		return err
	}
	system, err := r.clientSystem(ctx, spec.ClientSystem)
	if err != nil {
		return err
	}
	first, err := r.firstClaim(ctx, s.registry)
	if err != nil {
		return err
	}
	switch {
	case s.binding.reason != "":
		s.claim = refused(s.binding.reason, "%s", s.binding.message)
	case s.archive == nil:
		s.claim = refused(v1alpha1.ArchiveUnknownReason, "There is no Archive named %s: the platform must make it.", spec.ArchiveName)
	case !r.manages(s.archive):
		s.claim = refused(v1alpha1.ArchiveNotManagedReason, "%s", notManaged("Archive", s.archive))
	case s.archive.Status.CABundle == "":
		s.claim = refused(v1alpha1.ArchiveNotReadyReason, "Archive %s has no certificate authority yet.", spec.ArchiveName)
	case s.archive.DeletionTimestamp != nil && !conditions.IsTrue(s.registry, v1alpha1.AcceptedCondition):
		s.claim = refused(v1alpha1.ArchiveNotReadyReason, "Archive %s is being deleted.", spec.ArchiveName)
	case system == nil:
		s.claim = refused(v1alpha1.ClientSystemUnknownReason, "There is no ClientSystem named %s: the platform must record it.", spec.ClientSystem)
	case first != nil && first.UID != s.registry.UID:
		s.claim = refused(v1alpha1.OIDClaimedReason, "OID %s already belongs to an older Registry in the same archive.", spec.OID)
	}
	return nil
}

// actsFor judges whether a namespace may act for an organization that stands.
func (b *base) actsFor(ctx context.Context, namespace string, oid v1alpha1.OID, now time.Time) (claim, error) {
	org, err := b.organizationByOID(ctx, oid)
	if err != nil {
		return claim{}, err
	}
	if org == nil {
		return refused(v1alpha1.OrganizationUnknownReason, "There is no Organization with OID %s: the platform must record it.", oid), nil
	}
	if !slices.Contains(org.Spec.Namespaces, namespace) {
		return refused(v1alpha1.NamespaceNotBoundReason, "Organization %s does not list namespace %s: the platform must bind it.", oid, namespace), nil
	}
	standing, err := b.standing(ctx, org, now)
	if err != nil {
		return claim{}, err
	}
	if !standing.OK {
		return refused(v1alpha1.OrganizationNotStandingReason, "%s", standing.Message), nil
	}
	return claim{believed: true, reason: v1alpha1.SucceededReason, message: "The organization stands and the namespace may act for it."}, nil
}

// firstClaim returns the registry that an OID belongs to within an archive: the one already believed, or else the oldest.
func (r *RegistryReconciler) firstClaim(ctx context.Context, registry *v1alpha1.Registry) (*v1alpha1.Registry, error) {
	var list v1alpha1.RegistryList
	if err := r.List(ctx, &list, in("", byOID, string(registry.Spec.OID))...); err != nil {
		return nil, err
	}
	rivals := slices.DeleteFunc(pointers(list.Items), func(o *v1alpha1.Registry) bool {
		return o.Spec.ArchiveName != registry.Spec.ArchiveName || o.DeletionTimestamp != nil
	})
	for _, rival := range rivals {
		if conditions.IsTrue(rival, v1alpha1.AcceptedCondition) {
			return rival, nil
		}
	}
	// A claim that its organization does not carry, or that no deployment test does, keeps nobody from the OID.
	var carried []*v1alpha1.Registry
	for _, rival := range rivals {
		now := r.clock.Now()
		c, err := r.actsFor(ctx, rival.Namespace, rival.Spec.Organization, now)
		if err != nil {
			return nil, err
		}
		bound, err := r.bindingOf(ctx, rival, now)
		if err != nil {
			return nil, err
		}
		if c.believed && bound.reason == "" {
			carried = append(carried, rival)
		}
	}
	return oldest(carried), nil
}

// credential keeps the organizer's own credential while the registry is believed, and revokes it when it is not.
func (r *RegistryReconciler) credential(ctx context.Context, s *registryScope) error {
	h := &holder{
		object: s.registry, archive: s.archive,
		ledger: &s.registry.Status.Credentials, ref: &s.registry.Status.SecretRef, expires: &s.registry.Status.CredentialExpiresAt,
		bundle: &s.registry.Status.CABundleHash,
		secret: &v1alpha1.SecretReference{Namespace: s.registry.Namespace, Name: v1alpha1.ObjectName(s.registry.Name + "-organizer")},
		owners: controllerOf(s.registry, "Registry"),
		persist: func(ctx context.Context) error {
			r.updateStatus(s)
			return r.persist(ctx, s)
		},
	}
	if !s.claim.believed {
		r.issuing.revoke(h)
		return nil
	}
	h.most = s.binding.lifetime(s.now)
	h.identity = pki.Identity{TrustDomain: s.archive.Spec.TrustDomain, Registry: string(s.registry.Spec.OID)}
	var err error
	s.issuance, err = r.issuing.run(ctx, h)
	r.metrics.CredentialsIssued(s.issuance.issued)
	return err
}

func (r *RegistryReconciler) persist(ctx context.Context, s *registryScope) error {
	if err := r.patchStatus(ctx, s.before, s.registry); err != nil {
		return err
	}
	s.before = s.registry.DeepCopy()
	return nil
}

// deleteRevoked deletes the Secret of a revoked credential, after the ledger says so, and forgets it after that: a crash
// leaves no Secret that nobody knows of.
func (r *RegistryReconciler) deleteRevoked(ctx context.Context, s *registryScope) error {
	ref := s.registry.Status.SecretRef
	if s.claim.believed || ref == nil || len(s.registry.Status.Credentials) > 0 {
		return nil
	}
	if err := r.deleteSecret(ctx, *ref, s.registry.UID); err != nil {
		return err
	}
	s.registry.Status.SecretRef = nil
	return r.persist(ctx, s)
}
