// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// claimProblem tells why an archive has no volume.
func claimProblem(f *Facts) (Verdict, bool) {
	claim := f.Claim
	volume := func(stalled bool, format string, args ...any) (Verdict, bool) {
		return Verdict{Reason: v1alpha1.VolumePendingReason, Message: fmt.Sprintf(format, args...), Stalled: stalled}, true
	}
	switch {
	case claim.DeletionTimestamp != nil:
		return volume(true, "PersistentVolumeClaim %s is being deleted, and with it perhaps the documents: it goes as soon as no pod uses it.", claim.Name)
	case claim.Status.Phase == corev1.ClaimLost:
		return Verdict{Reason: v1alpha1.VolumeLostReason, Message: fmt.Sprintf("The volume of PersistentVolumeClaim %s is gone: "+
			"bring it back, or delete the claim and then set spec.workload.restore to take a backup.", claim.Name), Stalled: true}, true
	case claim.Status.Phase == corev1.ClaimBound:
		return Verdict{}, false
	case f.ClassMissing != "":
		return volume(true, "PersistentVolumeClaim %s waits for a volume: %s", claim.Name, sentence(f.ClassMissing))
	case f.Warnings[Subject("PersistentVolumeClaim", claim.Name)] != "":
		return volume(false, "PersistentVolumeClaim %s waits for a volume: %s", claim.Name, sentence(f.Warnings[Subject("PersistentVolumeClaim", claim.Name)]))
	}
	// A class that waits for the first pod leaves it to the pod to say what is in the way.
	for _, pod := range f.present() {
		if v, ok := unscheduled(pod); ok {
			return v, true
		}
	}
	return volume(false, "PersistentVolumeClaim %s waits for a volume.", claim.Name)
}

// growing tells how a volume that is to be larger grows. Pods serve meanwhile.
func growing(f *Facts) (Verdict, bool) {
	if f.Claim == nil || f.ClaimSize == nil || f.Claim.Status.Phase != corev1.ClaimBound {
		return Verdict{}, false
	}
	has := f.Claim.Status.Capacity[corev1.ResourceStorage]
	if has.Cmp(*f.ClaimSize) >= 0 {
		return Verdict{}, false
	}
	why, stalled := "", false
	switch f.Claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimControllerResizeInfeasible, corev1.PersistentVolumeClaimNodeResizeInfeasible:
		why, stalled = ": the storage refuses the size", true
	default: // it may come to it
	}
	for _, c := range f.Claim.Status.Conditions {
		if c.Status != corev1.ConditionTrue || why != "" {
			continue
		}
		switch c.Type {
		case corev1.PersistentVolumeClaimFileSystemResizePending:
			why = ": the file system grows when a pod mounts it anew"
		case corev1.PersistentVolumeClaimControllerResizeError, corev1.PersistentVolumeClaimNodeResizeError:
			why = ": " + c.Message
		case corev1.PersistentVolumeClaimResizing, corev1.PersistentVolumeClaimUnused,
			corev1.PersistentVolumeClaimVolumeModifyVolumeError, corev1.PersistentVolumeClaimVolumeModifyingVolume:
		}
	}
	return Verdict{
		Reason:  v1alpha1.VolumeNotGrownReason,
		Message: fmt.Sprintf("PersistentVolumeClaim %s is to grow from %s to %s%s", f.Claim.Name, has.String(), f.ClaimSize.String(), sentence(why)),
		Stalled: stalled,
	}, true
}

// sentence ends a text with one full stop.
func sentence(text string) string {
	for len(text) > 0 && (text[len(text)-1] == '.' || text[len(text)-1] == ' ' || text[len(text)-1] == '\n') {
		text = text[:len(text)-1]
	}
	return text + "."
}
