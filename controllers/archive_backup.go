// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/workload"
)

// lookAtBackups finds out how the backups went: their Jobs and pods tell, and go after a while, so what they told of the
// newest backup is kept in the status.
func (r *ArchiveReconciler) lookAtBackups(ctx context.Context, s *archiveScope, plan *workload.Plan) error {
	in := []client.ListOption{client.InNamespace(s.archive.Namespace), client.MatchingLabels(plan.BackupSelector())}
	var jobs batchv1.JobList
	if err := r.List(ctx, &jobs, in...); err != nil {
		return err
	}
	var pods corev1.PodList
	if err := r.List(ctx, &pods, in...); err != nil {
		return err
	}
	last := workload.OfBackups(jobs.Items, pods.Items)
	s.backup = &last
	status := s.workloadStatus()
	if done := last.Done; done != nil && (status.LastBackup == nil || done.CompletedAt.After(status.LastBackup.CompletedAt.Time)) {
		status.LastBackup = &v1alpha1.BackupStatus{
			Name: done.Name, CompletedAt: metav1.NewTime(done.CompletedAt.UTC().Truncate(time.Second)),
			Size: resource.NewQuantity(done.Size, resource.BinarySI),
		}
	}
	return nil
}
