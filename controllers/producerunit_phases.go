// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/eligibility"
)

// unitScope is what one pass over a producer unit knows.
type unitScope struct {
	unit       *v1alpha1.ProducerUnit
	now        time.Time
	claim      claim
	registries []v1alpha1.UnitRegistryAccess
	tests      []v1alpha1.UnitDeploymentTest
}

func (r *ProducerUnitReconciler) judge(ctx context.Context, s *unitScope) error {
	var err error
	if s.claim, err = r.claimOf(ctx, s.unit, s.now); err != nil || !s.claim.believed {
		return err
	}
	first, err := r.firstClaim(ctx, s)
	if err != nil {
		return err
	}
	if first != nil && first.UID != s.unit.UID {
		s.claim = refused(v1alpha1.OIDClaimedReason, "OID %s already belongs to another ProducerUnit, which claimed it first.", s.unit.Spec.OID)
		return nil
	}
	system, err := r.clientSystem(ctx, s.unit.Spec.ClientSystem)
	if err == nil && system == nil {
		s.claim = refused(v1alpha1.ClientSystemUnknownReason, "There is no ClientSystem named %s: the platform must record it.", s.unit.Spec.ClientSystem)
	}
	return err
}

// claimOf judges whether the organization carries a unit's claim.
func (r *ProducerUnitReconciler) claimOf(ctx context.Context, unit *v1alpha1.ProducerUnit, now time.Time) (claim, error) {
	c, err := r.actsFor(ctx, unit.Namespace, unit.Spec.Organization, now)
	if err != nil || !c.believed {
		return c, err
	}
	org, err := r.organizationByOID(ctx, unit.Spec.Organization)
	if err != nil {
		return claim{}, err
	}
	if org == nil || !slices.Contains(org.Spec.UnitOIDs, unit.Spec.OID) {
		return refused(v1alpha1.OIDNotListedReason, "Organization %s does not list unit %s: the platform adds units as the national register has them, new ones overnight.", unit.Spec.Organization, unit.Spec.OID), nil
	}
	return c, nil
}

// firstClaim returns the unit that an OID belongs to: the one already believed, or else the oldest that its organization carries.
func (r *ProducerUnitReconciler) firstClaim(ctx context.Context, s *unitScope) (*v1alpha1.ProducerUnit, error) {
	var list v1alpha1.ProducerUnitList
	if err := r.List(ctx, &list, in("", byOID, string(s.unit.Spec.OID))...); err != nil {
		return nil, err
	}
	var carried []*v1alpha1.ProducerUnit
	for _, rival := range pointers(list.Items) {
		c, err := r.claimOf(ctx, rival, s.now)
		if err != nil {
			return nil, err
		}
		if !c.believed || rival.DeletionTimestamp != nil {
			continue
		}
		if conditions.IsTrue(rival, v1alpha1.AcceptedCondition) {
			return rival, nil
		}
		carried = append(carried, rival)
	}
	return oldest(carried), nil
}

// mirror collects how the grants for the unit stand, because the unit cannot see the organizers' namespaces.
// Only a believed unit is told.
func (r *ProducerUnitReconciler) mirror(ctx context.Context, s *unitScope) error {
	if !s.claim.believed {
		return nil
	}
	var grants v1alpha1.RegistryAccessGrantList
	if err := r.List(ctx, &grants, in("", byUnit, string(s.unit.Spec.OID))...); err != nil {
		return err
	}
	told := map[v1alpha1.OID]bool{}
	for _, grant := range pointers(grants.Items) {
		ready := conditions.Get(grant, v1alpha1.ReadyCondition)
		if ready == nil || grant.Status.RegistryOID == "" || grant.DeletionTimestamp != nil || told[grant.Status.RegistryOID] ||
			ready.Reason == eligibility.ReasonGrantConflict {
			continue
		}
		told[grant.Status.RegistryOID] = true
		access := v1alpha1.UnitRegistryAccess{RegistryOID: grant.Status.RegistryOID, Reason: ready.Reason, Message: ready.Message}
		for _, credential := range grant.Status.Credentials {
			if credential.State == v1alpha1.CredentialActive {
				access.Certificate = credential.Certificate
			}
		}
		if access.Certificate != "" {
			bundle, err := r.bundleFor(ctx, grant)
			if err != nil {
				return err
			}
			access.CABundle = bundle
		}
		if ref := grant.Status.SecretRef; ref != nil && ref.Namespace == s.unit.Namespace {
			access.SecretName = ref.Name
		}
		s.registries = append(s.registries, access)
	}
	slices.SortFunc(s.registries, func(a, b v1alpha1.UnitRegistryAccess) int {
		return strings.Compare(string(a.RegistryOID), string(b.RegistryOID))
	})
	s.registries = s.registries[:min(len(s.registries), 64)]
	return nil
}

// invite collects the tests that the unit is asked to take part in, because it cannot see the organizers' namespaces. Only
// a registry that is believed asks.
func (r *ProducerUnitReconciler) invite(ctx context.Context, s *unitScope) error {
	if !s.claim.believed {
		return nil
	}
	var tests v1alpha1.DeploymentTestList
	if err := r.List(ctx, &tests, in("", byUnit, string(s.unit.Spec.OID))...); err != nil {
		return err
	}
	for _, test := range pointers(tests.Items) {
		window, ready := test.Status.Window, conditions.Get(test, v1alpha1.ReadyCondition)
		if test.Spec.Mode != v1alpha1.ModeObserved || test.DeletionTimestamp != nil || deploymenttest.Ended(test) || window == nil || ready == nil {
			continue
		}
		registry, err := r.registry(ctx, test.Namespace, test.Spec.Run.Registry)
		if err != nil {
			return err
		}
		if registry == nil || !conditions.IsTrue(registry, v1alpha1.AcceptedCondition) {
			continue
		}
		s.tests = append(s.tests, v1alpha1.UnitDeploymentTest{
			RegistryOID: registry.Spec.OID, TestRegistryOID: test.Status.RegistryOID,
			StartsAt: window.OpensAt, ClosesAt: deploymenttest.Asked(test), State: test.Status.State, Message: ready.Message,
		})
	}
	// Of more than can be told the ones that begin first are.
	slices.SortFunc(s.tests, func(a, b v1alpha1.UnitDeploymentTest) int {
		if c := a.StartsAt.Compare(b.StartsAt.Time); c != 0 {
			return c
		}
		return strings.Compare(string(a.TestRegistryOID), string(b.TestRegistryOID))
	})
	s.tests = s.tests[:min(len(s.tests), 64)]
	return nil
}

// asked names the tests that the unit was not told of before, or not for this time.
func (s *unitScope) asked(before *v1alpha1.ProducerUnit) (out []v1alpha1.UnitDeploymentTest) {
	for _, test := range s.tests {
		if !slices.ContainsFunc(before.Status.DeploymentTests, func(o v1alpha1.UnitDeploymentTest) bool {
			return o.TestRegistryOID == test.TestRegistryOID && o.StartsAt.Equal(&test.StartsAt) && o.ClosesAt.Equal(&test.ClosesAt)
		}) {
			out = append(out, test)
		}
	}
	return out
}

// bundleFor gives the authorities to verify the archive of a grant against. A unit with a key of its own has no Secret to
// find them in.
func (r *ProducerUnitReconciler) bundleFor(ctx context.Context, grant *v1alpha1.RegistryAccessGrant) (string, error) {
	registry, err := r.registry(ctx, grant.Namespace, grant.Spec.RegistryRef)
	if registry == nil || err != nil {
		return "", err
	}
	archive, err := r.archiveByName(ctx, registry.Spec.ArchiveName)
	if archive == nil || err != nil {
		return "", err
	}
	return archive.Status.CABundle, nil
}
