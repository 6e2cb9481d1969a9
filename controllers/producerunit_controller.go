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

// ProducerUnitReconciler believes or disbelieves a unit's claims and tells the unit how its access stands.
type ProducerUnitReconciler struct {
	base
}

// +kubebuilder:rbac:groups=valtuus.io,resources=producerunits,verbs=get;list;watch
// +kubebuilder:rbac:groups=valtuus.io,resources=producerunits/status,verbs=patch

func (r *ProducerUnitReconciler) setup(mgr ctrl.Manager) error {
	byUnitOID := func(ctx context.Context, oid v1alpha1.OID) []types.NamespacedName {
		return r.namesIn(ctx, &v1alpha1.ProducerUnitList{}, in("", byOID, string(oid))...)
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ProducerUnit{}, builder.WithPredicates(ownSpec)).
		WithOptions(r.options(4)).
		Watches(&v1alpha1.Organization{}, enqueue(func(ctx context.Context, o *v1alpha1.Organization) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.ProducerUnitList{}, in("", byOrganization, string(o.Spec.OID))...)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.ClientSystem{}, enqueue(func(ctx context.Context, o *v1alpha1.ClientSystem) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.ProducerUnitList{}, in("", bySystem, o.Name)...)
		}), builder.WithPredicates(created)).
		// The other claims on the same OID.
		Watches(&v1alpha1.ProducerUnit{}, enqueue(func(ctx context.Context, o *v1alpha1.ProducerUnit) []types.NamespacedName {
			return byUnitOID(ctx, o.Spec.OID)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.DeploymentTest{}, enqueue(func(ctx context.Context, o *v1alpha1.DeploymentTest) []types.NamespacedName {
			if o.Spec.Run == nil {
				return nil
			}
			return byUnitOID(ctx, o.Spec.Run.ProducerUnit)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.RegistryAccessGrant{}, later(r.gathering(), func(ctx context.Context, o *v1alpha1.RegistryAccessGrant) []types.NamespacedName {
			return byUnitOID(ctx, o.Spec.ProducerUnit)
		})).
		Complete(r.within(r))
}

// Reconcile judges the unit's claims, mirrors how the grants for it stand, and tells of the deployment tests that it is
// asked to take part in.
func (r *ProducerUnitReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	unit, err := getOrNil(ctx, r, req.NamespacedName, &v1alpha1.ProducerUnit{})
	if unit == nil || err != nil {
		return ctrl.Result{}, err
	}
	before := unit.DeepCopy()
	scope := &unitScope{unit: unit, now: r.clock.Now()}
	if err := r.judge(ctx, scope); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.mirror(ctx, scope); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.invite(ctx, scope); err != nil {
		return ctrl.Result{}, err
	}
	r.updateStatus(scope)
	err = r.patchStatus(ctx, before, client.Object(unit))
	if err == nil {
		r.tell(scope, before)
	}
	return settle(ctrl.Result{}, err)
}
