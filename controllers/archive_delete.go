// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/workload"
)

// hold puts the finalizer on an Archive that runs here, before anything is made for it.
func (r *ArchiveReconciler) hold(ctx context.Context, archive *v1alpha1.Archive) error {
	before := archive.DeepCopy()
	if archive.Spec.Workload == nil || !controllerutil.AddFinalizer(archive, ArchiveFinalizer) {
		return nil
	}
	return r.Patch(ctx, archive, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// finalize lets a deleted Archive go as soon as no registry uses it; until then the deletion waits. Documents and keys
// stay behind.
func (r *ArchiveReconciler) finalize(ctx context.Context, s *archiveScope) (waits bool, err error) {
	archive := s.archive
	if !controllerutil.ContainsFinalizer(archive, ArchiveFinalizer) {
		return false, nil
	}
	if s.users, err = r.users(ctx, archive); err != nil || len(s.users) > 0 {
		return len(s.users) > 0, err
	}
	binding := workload.ClusterRoleBinding(archive.Namespace, archive.Name)
	err = r.Get(ctx, client.ObjectKeyFromObject(binding), binding)
	if err == nil && workload.MadeFor(binding, archive) {
		err = r.Delete(ctx, binding, client.Preconditions{UID: &binding.UID})
	}
	if client.IgnoreNotFound(err) != nil {
		return false, err
	}
	for _, ref := range []v1alpha1.SecretReference{serverSecret(archive), authoritySecret(archive)} {
		if err := deleteSecret(ctx, r, ref, archive.UID); err != nil {
			return false, err
		}
	}
	before := archive.DeepCopy()
	controllerutil.RemoveFinalizer(archive, ArchiveFinalizer)
	err = r.Patch(ctx, archive, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if err == nil {
		r.tellWhatStays(archive)
	}
	return false, client.IgnoreNotFound(err)
}

// users names the registries that use an archive, in order. A namespace that goes takes the archive with it whatever
// anybody waits for, so there nothing is waited for.
func (r *ArchiveReconciler) users(ctx context.Context, archive *v1alpha1.Archive) ([]string, error) {
	first, err := r.archiveByName(ctx, v1alpha1.ObjectName(archive.Name))
	if err != nil || first == nil || first.UID != archive.UID {
		return nil, err
	}
	namespace := &corev1.Namespace{}
	err = r.live.Get(ctx, client.ObjectKey{Name: archive.Namespace}, namespace)
	if apierrors.IsNotFound(err) || (err == nil && namespace.DeletionTimestamp != nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var registries v1alpha1.RegistryList
	if err := r.List(ctx, &registries, in("", byArchive, archive.Name)...); err != nil {
		return nil, err
	}
	var users []string
	for i := range registries.Items {
		// A registry that was never believed has nothing here, and keeps nobody waiting.
		if o := &registries.Items[i]; conditions.IsTrue(o, v1alpha1.AcceptedCondition) || len(o.Status.Credentials) > 0 {
			users = append(users, fullName(o))
		}
	}
	slices.Sort(users)
	return users, nil
}

func (r *ArchiveReconciler) tellWhatStays(archive *v1alpha1.Archive) {
	const reason, action = "Kept", "Delete"
	if archive.Spec.Workload.Storage.Embedded != nil {
		r.events.Eventf(archive, nil, corev1.EventTypeNormal, reason, action,
			"PersistentVolumeClaim %s with the documents was not deleted with the Archive", workload.ClaimName(archive.Name))
	}
	if status := archive.Status.Workload; status != nil && status.KeysSecretName != "" {
		r.events.Eventf(archive, nil, corev1.EventTypeNormal, reason, action,
			"Secret %s with the archive's keys was not deleted with the Archive", status.KeysSecretName)
	}
}
