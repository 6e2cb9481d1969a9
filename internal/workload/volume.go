// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

const (
	// InPlaceOfAnnotation is on a claim that a person made to take the place of a lost one, and holds its UID. What is on
	// the volume of such a claim, a copy or nothing, is that person's word.
	InPlaceOfAnnotation = "valtuus.io/in-place-of"
	// unknownClaim stands for the UID of a claim that was lost before it was remembered.
	unknownClaim = "unknown"
)

// Volume is what to think of the volume with an embedded archive's documents.
type Volume struct {
	// Lost says that the documents are not where they were, and what to do: nothing may serve, and no claim be made.
	// It is empty when they are there, and while there never were any. Reason is that of the condition.
	Lost, Reason string
	// Only is the UID of the claim that the pods may use; empty when a claim that is not there may be made.
	Only types.UID
	// Keep is the claim to remember; nil while there is none with documents.
	Keep *corev1.PersistentVolumeClaim
	// Restored is the backup that was restored in the place of what was lost; empty when none was.
	Restored string
}

// JudgeVolume tells what to think of an embedded archive's volume, by its status, the claim of that name, nil when there
// is none, and the pods that serve. A claim that was lost is never made again by itself: its volume would be empty, and
// the archive would serve as if there had been nothing.
func JudgeVolume(archive *v1alpha1.Archive, claim *corev1.PersistentVolumeClaim, pods []corev1.Pod) (v Volume) {
	status := archive.Status.Workload
	if status == nil {
		status = &v1alpha1.ArchiveWorkloadStatus{}
	}
	restore := archive.Spec.Workload.Restore
	switch known := status.VolumeClaimUID; {
	case known == "" && status.VolumeSize == nil && status.VolumeLostAt == nil: // it never had one
		v.begin(archive, claim, pods)
	case known == "" && status.VolumeLostAt == nil && claim != nil && !foreign(claim, archive): // a former version remembered the size alone
		v.goOn(claim)
	case claim != nil && (string(claim.UID) == known || brings(claim, status)):
		v.goOn(claim)
	case status.VolumeLostAt != nil && restore != nil:
		if v.begin(archive, claim, pods); v.Keep != nil {
			v.Restored = restore.Backup
		}
	default:
		v.Reason, v.Lost = v1alpha1.VolumeLostReason, lostVolume(archive, status, claim)
	}
	return v
}

// begin is for a claim that may be made: it is remembered once the documents are on its volume.
func (v *Volume) begin(archive *v1alpha1.Archive, claim *corev1.PersistentVolumeClaim, pods []corev1.Pod) {
	switch {
	case claim == nil:
	case foreign(claim, archive):
		v.Reason, v.Lost = v1alpha1.ArchiveConflictReason, NotOurs("PersistentVolumeClaim", claim)
	case archive.Spec.Workload.Restore == nil || restored(pods, claim):
		v.keep(claim)
	}
}

// goOn is for the one claim that has the documents, or takes the place of that.
func (v *Volume) goOn(claim *corev1.PersistentVolumeClaim) {
	v.Only = claim.UID
	v.keep(claim)
}

func (v *Volume) keep(claim *corev1.PersistentVolumeClaim) {
	if claim.Status.Phase == corev1.ClaimBound {
		v.Keep = claim
	}
}

func foreign(claim *corev1.PersistentVolumeClaim, archive *v1alpha1.Archive) bool {
	return !MadeFor(claim, archive) && !LeftBy(claim, archive)
}

// brings tells whether a claim brings a lost volume back, or may take its place by a person's word.
func brings(claim *corev1.PersistentVolumeClaim, status *v1alpha1.ArchiveWorkloadStatus) bool {
	return (claim.Spec.VolumeName != "" && claim.Spec.VolumeName == string(status.VolumeName)) ||
		claim.Annotations[InPlaceOfAnnotation] == lostUID(status)
}

func lostUID(status *v1alpha1.ArchiveWorkloadStatus) string {
	if status.VolumeClaimUID == "" {
		return unknownClaim
	}
	return status.VolumeClaimUID
}

// restored tells whether a pod has found the backup on a claim's volume, or brought it there.
func restored(pods []corev1.Pod, claim *corev1.PersistentVolumeClaim) bool {
	for i := range pods {
		if pods[i].CreationTimestamp.Before(&claim.CreationTimestamp) {
			continue // of another volume
		}
		for _, c := range pods[i].Status.InitContainerStatuses {
			if ended := c.State.Terminated; c.Name == RestoreContainer && ended != nil && ended.ExitCode == 0 {
				return true
			}
		}
	}
	return false
}

func lostVolume(archive *v1alpha1.Archive, status *v1alpha1.ArchiveWorkloadStatus, claim *corev1.PersistentVolumeClaim) string {
	text := fmt.Sprintf("PersistentVolumeClaim %s/%s with the archive's documents is missing", archive.Namespace, ClaimName(archive.Name))
	if claim != nil {
		text = fmt.Sprintf("PersistentVolumeClaim %s/%s is another than the one with the archive's documents", archive.Namespace, claim.Name)
	}
	volume := "the volume"
	if status.VolumeName != "" {
		volume = "PersistentVolume " + string(status.VolumeName)
	}
	text += fmt.Sprintf(": nothing is served, and no empty volume takes its place. Bring %s back as a claim of this name, or ", volume)
	if archive.Spec.Workload.Restore != nil { // it may be of long ago
		text += "take spec.workload.restore away, which was there before, and set it again to take a backup."
	} else {
		text += "set spec.workload.restore to take a backup."
	}
	return text + fmt.Sprintf(" A claim of another volume is taken with the annotation %s: %s.", InPlaceOfAnnotation, lostUID(status))
}

// Remember writes into a status what is known of the volume from now on.
func (v *Volume) Remember(archive *v1alpha1.Archive, status *v1alpha1.ArchiveWorkloadStatus, now time.Time) {
	switch {
	case v.Reason == v1alpha1.VolumeLostReason && archive.Spec.Workload.Restore == nil && status.VolumeLostAt == nil:
		at := metav1.NewTime(now)
		status.VolumeLostAt = &at
	case v.Keep != nil:
		status.VolumeClaimUID, status.VolumeName, status.VolumeLostAt = string(v.Keep.UID), v1alpha1.ObjectName(v.Keep.Spec.VolumeName), nil
		if size, ok := v.Keep.Status.Capacity[corev1.ResourceStorage]; ok {
			status.VolumeSize = &size
		}
		if v.Restored != "" {
			status.RestoredFrom = v.Restored
		}
	}
}
