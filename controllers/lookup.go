// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/eligibility"
)

// The functions of this file find objects by what tenants may name: OIDs and the names of cluster-scoped
// objects. A tenant never names another tenant's namespace.

// organizationByOID returns the oldest Organization with the OID, or nil. Another one with the same OID is not believed.
func (b *base) organizationByOID(ctx context.Context, oid v1alpha1.OID) (*v1alpha1.Organization, error) {
	var list v1alpha1.OrganizationList
	if err := b.List(ctx, &list, in("", byOID, string(oid))...); err != nil {
		return nil, err
	}
	return oldest(pointers(list.Items)), nil
}

// unitByOID returns the believed ProducerUnit with the OID, or else the oldest that claims it, or nil.
func (b *base) unitByOID(ctx context.Context, oid v1alpha1.OID) (*v1alpha1.ProducerUnit, error) {
	var list v1alpha1.ProducerUnitList
	if err := b.List(ctx, &list, in("", byOID, string(oid))...); err != nil {
		return nil, err
	}
	units := pointers(list.Items)
	for _, unit := range units {
		if unit.DeletionTimestamp == nil && conditions.IsTrue(unit, v1alpha1.AcceptedCondition) {
			return unit, nil
		}
	}
	return oldest(units), nil
}

// archiveByName returns the oldest Archive with the name in the cluster, or nil. A younger one takes nothing from it.
func (b *base) archiveByName(ctx context.Context, name v1alpha1.ObjectName) (*v1alpha1.Archive, error) {
	var list v1alpha1.ArchiveList
	if err := b.List(ctx, &list, in("", byName, string(name))...); err != nil {
		return nil, err
	}
	return oldestArchive(pointers(list.Items)), nil
}

// oldestArchive returns the oldest Archive, or nil. One whose deletion waits for registries still serves them.
func oldestArchive(archives []*v1alpha1.Archive) *v1alpha1.Archive {
	var found *v1alpha1.Archive
	for _, o := range archives {
		gone := o.DeletionTimestamp != nil && !controllerutil.ContainsFinalizer(o, ArchiveFinalizer)
		if !gone && (found == nil || byAge(o, found) < 0) {
			found = o
		}
	}
	return found
}

func (b *base) clientSystem(ctx context.Context, name v1alpha1.ObjectName) (*v1alpha1.ClientSystem, error) {
	return getOrNil(ctx, b, client.ObjectKey{Name: string(name)}, &v1alpha1.ClientSystem{})
}

func (b *base) registry(ctx context.Context, namespace string, ref v1alpha1.RegistryReference) (*v1alpha1.Registry, error) {
	return getOrNil(ctx, b, client.ObjectKey{Namespace: namespace, Name: string(ref.Name)}, &v1alpha1.Registry{})
}

// getOrNil reads an object; nil when it is not there or is being deleted.
func getOrNil[O client.Object](ctx context.Context, reader client.Reader, key client.ObjectKey, object O) (O, error) {
	var none O
	if err := reader.Get(ctx, key, object); err != nil {
		return none, client.IgnoreNotFound(err)
	}
	if object.GetDeletionTimestamp() != nil {
		return none, nil
	}
	return object, nil
}

// grantsOfPair returns the grants of a pair of registry and unit that are not being deleted, the oldest first.
func (b *base) grantsOfPair(ctx context.Context, namespace string, registry v1alpha1.ObjectName, unit v1alpha1.OID) ([]*v1alpha1.RegistryAccessGrant, error) {
	var list v1alpha1.RegistryAccessGrantList
	if err := b.List(ctx, &list, in(namespace, byPair, pairKey(registry, unit))...); err != nil {
		return nil, err
	}
	grants := slices.DeleteFunc(pointers(list.Items), func(g *v1alpha1.RegistryAccessGrant) bool { return g.DeletionTimestamp != nil })
	slices.SortFunc(grants, func(a, b *v1alpha1.RegistryAccessGrant) int { return byAge(a, b) })
	return grants, nil
}

func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}

// oldest returns the oldest object that is not being deleted, or the zero value.
func oldest[O interface {
	comparable
	metav1.Object
}](objects []O) O {
	var found O
	for _, o := range objects {
		if o.GetDeletionTimestamp() == nil && (found == *new(O) || byAge(o, found) < 0) {
			found = o
		}
	}
	return found
}

// byAge orders objects by creation, and by name where that is the same.
func byAge(a, b metav1.Object) int {
	if c := a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time); c != 0 {
		return c
	}
	switch x, y := fullName(a), fullName(b); {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return 0
	}
}

func fullName(o metav1.Object) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

// The functions below give the chains of package eligibility what they need of an object.

func organizationFacts(o *v1alpha1.Organization) *eligibility.Organization {
	if o == nil {
		return nil
	}
	return &eligibility.Organization{
		OID: string(o.Spec.OID), Name: o.Spec.DisplayName.Fi,
		Joined: o.Spec.Joining.JoinedAt.Time, Ended: instant(o.Spec.Joining.EndedAt),
		Social: slices.Contains(o.Spec.RegisteredFor, v1alpha1.CareSectorSocial),
		Health: slices.Contains(o.Spec.RegisteredFor, v1alpha1.CareSectorHealth),
		Joint:  o.Spec.Joining.Mode == v1alpha1.JoiningJoint, MainJoiner: string(o.Spec.Joining.MainJoiner),
	}
}

func systemFacts(o *v1alpha1.ClientSystem) *eligibility.ClientSystem {
	if o == nil {
		return nil
	}
	facts := &eligibility.ClientSystem{
		Name: o.Name, Version: string(o.Spec.Version), Class: string(o.Spec.Certificate.Class),
		ValidFrom: o.Spec.Certificate.ValidFrom.Time, ValidUntil: o.Spec.Certificate.ValidUntil.Time,
		Formats: texts(o.Spec.Formats),
	}
	for _, feature := range o.Spec.Features {
		switch feature {
		case v1alpha1.FeatureRegisterAccess:
			facts.Features = append(facts.Features, eligibility.FeatureRegisterAccess)
		case v1alpha1.FeatureExtendedRegisterAccess:
			facts.Features = append(facts.Features, eligibility.FeatureExtended)
		default: // the chains ask for no other
		}
	}
	return facts
}

func registryFacts(o *v1alpha1.Registry) *eligibility.Registry {
	if o == nil {
		return nil
	}
	facts := &eligibility.Registry{
		Name: fullName(o), OID: string(o.Spec.OID), OrganizationOID: string(o.Spec.Organization), ClientSystem: string(o.Spec.ClientSystem),
		Accepted:        conditions.IsTrue(o, v1alpha1.AcceptedCondition),
		DeploymentTest:  eligibility.TestPolicy(o.Spec.Policies.DeploymentTest),
		TestProof:       eligibility.TestProof(o.Spec.Policies.DeploymentTestProof),
		SimulatedTests:  eligibility.SimulatedTests(o.Spec.Policies.SimulatedTests),
		Retest:          eligibility.Retest(o.Spec.Policies.Retest),
		AutomaticGrants: o.Spec.Policies.AutomaticGrants == v1alpha1.AutomaticGrantsEnabled,
	}
	if c := conditions.Get(o, v1alpha1.AcceptedCondition); c != nil && !facts.Accepted {
		facts.Detail = c.Message
	}
	return facts
}

func (b *base) unitFacts(o *v1alpha1.ProducerUnit) *eligibility.Unit {
	if o == nil {
		return nil
	}
	facts := &eligibility.Unit{
		Name: fullName(o), OID: string(o.Spec.OID), OrganizationOID: string(o.Spec.Organization), ClientSystem: string(o.Spec.ClientSystem),
		Accepted:     conditions.IsTrue(o, v1alpha1.AcceptedCondition),
		ServiceTasks: texts(o.Spec.ServiceTasks), AcceptFrom: texts(o.Spec.AcceptFrom),
		NotManaged: !b.manages(o),
	}
	for _, accepted := range o.Spec.AcceptTests {
		facts.AcceptTests = append(facts.AcceptTests, eligibility.AcceptedTest{
			RegistryOID: string(accepted.RegistryOID), TestRegistryOID: string(accepted.TestRegistryOID),
			StartsAt: accepted.StartsAt.Time, ClosesAt: accepted.ClosesAt.Time,
		})
	}
	if c := conditions.Get(o, v1alpha1.AcceptedCondition); c != nil && !facts.Accepted {
		facts.Detail = c.Message
	}
	return facts
}

func grantFacts(o *v1alpha1.RegistryAccessGrant) *eligibility.Grant {
	if o == nil {
		return nil
	}
	facts := &eligibility.Grant{
		Name: fullName(o), Registry: string(o.Spec.RegistryRef.Name), UnitOID: string(o.Spec.ProducerUnit),
		Extent: eligibility.Extent(o.Spec.Extent), Suspended: ptr.Deref(o.Spec.Suspend, false),
	}
	if agreement := o.Spec.Agreement; agreement != nil {
		facts.Agreement = &eligibility.Agreement{
			Reference: string(agreement.Reference), ValidFrom: agreement.ValidFrom.Time,
			ValidUntil: instant(agreement.ValidUntil), Tasks: texts(agreement.ServiceTasks),
			Sectors: texts(agreement.Buys),
		}
	}
	return facts
}

func relationshipFacts(o *v1alpha1.ServiceRelationship) eligibility.Relationship {
	return eligibility.Relationship{
		Name: fullName(o), Created: o.CreationTimestamp.Time,
		Accepted: conditions.IsTrue(o, v1alpha1.AcceptedCondition),
		Registry: string(o.Spec.RegistryRef.Name), UnitOID: string(o.Spec.ProducerUnit), ClientID: o.Spec.ClientID,
		ServiceTasks: texts(o.Spec.ServiceTasks), Start: o.Spec.Start.Time, End: instant(o.Spec.End),
	}
}

// testFacts takes nothing from a test that is being deleted, nor from one of whose record the controller has not yet seen
// what it says. The result of a test that is run is the controller's own.
func testFacts(o *v1alpha1.DeploymentTest) eligibility.DeploymentTest {
	facts := eligibility.DeploymentTest{
		Name: fullName(o), OrganizerSystem: string(o.Spec.Systems.Organizer), ProducerSystem: string(o.Spec.Systems.Producer),
		Simulated: o.Spec.Mode == v1alpha1.ModeSimulated,
	}
	if o.DeletionTimestamp != nil {
		return facts
	}
	status := &o.Status
	if systems := status.Systems; systems != nil {
		facts.OrganizerVersion, facts.ProducerVersion = string(systems.Organizer.Version), string(systems.Producer.Version)
	}
	facts.Failed = status.Result == v1alpha1.ResultFailed
	if window := status.Window; window != nil && (status.State == v1alpha1.TestScheduled || status.State == v1alpha1.TestOpen) {
		facts.OpensAt, facts.ClosesAt = window.OpensAt.Time, window.ClosesAt.Time
	}
	switch recorded := o.Spec.Recorded; {
	case status.Result != v1alpha1.ResultPassed:
	case recorded == nil:
		facts.PassedAt = instant(status.PassedAt)
		if status.Reported != nil {
			facts.ReportedAt = status.Reported.ReportedAt.Time
		}
	case recorded.Result == v1alpha1.ResultPassed && (status.ObservedGeneration == o.Generation || recorded.TestedAt.Equal(status.PassedAt)):
		facts.PassedAt = recorded.TestedAt.Time
		facts.ReportedAt = recorded.TestedAt.Time // it has a report: the record names it
	}
	return facts
}

func instant(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// moment is instant's inverse: no pointer for no time.
func moment(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t}
}

func texts[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}
