// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The default storage class gives each claim a directory of the node's. Its size is
// what was asked for, in words only: nothing keeps a pod from writing more.
const (
	provisioner      = "cluster.valtuus.io/directory"
	provisionedBy    = "pv.kubernetes.io/provisioned-by"
	claimProvisioner = "volume.kubernetes.io/storage-provisioner"
	selectedNode     = "volume.kubernetes.io/selected-node"
)

// wanted reports that a claim waits for a volume: a pod that uses it has been given a node.
func wanted(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Annotations[claimProvisioner] == provisioner && claim.Annotations[selectedNode] != "" &&
		claim.Spec.VolumeName == "" && claim.DeletionTimestamp == nil
}

// volumeFor is the volume that a claim waits for, in a directory that exists.
func volumeFor(claim *corev1.PersistentVolumeClaim, dir string) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: volumeName(claim), Annotations: map[string]string{provisionedBy: provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: asked(claim)},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			StorageClassName:              *claim.Spec.StorageClassName,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: dir}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{nodeName},
				}},
			}}}},
		},
	}
}

func volumeName(claim *corev1.PersistentVolumeClaim) string { return "pvc-" + string(claim.UID) }

func asked(claim *corev1.PersistentVolumeClaim) resource.Quantity {
	return claim.Spec.Resources.Requests[corev1.ResourceStorage]
}

// ours reports that a volume was made here.
func ours(volume *corev1.PersistentVolume) bool {
	return volume.Annotations[provisionedBy] == provisioner
}

// finished reports that nothing uses a volume any more, and nobody wants to keep it.
func finished(volume *corev1.PersistentVolume) bool {
	return ours(volume) && volume.Status.Phase == corev1.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete
}

// grown reports that a bound claim asks for more than it has, and how much that is.
func grown(claim *corev1.PersistentVolumeClaim) (resource.Quantity, bool) {
	size, has := asked(claim), claim.Status.Capacity[corev1.ResourceStorage]
	return size, claim.Annotations[claimProvisioner] == provisioner && claim.Status.Phase == corev1.ClaimBound && size.Cmp(has) > 0
}
