// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// RegistryReconciler believes or disbelieves a registry's claims and gives the organizer its own credential.
type RegistryReconciler struct {
	base
	issuing *credentialFlow
}

// +kubebuilder:rbac:groups=valtuus.io,resources=registries,verbs=get;list;watch
// +kubebuilder:rbac:groups=valtuus.io,resources=registries/status,verbs=patch

func (r *RegistryReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Registry{}, builder.WithPredicates(ownSpec)).
		WithOptions(r.options(4)).
		Watches(&v1alpha1.Organization{}, enqueue(func(ctx context.Context, o *v1alpha1.Organization) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.RegistryList{}, in("", byOrganization, string(o.Spec.OID))...)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.Archive{}, enqueue(func(ctx context.Context, o *v1alpha1.Archive) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.RegistryList{}, in("", byArchive, o.Name)...)
		}), builder.WithPredicates(predicate.Or(meaningful, bundleChanged))).
		Watches(&v1alpha1.ClientSystem{}, enqueue(func(ctx context.Context, o *v1alpha1.ClientSystem) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.RegistryList{}, in("", bySystem, o.Name)...)
		}), builder.WithPredicates(created)).
		Watches(&v1alpha1.Registry{}, enqueue(func(ctx context.Context, o *v1alpha1.Registry) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.RegistryList{}, in("", byOID, string(o.Spec.OID))...)
		}), builder.WithPredicates(meaningful)).
		// The registry of a deployment test has the test's name.
		Watches(&v1alpha1.DeploymentTest{}, enqueue(func(_ context.Context, o *v1alpha1.DeploymentTest) []types.NamespacedName {
			return []types.NamespacedName{client.ObjectKeyFromObject(o)}
		}), builder.WithPredicates(meaningful)).
		Complete(r.within(r))
}

// Reconcile judges the claims first; only a believed registry has a credential.
func (r *RegistryReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	registry, err := getOrNil(ctx, r, req.NamespacedName, &v1alpha1.Registry{})
	if registry == nil || err != nil {
		return ctrl.Result{}, err
	}
	scope := &registryScope{registry: registry, before: registry.DeepCopy(), now: r.clock.Now()}
	if err := r.judge(ctx, scope); err != nil {
		return ctrl.Result{}, err
	}
	err = r.credential(ctx, scope)
	r.updateStatus(scope)
	if patchErr := r.persist(ctx, scope); err == nil {
		err = patchErr
	}
	if err == nil {
		err = r.deleteRevoked(ctx, scope)
	}
	return settle(r.wakeAt(scope.now, scope.issuance.wakeAt, scope.closesAt()), err)
}
