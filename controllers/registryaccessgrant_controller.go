// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// GrantFinalizer keeps a grant until the Secret that it delivered has been deleted. It ends access nowhere:
// the archive refuses a grant from the moment its deletion is asked for.
const GrantFinalizer = "valtuus.io/revoke-credentials"

// RegistryAccessGrantReconciler judges a grant's prerequisites and keeps its credential ledger.
type RegistryAccessGrantReconciler struct {
	base
	issuing *credentialFlow
	seen    *firstSeen
}

// +kubebuilder:rbac:groups=valtuus.io,resources=registryaccessgrants,verbs=get;list;watch;create;patch;grant
// +kubebuilder:rbac:groups=valtuus.io,resources=registryaccessgrants/status,verbs=patch
// +kubebuilder:rbac:groups=valtuus.io,resources=registries/finalizers;registryaccessgrants/finalizers,verbs=update

func (r *RegistryAccessGrantReconciler) setup(mgr ctrl.Manager) error {
	grants := func(ctx context.Context, options ...client.ListOption) []types.NamespacedName {
		return r.namesIn(ctx, &v1alpha1.RegistryAccessGrantList{}, options...)
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.RegistryAccessGrant{}, builder.WithPredicates(ownSpec)).
		WithOptions(r.options(32)).
		Watches(&v1alpha1.RegistryAccessGrant{}, enqueue(func(ctx context.Context, o *v1alpha1.RegistryAccessGrant) []types.NamespacedName {
			return grants(ctx, in(o.Namespace, byPair, pairKey(o.Spec.RegistryRef.Name, o.Spec.ProducerUnit))...)
		}), builder.WithPredicates(created)).
		Watches(&v1alpha1.Registry{}, enqueue(func(ctx context.Context, o *v1alpha1.Registry) []types.NamespacedName {
			return grants(ctx, in(o.Namespace, byRegistry, o.Name)...)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.ProducerUnit{}, enqueue(func(ctx context.Context, o *v1alpha1.ProducerUnit) []types.NamespacedName {
			return grants(ctx, in("", byUnit, string(o.Spec.OID))...)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.Archive{}, enqueue(r.ofArchive), builder.WithPredicates(bundleChanged)).
		Watches(&v1alpha1.Organization{}, enqueue(r.ofOrganization), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.ClientSystem{}, enqueue(r.ofSystem), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.DeploymentTest{}, enqueue(func(ctx context.Context, o *v1alpha1.DeploymentTest) []types.NamespacedName {
			return grants(ctx, client.InNamespace(o.Namespace))
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.ServiceRelationship{}, later(r.gathering(), func(ctx context.Context, o *v1alpha1.ServiceRelationship) []types.NamespacedName {
			return grants(ctx, in(o.Namespace, byPair, pairKey(o.Spec.RegistryRef.Name, o.Spec.ProducerUnit))...)
		}), builder.WithPredicates(meaningful)).
		Complete(r.within(r))
}

// ofArchive names the grants in the registries of an archive.
func (r *RegistryAccessGrantReconciler) ofArchive(ctx context.Context, o *v1alpha1.Archive) []types.NamespacedName {
	var names []types.NamespacedName
	for _, registry := range r.namesIn(ctx, &v1alpha1.RegistryList{}, in("", byArchive, o.Name)...) {
		names = append(names, r.namesIn(ctx, &v1alpha1.RegistryAccessGrantList{}, in(registry.Namespace, byRegistry, registry.Name)...)...)
	}
	return names
}

// ofOrganization names the grants of an organization on either side, and of those that joined through it.
func (r *RegistryAccessGrantReconciler) ofOrganization(ctx context.Context, o *v1alpha1.Organization) []types.NamespacedName {
	oids := []v1alpha1.OID{o.Spec.OID}
	var coJoiners v1alpha1.OrganizationList
	if err := r.List(ctx, &coJoiners, in("", byMainJoiner, string(o.Spec.OID))...); err == nil {
		for i := range coJoiners.Items {
			oids = append(oids, coJoiners.Items[i].Spec.OID)
		}
	}
	var names []types.NamespacedName
	for _, oid := range oids {
		names = append(names, r.ofEither(ctx, byOrganization, string(oid))...)
	}
	return names
}

// ofSystem names the grants in which a client system is used on either side.
func (r *RegistryAccessGrantReconciler) ofSystem(ctx context.Context, o *v1alpha1.ClientSystem) []types.NamespacedName {
	return r.ofEither(ctx, bySystem, o.Name)
}

// ofEither names the grants whose registry or unit an index selects.
func (r *RegistryAccessGrantReconciler) ofEither(ctx context.Context, index, key string) []types.NamespacedName {
	var names []types.NamespacedName
	for _, registry := range r.namesIn(ctx, &v1alpha1.RegistryList{}, in("", index, key)...) {
		names = append(names, r.namesIn(ctx, &v1alpha1.RegistryAccessGrantList{}, in(registry.Namespace, byRegistry, registry.Name)...)...)
	}
	var units v1alpha1.ProducerUnitList
	if err := r.List(ctx, &units, in("", index, key)...); err == nil {
		for i := range units.Items {
			names = append(names, r.namesIn(ctx, &v1alpha1.RegistryAccessGrantList{}, in("", byUnit, string(units.Items[i].Spec.OID))...)...)
		}
	}
	return names
}

// Reconcile puts the finalizer first, then judges, then issues or revokes, then tells.
func (r *RegistryAccessGrantReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	grant := &v1alpha1.RegistryAccessGrant{}
	if err := r.Get(ctx, req.NamespacedName, grant); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if grant.DeletionTimestamp != nil {
		return settle(ctrl.Result{}, r.finalize(ctx, grant))
	}
	if before := grant.DeepCopy(); controllerutil.AddFinalizer(grant, GrantFinalizer) {
		if err := r.Patch(ctx, grant, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			return settle(ctrl.Result{}, err)
		}
	}
	scope := &grantScope{grant: grant, before: grant.DeepCopy(), now: r.clock.Now()}
	if err := r.gather(ctx, scope); err != nil {
		return settle(ctrl.Result{}, err)
	}
	err := r.issueOrRevoke(ctx, scope)
	r.updateStatus(scope)
	if patchErr := r.persist(ctx, scope); err == nil {
		err = patchErr
	}
	if err == nil {
		err = r.afterRevocation(ctx, scope)
	}
	r.tell(scope)
	return settle(r.wakeAt(scope.now, scope.verdict.RecheckAt, scope.issuance.wakeAt, scope.nextCount, scope.nextLook), err)
}
