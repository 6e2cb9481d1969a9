// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// DeploymentTestReconciler tells which result of a test counts.
type DeploymentTestReconciler struct {
	base
}

// +kubebuilder:rbac:groups=valtuus.io,resources=deploymenttests,verbs=get;list;watch
// +kubebuilder:rbac:groups=valtuus.io,resources=deploymenttests/status,verbs=patch

func (r *DeploymentTestReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.DeploymentTest{}, builder.WithPredicates(ownSpec)).
		WithOptions(r.options(4)).
		Watches(&v1alpha1.ClientSystem{}, enqueue(func(ctx context.Context, _ *v1alpha1.ClientSystem) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.DeploymentTestList{})
		}), builder.WithPredicates(created)).
		Complete(r)
}

// Reconcile judges what was recorded.
func (r *DeploymentTestReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	test, err := getOrNil(ctx, r, req.NamespacedName, &v1alpha1.DeploymentTest{})
	if test == nil || err != nil {
		return ctrl.Result{}, err
	}
	before := test.DeepCopy()
	now := r.clock.Now()
	unknown := ""
	for _, name := range []v1alpha1.ObjectName{test.Spec.Systems.Organizer, test.Spec.Systems.Producer} {
		system, err := r.clientSystem(ctx, name)
		if err != nil {
			return ctrl.Result{}, err
		}
		if system == nil {
			unknown = string(name)
		}
	}
	r.updateStatus(test, unknown, now)
	var testedAt time.Time
	if test.Spec.Recorded != nil {
		testedAt = test.Spec.Recorded.TestedAt.Time
	}
	return settle(r.wakeAt(now, testedAt), r.patchStatus(ctx, before, client.Object(test)))
}
