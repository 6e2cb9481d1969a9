// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func aClaim(change func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	class := "node"
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "here", Name: "data", UID: "1-2",
			Annotations: map[string]string{claimProvisioner: provisioner, selectedNode: nodeName},
		},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
	change(claim)
	return claim
}

func TestAClaimIsGivenAVolumeOnceItsPodHasANode(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.PersistentVolumeClaim)
		want   bool
	}{
		"a pod uses it":  {func(*corev1.PersistentVolumeClaim) {}, true},
		"no pod yet":     {func(c *corev1.PersistentVolumeClaim) { delete(c.Annotations, selectedNode) }, false},
		"another's":      {func(c *corev1.PersistentVolumeClaim) { c.Annotations[claimProvisioner] = "other" }, false},
		"has one":        {func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "pvc-1-2" }, false},
		"being deleted":  {func(c *corev1.PersistentVolumeClaim) { c.DeletionTimestamp = &metav1.Time{} }, false},
		"no annotations": {func(c *corev1.PersistentVolumeClaim) { c.Annotations = nil }, false},
	} {
		if got := wanted(aClaim(test.change)); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAVolumeIsForItsClaimAlone(t *testing.T) {
	volume := volumeFor(aClaim(func(*corev1.PersistentVolumeClaim) {}), "/volumes/pvc-1-2")
	size := volume.Spec.Capacity[corev1.ResourceStorage]
	if ref := volume.Spec.ClaimRef; ref.Namespace != "here" || ref.Name != "data" || ref.UID != "1-2" ||
		volume.Name != "pvc-1-2" || volume.Spec.Local.Path != "/volumes/pvc-1-2" || size.String() != "1Gi" || !ours(volume) {
		t.Errorf("%+v", volume)
	}
}

func TestOnlyAFinishedVolumeIsTakenBack(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.PersistentVolume)
		want   bool
	}{
		"released": {func(v *corev1.PersistentVolume) { v.Status.Phase = corev1.VolumeReleased }, true},
		"in use":   {func(v *corev1.PersistentVolume) { v.Status.Phase = corev1.VolumeBound }, false},
		"to be kept": {func(v *corev1.PersistentVolume) {
			v.Status.Phase, v.Spec.PersistentVolumeReclaimPolicy = corev1.VolumeReleased, corev1.PersistentVolumeReclaimRetain
		}, false},
		"made by somebody": {func(v *corev1.PersistentVolume) { v.Status.Phase, v.Annotations = corev1.VolumeReleased, nil }, false},
	} {
		volume := volumeFor(aClaim(func(*corev1.PersistentVolumeClaim) {}), "/x")
		test.change(volume)
		if got := finished(volume); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestABoundClaimThatAsksForMoreGrows(t *testing.T) {
	bound := func(has string) func(*corev1.PersistentVolumeClaim) {
		return func(c *corev1.PersistentVolumeClaim) {
			c.Status.Phase = corev1.ClaimBound
			c.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(has)}
		}
	}
	if size, ok := grown(aClaim(bound("500Mi"))); !ok || size.String() != "1Gi" {
		t.Error(size.String(), ok)
	}
	for _, change := range []func(*corev1.PersistentVolumeClaim){bound("1Gi"), bound("2Gi"), func(*corev1.PersistentVolumeClaim) {}} {
		if _, ok := grown(aClaim(change)); ok {
			t.Error("grows without a reason")
		}
	}
}
