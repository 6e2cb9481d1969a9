// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"math/big"
	"strings"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// arc is where ITU-T X.667 puts UUIDs: 2.25 and the UUID as one decimal number.
const arc = "2.25."

// RegistryOID is the OID of the registry that the test with the UID is run in; empty where the UID is no UUID.
func RegistryOID(test types.UID) v1alpha1.OID {
	id, err := uuid.Parse(string(test))
	if err != nil {
		return ""
	}
	return v1alpha1.OID(arc + new(big.Int).SetBytes(id[:]).String())
}

// IsTestRegistry tells whether an OID is kept for registries of deployment tests.
func IsTestRegistry(oid v1alpha1.OID) bool { return strings.HasPrefix(string(oid), arc) }

// Runs tells whether a test is run here, and not only recorded.
func Runs(test *v1alpha1.DeploymentTest) bool {
	return test.Spec.Run != nil && (test.Spec.Mode == v1alpha1.ModeObserved || test.Spec.Mode == v1alpha1.ModeSimulated)
}

// Registry describes the registry that a test is run in. Like is the one that the combination is wanted for.
func Registry(test *v1alpha1.DeploymentTest, like *v1alpha1.Registry) *v1alpha1.Registry {
	return &v1alpha1.Registry{
		ObjectMeta: child(test, nil),
		Spec: v1alpha1.RegistrySpec{
			OID: RegistryOID(test.UID), ControllerOID: like.Spec.ControllerOID, Organization: like.Spec.Organization,
			ArchiveName: like.Spec.ArchiveName, ClientSystem: test.Spec.Systems.Organizer, Purpose: v1alpha1.PurposeTest,
			Policies: v1alpha1.RegistryPolicies{
				DeploymentTest: v1alpha1.DeploymentTestReport, AutomaticGrants: v1alpha1.AutomaticGrantsDisabled,
			},
		},
	}
}

// Grant describes the unit's grant to the registry that a test is run in. With its finalizer from the start, it never
// holds a credential without it.
func Grant(test *v1alpha1.DeploymentTest, finalizer string) *v1alpha1.RegistryAccessGrant {
	return &v1alpha1.RegistryAccessGrant{
		ObjectMeta: child(test, []string{finalizer}),
		Spec: v1alpha1.RegistryAccessGrantSpec{
			RegistryRef:  v1alpha1.RegistryReference{Name: v1alpha1.ObjectName(test.Name)},
			ProducerUnit: test.Spec.Run.ProducerUnit, Extent: v1alpha1.ExtentBasic,
		},
	}
}

func child(test *v1alpha1.DeploymentTest, finalizers []string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: test.Namespace, Name: test.Name, Finalizers: finalizers,
		Labels:          map[string]string{"app.kubernetes.io/managed-by": "valtuus"},
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(test, v1alpha1.GroupVersion.WithKind("DeploymentTest"))},
	}
}

// TestOf is the UID of the test that an object says it was made for. Anybody who may make an object may say so of it: it
// takes Bind to believe it.
func TestOf(o metav1.Object) (types.UID, bool) {
	owner := metav1.GetControllerOf(o)
	if owner == nil || owner.Kind != "DeploymentTest" || !strings.HasPrefix(owner.APIVersion, v1alpha1.GroupVersion.Group+"/") {
		return "", false
	}
	return owner.UID, true
}

// Bind tells what a registry under 2.25 is bound to. A nil answer means that the registry is not to be believed; the
// reason and the words tell why. Nothing of it is taken from what a tenant writes alone: the test has to exist with that
// very UID, its status has to say that its window is open in this registry, and the registry has to be what the
// controller makes. Like is the registry that the combination is wanted for, as the test names it.
func Bind(registry *v1alpha1.Registry, test *v1alpha1.DeploymentTest, like *v1alpha1.Registry) (bound *v1alpha1.RegistryTest, reason, message string) {
	owner, owned := TestOf(registry)
	if test == nil || !owned || owner != test.UID || !Runs(test) || registry.Name != test.Name || registry.Namespace != test.Namespace ||
		registry.Spec.OID != RegistryOID(test.UID) || registry.Spec.OID != test.Status.RegistryOID || registry.Spec.Purpose != v1alpha1.PurposeTest {
		return nil, v1alpha1.TestRegistryForgedReason,
			"OIDs under 2.25 are kept for the registries that are made for deployment tests, and this one was not made for one. Choose another OID."
	}
	window := test.Status.Window
	switch {
	case test.DeletionTimestamp != nil, test.Spec.Cancellation != nil, test.Status.State != v1alpha1.TestOpen,
		window == nil, window.OpenedAt == nil, window.ClosedAt != nil:
		return nil, v1alpha1.TestRegistryClosedReason, "The window of DeploymentTest " + test.Name + " is not open: nobody has access to its registry."
	case like == nil, !sameTerms(registry, Registry(test, like)):
		return nil, v1alpha1.TestRegistryForgedReason, "The registry of DeploymentTest " + test.Name + " is not what it was made as."
	}
	return &v1alpha1.RegistryTest{
		Mode: test.Spec.Mode, RegistryOID: like.Spec.OID, ProducerUnit: test.Spec.Run.ProducerUnit,
		StartsAt: window.OpensAt, ClosesAt: window.ClosesAt,
	}, "", ""
}

// sameTerms tells whether two registries say the same of whom they are for. The rest of the policies takes nothing that
// is not synthetic anywhere.
func sameTerms(a, b *v1alpha1.Registry) bool {
	return a.Spec.Organization == b.Spec.Organization && a.Spec.ArchiveName == b.Spec.ArchiveName && a.Spec.ClientSystem == b.Spec.ClientSystem
}

// Accepts tells whether a unit takes part in the test of the registry: it has accepted that very test, its very time and a
// window that is as long, or nobody's own system takes part.
func Accepts(unit *v1alpha1.ProducerUnit, registry v1alpha1.OID, bound *v1alpha1.RegistryTest) bool {
	if bound.Mode == v1alpha1.ModeSimulated {
		return true
	}
	for _, accepted := range unit.Spec.AcceptTests {
		if accepted.TestRegistryOID == registry && accepted.RegistryOID == bound.RegistryOID &&
			accepted.StartsAt.Equal(ptr.To(bound.StartsAt)) && !accepted.ClosesAt.Before(&bound.ClosesAt) {
			return bound.Mode == v1alpha1.ModeObserved
		}
	}
	return false
}
