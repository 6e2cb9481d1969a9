// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/workload"
)

const (
	// eventsEvery is how often the events of what does not start are looked at: they are not watched.
	eventsEvery = 15 * time.Second
	// eventsFor is how long a warning speaks of what is.
	eventsFor = 5 * time.Minute
)

// look finds out how the workload is, and says so in the status.
func (r *ArchiveReconciler) look(ctx context.Context, s *archiveScope, plan *workload.Plan) error {
	facts := &workload.Facts{Replicas: plan.Replicas(), Warnings: map[string]string{}}
	var pods corev1.PodList
	if err := r.List(ctx, &pods, client.InNamespace(s.archive.Namespace), client.MatchingLabels(plan.Selector())); err != nil {
		return err
	}
	facts.Pods = pods.Items
	var err error
	if facts.Set, err = r.set(ctx, s, plan); err != nil {
		return err
	}
	if err := r.claim(ctx, s, plan, facts); err != nil {
		return err
	}
	if err := r.warnings(ctx, s, facts); err != nil {
		return err
	}
	if facts.Set.Name == "" && s.archive.Status.Workload == nil {
		return nil // nothing has been made yet
	}
	status := s.workloadStatus()
	status.Replicas, status.ReadyReplicas = ptr.To(facts.Set.Replicas), ptr.To(facts.Set.Ready)
	status.Image = workload.ServingImage(facts.Pods)
	if from := workload.RestoredFrom(facts.Pods); from != "" && status.RestoredFrom == "" {
		status.RestoredFrom = from
	}
	if err := r.lookAtBackups(ctx, s, plan); err != nil {
		return err
	}
	verdict := workload.Diagnose(facts)
	s.verdict = &verdict
	if !verdict.Serving {
		s.lookAt = s.now.Add(eventsEvery)
	}
	return nil
}

// set reads the StatefulSet or the Deployment; the zero value while there is none of this Archive.
func (r *ArchiveReconciler) set(ctx context.Context, s *archiveScope, plan *workload.Plan) (workload.Set, error) {
	key := client.ObjectKeyFromObject(s.archive)
	if plan.Embedded() {
		set := &appsv1.StatefulSet{}
		if err := r.Get(ctx, key, set); err != nil || !workload.MadeFor(set, s.archive) {
			return workload.Set{}, client.IgnoreNotFound(err)
		}
		return workload.OfStatefulSet(set), nil
	}
	set := &appsv1.Deployment{}
	if err := r.Get(ctx, key, set); err != nil || !workload.MadeFor(set, s.archive) {
		return workload.Set{}, client.IgnoreNotFound(err)
	}
	return workload.OfDeployment(set), nil
}

// claim reads the claim of an embedded archive's volume and, while it has none, whether its class exists.
func (r *ArchiveReconciler) claim(ctx context.Context, s *archiveScope, plan *workload.Plan, facts *workload.Facts) error {
	if !plan.Embedded() {
		return nil
	}
	claim := &corev1.PersistentVolumeClaim{}
	err := r.Get(ctx, client.ObjectKey{Namespace: s.archive.Namespace, Name: workload.ClaimName(s.archive.Name)}, claim)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	facts.Claim, facts.ClaimSize = claim, s.archive.Spec.Workload.Storage.Embedded.Size
	if claim.Status.Phase == corev1.ClaimBound {
		return nil
	}
	class := ptr.Deref(claim.Spec.StorageClassName, "")
	if class == "" {
		facts.ClassMissing = "it names no storage class, and the cluster has no default one"
		return nil
	}
	err = r.live.Get(ctx, client.ObjectKey{Name: class}, &storagev1.StorageClass{})
	if apierrors.IsNotFound(err) {
		facts.ClassMissing = fmt.Sprintf("there is no StorageClass %s", class)
		return nil
	}
	return err
}

// warnings reads the newest warning of what waits.
func (r *ArchiveReconciler) warnings(ctx context.Context, s *archiveScope, facts *workload.Facts) error {
	for _, subject := range facts.Waiting() {
		var list corev1.EventList
		err := r.live.List(ctx, &list, client.InNamespace(s.archive.Namespace), client.MatchingFields{
			"involvedObject.kind": subject.Kind, "involvedObject.name": subject.Name, "type": corev1.EventTypeWarning,
		})
		if err != nil {
			return err
		}
		if text := workload.NewestWarning(list.Items, s.now.Add(-eventsFor)); text != "" {
			facts.Warnings[workload.Subject(subject.Kind, subject.Name)] = text
		}
	}
	return nil
}
