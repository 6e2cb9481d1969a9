// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// ClientSystemReconciler tells whether a system's certificate holds.
type ClientSystemReconciler struct {
	base
}

// +kubebuilder:rbac:groups=valtuus.io,resources=clientsystems,verbs=get;list;watch
// +kubebuilder:rbac:groups=valtuus.io,resources=clientsystems/status,verbs=patch

func (r *ClientSystemReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).For(&v1alpha1.ClientSystem{}, builder.WithPredicates(ownSpec)).WithOptions(r.options(4)).Complete(r.within(r))
}

// Reconcile judges the certificate and comes back when time changes the judgment.
func (r *ClientSystemReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	system, err := getOrNil(ctx, r, req.NamespacedName, &v1alpha1.ClientSystem{})
	if system == nil || err != nil {
		return ctrl.Result{}, err
	}
	before := system.DeepCopy()
	now := r.clock.Now()
	r.updateStatus(system, now)
	certificate := system.Spec.Certificate
	return settle(r.wakeAt(now, certificate.ValidFrom.Time, certificate.ValidUntil.Time), r.patchStatus(ctx, before, client.Object(system)))
}
