// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package manager

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/workload"
)

// cached says what of the cluster is kept in memory: of the kinds that are not this product's, what carries its labels, and
// only in the namespaces, where there are any.
func cached(namespaces []string) cache.Options {
	ofArchives := labels.NewSelector()
	for label, value := range map[string]string{workload.ManagedByLabel: workload.ManagedBy, workload.ArchiveLabel: ""} {
		operator, values := selection.Equals, []string{value}
		if value == "" {
			operator, values = selection.Exists, nil
		}
		requirement, err := labels.NewRequirement(label, operator, values)
		if err != nil {
			panic(err) // the labels are constants
		}
		ofArchives = ofArchives.Add(*requirement)
	}
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject:         map[client.Object]cache.ByObject{},
	}
	for _, kind := range workload.Kinds() {
		by := cache.ByObject{Label: ofArchives, Transform: whole}
		if _, ok := kind.(*corev1.Pod); ok {
			by.Transform = trimPod
		}
		if _, ofCluster := kind.(*rbacv1.ClusterRoleBinding); !ofCluster && len(namespaces) > 0 {
			by.Namespaces = map[string]cache.Config{}
			for _, name := range namespaces {
				by.Namespaces[name] = cache.Config{}
			}
		}
		options.ByObject[kind] = by
	}
	return options
}

// whole keeps an object as it is: by its managed fields it is seen whether anybody else has changed it.
func whole(o any) (any, error) { return o, nil }

// trimPod keeps of a pod what tells how it is.
func trimPod(o any) (any, error) {
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return o, nil
	}
	kept := &corev1.Pod{
		TypeMeta: pod.TypeMeta,
		ObjectMeta: metav1.ObjectMeta{
			Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion, Labels: pod.Labels,
			CreationTimestamp: pod.CreationTimestamp, DeletionTimestamp: pod.DeletionTimestamp,
		},
		Spec: corev1.PodSpec{NodeName: pod.Spec.NodeName},
		Status: corev1.PodStatus{
			Phase: pod.Status.Phase, Conditions: pod.Status.Conditions,
			InitContainerStatuses: pod.Status.InitContainerStatuses, ContainerStatuses: pod.Status.ContainerStatuses,
		},
	}
	for i := range pod.Spec.Containers {
		kept.Spec.Containers = append(kept.Spec.Containers, corev1.Container{
			Name: pod.Spec.Containers[i].Name, Image: pod.Spec.Containers[i].Image,
		})
	}
	return kept, nil
}
