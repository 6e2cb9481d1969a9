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

// OrganizationReconciler tells whether an organization stands.
type OrganizationReconciler struct {
	base
}

// +kubebuilder:rbac:groups=valtuus.io,resources=organizations,verbs=get;list;watch
// +kubebuilder:rbac:groups=valtuus.io,resources=organizations/status,verbs=patch

func (r *OrganizationReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Organization{}, builder.WithPredicates(ownSpec)).
		WithOptions(r.options(4)).
		Watches(&v1alpha1.Organization{}, enqueue(r.concerned)).
		Complete(r.within(r))
}

// concerned names the organizations that joined through this one and those that claim the same OID.
func (r *OrganizationReconciler) concerned(ctx context.Context, o *v1alpha1.Organization) []types.NamespacedName {
	return append(
		r.namesIn(ctx, &v1alpha1.OrganizationList{}, in("", byMainJoiner, string(o.Spec.OID))...),
		r.namesIn(ctx, &v1alpha1.OrganizationList{}, in("", byOID, string(o.Spec.OID))...)...)
}

// Reconcile judges the organization's standing and comes back when time may change it.
func (r *OrganizationReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	org, err := getOrNil(ctx, r, req.NamespacedName, &v1alpha1.Organization{})
	if org == nil || err != nil {
		return ctrl.Result{}, err
	}
	before := org.DeepCopy()
	scope, err := r.gather(ctx, org)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.updateStatus(scope)
	return settle(r.wakeAt(scope.now, scope.standing.RecheckAt), r.patchStatus(ctx, before, client.Object(org)))
}
