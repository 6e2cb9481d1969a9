// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Where a manager works in some namespaces only, it has its rights there by a role that is bound in each. What outlives
// such a binding, because it waits for the manager, is in the role that is bound in the cluster: see
// config/namespaces/manager_cluster_role.yaml.

// within leaves out what is not in the namespaces that the manager works in, whatever asked for a look at it.
func (b *base) within(inner reconcile.Reconciler) reconcile.Reconciler {
	if b.reach.Everywhere() {
		return inner
	}
	return reconcile.Func(func(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
		if !b.reach.Includes(req.Namespace) {
			return ctrl.Result{}, nil
		}
		return inner.Reconcile(ctx, req)
	})
}

// manages tells whether an object is in the manager's namespaces; what is not there is in nobody's way.
func (b *base) manages(o client.Object) bool { return b.reach.Includes(o.GetNamespace()) }

// notManaged says why an object counts for nothing but its claims.
func notManaged(kind string, o client.Object) string {
	return kind + " " + fullName(o) + " is in a namespace that this installation of Valtuus does not manage: the platform must add the namespace."
}

// ends tells whether a namespace is gone or going, and takes with it what is in it and the manager's rights there. A
// manager of the whole cluster keeps its rights, and needs no answer.
func (b *base) ends(ctx context.Context, namespace string) (bool, error) {
	if b.reach.Everywhere() {
		return false, nil
	}
	var found corev1.Namespace
	err := b.live.Get(ctx, client.ObjectKey{Name: namespace}, &found)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	return err == nil && found.DeletionTimestamp != nil, err
}

// awaitArchive is when to ask an archive's replicas again. Those that are out of reach do not answer.
func (b *base) awaitArchive(archive *v1alpha1.Archive, now time.Time) time.Time {
	if archive != nil && !b.manages(archive) {
		return now.Add(b.longestWait)
	}
	return now.Add(lookEvery)
}
