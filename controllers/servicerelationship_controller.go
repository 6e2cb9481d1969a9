// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// ServiceRelationshipReconciler accepts relationships, makes the grants they need and confirms their ends.
// A relationship has no finalizer: deleting it ends access at the archive, and needs nobody's help.
type ServiceRelationshipReconciler struct {
	base
	seen        *firstSeen
	concurrency int
}

// +kubebuilder:rbac:groups=valtuus.io,resources=servicerelationships,verbs=get;list;watch
// +kubebuilder:rbac:groups=valtuus.io,resources=servicerelationships/status,verbs=patch

func (r *ServiceRelationshipReconciler) setup(mgr ctrl.Manager) error {
	names := func(ctx context.Context, options ...client.ListOption) []types.NamespacedName {
		return r.namesIn(ctx, &v1alpha1.ServiceRelationshipList{}, options...)
	}
	r.metrics.OldestUnenforced(r.seen.oldest, r.clock)
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ServiceRelationship{}, builder.WithPredicates(ownSpec)).
		WithOptions(r.options(r.concurrency)).
		Watches(&v1alpha1.RegistryAccessGrant{}, enqueue(func(ctx context.Context, o *v1alpha1.RegistryAccessGrant) []types.NamespacedName {
			return names(ctx, in(o.Namespace, byPair, pairKey(o.Spec.RegistryRef.Name, o.Spec.ProducerUnit))...)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.ProducerUnit{}, enqueue(func(ctx context.Context, o *v1alpha1.ProducerUnit) []types.NamespacedName {
			return names(ctx, in("", byUnit, string(o.Spec.OID))...)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.Registry{}, enqueue(func(ctx context.Context, o *v1alpha1.Registry) []types.NamespacedName {
			return names(ctx, in(o.Namespace, byRegistry, o.Name)...)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.ServiceRelationship{}, enqueue(r.rivals), builder.WithPredicates(created)).
		Complete(r.within(r))
}

// rivals names the relationships that were refused because of an overlap with this one, which has changed or gone.
func (r *ServiceRelationshipReconciler) rivals(ctx context.Context, o *v1alpha1.ServiceRelationship) []types.NamespacedName {
	var list v1alpha1.ServiceRelationshipList
	if err := r.List(ctx, &list, append(in(o.Namespace, byClientUnit, clientUnitKey(o)), client.UnsafeDisableDeepCopy)...); err != nil {
		return nil
	}
	var names []types.NamespacedName
	for i := range list.Items {
		if rival := &list.Items[i]; rival.UID != o.UID && rival.Status.Access == v1alpha1.AccessRefused {
			names = append(names, client.ObjectKeyFromObject(rival))
		}
	}
	return names
}

// Reconcile judges a relationship, or confirms its end. Each costs one status write.
func (r *ServiceRelationshipReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	relationship, err := getOrNil(ctx, r, req.NamespacedName, &v1alpha1.ServiceRelationship{})
	if relationship == nil || err != nil {
		if err == nil {
			r.seen.forget(req.NamespacedName)
		}
		return ctrl.Result{}, err
	}
	scope := &relationshipScope{relationship: relationship, now: r.clock.Now()}
	before := relationship.DeepCopy()
	if scope.ended() {
		err = r.confirmEnd(ctx, scope)
	} else {
		r.seen.forget(req.NamespacedName)
		err = r.accept(ctx, scope)
	}
	if err != nil {
		return settle(ctrl.Result{}, err)
	}
	r.updateStatus(scope)
	r.tell(before, scope)
	return settle(r.wakeAt(scope.now, instant(relationship.Spec.End), scope.nextLook), r.patchStatus(ctx, before, client.Object(relationship)))
}
