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

// ArchiveReconciler gives an archive its certificate authority and its server certificate.
type ArchiveReconciler struct {
	base
}

// +kubebuilder:rbac:groups=valtuus.io,resources=archives,verbs=get;list;watch
// +kubebuilder:rbac:groups=valtuus.io,resources=archives/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;update;delete
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;list
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

func (r *ArchiveReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Archive{}, builder.WithPredicates(ownSpec)).
		WithOptions(r.options(4)).
		Watches(&v1alpha1.Archive{}, enqueue(func(ctx context.Context, o *v1alpha1.Archive) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.ArchiveList{}, in("", byName, o.Name)...)
		}), builder.WithPredicates(created)).
		Complete(r)
}

// Reconcile makes what is missing and renews what is due.
func (r *ArchiveReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	archive, err := getOrNil(ctx, r, req.NamespacedName, &v1alpha1.Archive{})
	if archive == nil || err != nil {
		return ctrl.Result{}, err
	}
	before := archive.DeepCopy()
	scope := &archiveScope{archive: archive, now: r.clock.Now()}
	err = r.ensure(ctx, scope)
	r.updateStatus(scope)
	if patchErr := r.patchStatus(ctx, before, client.Object(archive)); err == nil {
		err = patchErr
	}
	return settle(r.wakeAt(scope.now, scope.wakeAt), err)
}
