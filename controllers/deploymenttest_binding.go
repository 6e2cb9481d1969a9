// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/eligibility"
)

// binding is what a registry is bound to. For one that was not made for a deployment test, it is the zero binding.
type binding struct {
	test  *v1alpha1.DeploymentTest
	terms *v1alpha1.RegistryTest
	// reason and message tell why the registry is not to be believed; empty where it is.
	reason, message string
}

// bindingOf judges a registry whose OID is kept for deployment tests. A window that has run out binds nothing any more,
// whatever the test's status still says.
func (b *base) bindingOf(ctx context.Context, registry *v1alpha1.Registry, now time.Time) (binding, error) {
	if !deploymenttest.IsTestRegistry(registry.Spec.OID) {
		return binding{}, nil
	}
	test := &v1alpha1.DeploymentTest{}
	if err := b.Get(ctx, client.ObjectKeyFromObject(registry), test); client.IgnoreNotFound(err) != nil {
		return binding{}, err
	} else if err != nil {
		test = nil
	}
	var like *v1alpha1.Registry
	if test != nil && test.Spec.Run != nil {
		var err error
		if like, err = b.registry(ctx, test.Namespace, test.Spec.Run.Registry); err != nil {
			return binding{}, err
		}
	}
	out := binding{test: test}
	out.terms, out.reason, out.message = deploymenttest.Bind(registry, test, like)
	if out.terms != nil && !now.Before(out.terms.ClosesAt.Time) {
		out.terms, out.reason = nil, v1alpha1.TestRegistryClosedReason
		out.message = "The window of DeploymentTest " + test.Name + " has closed: nobody has access to its registry."
	}
	return out, nil
}

// lifetime bounds a credential for a deployment test. It outlives the window by so much that it is neither renewed in it
// nor tells of a renewal that did not come; the ledger ends it with the window. Zero where nothing bounds it.
func (b *binding) lifetime(now time.Time) time.Duration {
	if b.terms == nil {
		return 0
	}
	return time.Hour + 2*b.terms.ClosesAt.Sub(now)
}

// simulated tells whether a program plays both parties.
func (b *binding) simulated() bool {
	return b.terms != nil && b.terms.Mode == v1alpha1.ModeSimulated
}

// madeFor tells whether a grant is the one that the controller makes for the test. Only its suspension may differ.
func (b *binding) madeFor(grant *v1alpha1.RegistryAccessGrant) bool {
	if b.test == nil || b.terms == nil || grant.Name != b.test.Name || !metav1.IsControlledBy(grant, b.test) {
		return false
	}
	want := deploymenttest.Grant(b.test, GrantFinalizer).Spec
	return grant.Spec.RegistryRef == want.RegistryRef && grant.Spec.ProducerUnit == want.ProducerUnit &&
		grant.Spec.Extent == want.Extent && grant.Spec.Agreement == nil
}

func (b *binding) facts() *eligibility.Trial {
	if b.terms == nil {
		return nil
	}
	return &eligibility.Trial{
		Name: fullName(b.test), RegistryOID: string(b.terms.RegistryOID), UnitOID: string(b.terms.ProducerUnit),
		Simulated: b.simulated(), StartsAt: b.terms.StartsAt.Time, ClosesAt: b.terms.ClosesAt.Time,
	}
}
