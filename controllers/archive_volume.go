// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/workload"
)

// volume looks whether an embedded archive's documents are where they were. Where they are not, what serves is taken
// away: a claim of that name that somebody makes is not to be served from.
func (r *ArchiveReconciler) volume(ctx context.Context, s *archiveScope, plan *workload.Plan) (there bool, err error) {
	if !plan.Embedded() {
		return true, nil
	}
	named := metav1.ObjectMeta{Namespace: s.archive.Namespace, Name: workload.ClaimName(s.archive.Name)}
	live, err := r.findLive(ctx, &corev1.PersistentVolumeClaim{ObjectMeta: named})
	if err != nil {
		return false, err
	}
	claim, _ := live.(*corev1.PersistentVolumeClaim)
	var pods corev1.PodList
	if err := r.List(ctx, &pods, client.InNamespace(s.archive.Namespace), client.MatchingLabels(plan.Selector())); err != nil {
		return false, err
	}
	plan.Volume = workload.JudgeVolume(s.archive, claim, pods.Items)
	if plan.Volume.Reason == v1alpha1.VolumeLostReason || plan.Volume.Keep != nil {
		plan.Volume.Remember(s.archive, s.workloadStatus(), s.now)
	}
	if plan.Volume.Lost == "" {
		return true, nil
	}
	s.stop(plan.Volume.Reason, "%s", plan.Volume.Lost)
	return false, r.remove(ctx, s.archive, &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.archive.Namespace, Name: s.archive.Name}})
}
