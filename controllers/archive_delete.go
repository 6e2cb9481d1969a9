// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// finalize lets a deleted Archive go: as soon as no registry uses it its pods end, and then it goes. It waits until
// then, with all that serves in its place while registries use it. Documents and keys stay behind.
func (r *ArchiveReconciler) finalize(ctx context.Context, s *archiveScope) (waits bool, err error) {
	archive := s.archive
	if !controllerutil.ContainsFinalizer(archive, ArchiveFinalizer) {
		return false, nil
	}
	if s.users, err = r.users(ctx, archive); err != nil || len(s.users) > 0 {
		return len(s.users) > 0, err
	}
	ends, err := r.ends(ctx, archive.Namespace)
	if err != nil {
		return false, err
	}
	if !ends {
		if s.ending, err = r.endPods(ctx, archive); err != nil || s.ending > 0 {
			return s.ending > 0, err
		}
		if err := r.removeLeases(ctx, archive); err != nil {
			return false, err
		}
	}
	if err := r.removeChildren(ctx, archive, ends); err != nil {
		return false, err
	}
	for _, ref := range []v1alpha1.SecretReference{serverSecret(archive), authoritySecret(archive), spareAuthoritySecret(archive)} {
		if err := r.deleteSecret(ctx, ref, archive.UID); err != nil {
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

// endPods has the pods end while they still may do what they do at their end, and counts those that have not ended.
func (r *ArchiveReconciler) endPods(ctx context.Context, archive *v1alpha1.Archive) (left int, err error) {
	named := metav1.ObjectMeta{Namespace: archive.Namespace, Name: archive.Name}
	for _, set := range []client.Object{&appsv1.StatefulSet{ObjectMeta: named}, &appsv1.Deployment{ObjectMeta: named}} {
		if err := r.removeLive(ctx, archive, set); err != nil {
			return 0, err
		}
	}
	var pods corev1.PodList
	plan := &workload.Plan{Archive: archive}
	err = r.List(ctx, &pods, client.InNamespace(archive.Namespace), client.MatchingLabels(plan.Selector()))
	return len(pods.Items), err
}

// removeChildren deletes what was made for the archive and does not outlive it. What is in a namespace that ends goes with
// that, and may be out of the manager's reach by then.
func (r *ArchiveReconciler) removeChildren(ctx context.Context, archive *v1alpha1.Archive, namespaceEnds bool) error {
	plan := &workload.Plan{Archive: archive, Settings: r.settings}
	for _, child := range plan.Children() {
		if child.Outlives || (namespaceEnds && child.Object.GetNamespace() != "") {
			continue
		}
		if err := r.removeLive(ctx, archive, child.Object); err != nil {
			return err
		}
	}
	return nil
}

// removeLeases takes away the Leases of replicas that could not do so themselves, once there is no pod any more: nobody
// is to wait for their word.
func (r *ArchiveReconciler) removeLeases(ctx context.Context, archive *v1alpha1.Archive) error {
	var leases coordinationv1.LeaseList
	err := r.List(ctx, &leases, client.InNamespace(archive.Namespace), client.MatchingLabels{workload.ArchiveLabel: archive.Name})
	for i := range leases.Items {
		if err == nil {
			err = client.IgnoreNotFound(r.Delete(ctx, &leases.Items[i]))
		}
	}
	return err
}

// remove deletes an object that was made for the archive, if the cache has it, and leaves any other alone.
func (r *ArchiveReconciler) remove(ctx context.Context, archive *v1alpha1.Archive, o client.Object) error {
	if err := r.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return client.IgnoreNotFound(err)
	}
	return r.removeFound(ctx, archive, o)
}

// removeLive is remove for the last look at an object, which may have been made a moment ago.
func (r *ArchiveReconciler) removeLive(ctx context.Context, archive *v1alpha1.Archive, o client.Object) error {
	live, err := r.findLive(ctx, o)
	if err != nil || live == nil {
		return err
	}
	return r.removeFound(ctx, archive, live)
}

func (r *ArchiveReconciler) removeFound(ctx context.Context, archive *v1alpha1.Archive, o client.Object) error {
	if !workload.MadeFor(o, archive) || o.GetDeletionTimestamp() != nil {
		return nil
	}
	uid := o.GetUID()
	return client.IgnoreNotFound(r.Delete(ctx, o, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground)))
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

// tellWhatStays says what a person deletes by hand, or leaves for the next Archive of the name.
func (r *ArchiveReconciler) tellWhatStays(archive *v1alpha1.Archive) {
	var kept []string
	if archive.Spec.Workload.Storage.Embedded != nil {
		kept = append(kept, fmt.Sprintf("PersistentVolumeClaim %s with the documents", workload.ClaimName(archive.Name)))
	}
	if backup := archive.Spec.Workload.Backup; backup != nil && backup.Volume.Size != nil {
		kept = append(kept, fmt.Sprintf("PersistentVolumeClaim %s with the backups", workload.BackupClaimName(archive.Name)))
	}
	if status := archive.Status.Workload; status != nil && status.KeysSecretName != "" {
		kept = append(kept, fmt.Sprintf("Secret %s with the keys", status.KeysSecretName))
	}
	if len(kept) > 0 {
		r.events.Eventf(archive, nil, corev1.EventTypeNormal, "Kept", "Delete", "Not deleted with the Archive: %s", strings.Join(kept, ", "))
	}
}
