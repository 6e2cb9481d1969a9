// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/testworld"
	"github.com/valtuus/valtuus/internal/workload"
)

// embedded makes the world's archive one that runs in the cluster, with its documents on a volume.
func embedded(w *testworld.World) {
	w.Archive.Spec.External = nil
	w.Archive.Spec.Workload = &v1alpha1.ArchiveWorkload{Storage: v1alpha1.ArchiveStorage{
		Embedded: &v1alpha1.EmbeddedStorage{Size: ptr.To(resource.MustParse("1Gi"))},
	}}
}

// postgres makes the world's archive one that runs in the cluster, with its documents in a database.
func postgres(w *testworld.World) {
	w.Archive.Spec.External = nil
	w.Archive.Spec.Workload = &v1alpha1.ArchiveWorkload{Storage: v1alpha1.ArchiveStorage{
		Postgres: &v1alpha1.PostgresStorage{URI: v1alpha1.SecretKey{Name: "database", Key: "uri"}},
	}}
}

// database makes the Secret that the postgres archive names.
func (l *life) database(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: "database"},
		StringData: map[string]string{"uri": "postgresql://app:very-secret@db-rw." + l.Platform + ":5433/app"},
	}
	Expect(l.Create(ctx, secret)).To(Succeed())
	return secret
}

// meta names an object of the archive.
func (l *life) meta(suffix string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: l.Platform, Name: l.Archive.Name + suffix}
}

func (l *life) statefulSet() *appsv1.StatefulSet { return &appsv1.StatefulSet{ObjectMeta: l.meta("")} }
func (l *life) deployment() *appsv1.Deployment   { return &appsv1.Deployment{ObjectMeta: l.meta("")} }
func (l *life) volume() *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: l.meta("-data")}
}
func (l *life) keys() *corev1.Secret { return &corev1.Secret{ObjectMeta: l.meta("-archive-keys")} }

// children are the objects that an archive of this world should have.
func (l *life) children() []client.Object {
	out := []client.Object{
		&corev1.ServiceAccount{ObjectMeta: l.meta("-archive")}, &rbacv1.RoleBinding{ObjectMeta: l.meta("-archive")},
		workload.ClusterRoleBinding(l.Platform, l.Archive.Name), &corev1.Service{ObjectMeta: l.meta("")},
		&networkingv1.NetworkPolicy{ObjectMeta: l.meta("")}, l.keys(),
	}
	if l.Archive.Spec.Workload.Storage.Embedded != nil {
		return append(out, l.volume(), l.statefulSet())
	}
	return append(out, &policyv1.PodDisruptionBudget{ObjectMeta: l.meta("")}, l.deployment())
}

// come waits until an object is there.
func come[O client.Object](ctx context.Context, l *life, o O) O {
	GinkgoHelper()
	Eventually(seen(ctx, l, o)).ShouldNot(BeNil())
	var fresh O
	Eventually(func() (err error) {
		fresh, err = seen(ctx, l, o)()
		return err
	}).Should(Succeed())
	return fresh
}

// pod makes a pod of the archive that serves, as the set would: there is no kubelet here.
func (l *life) pod(ctx context.Context, suffix string, status corev1.PodStatus) *corev1.Pod {
	GinkgoHelper()
	pod := &corev1.Pod{
		ObjectMeta: l.meta(suffix),
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: workload.ServerContainer, Image: archiveImage}}},
	}
	pod.Labels = map[string]string{
		workload.ManagedByLabel: workload.ManagedBy, workload.ArchiveLabel: l.Archive.Name, workload.ComponentLabel: workload.Component,
	}
	Expect(l.Create(ctx, pod)).To(Succeed())
	l.says(ctx, pod, status)
	return pod
}

// says sets what a pod's kubelet says of it.
func (l *life) says(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) {
	GinkgoHelper()
	fresh, err := seen(ctx, l, pod)()
	Expect(err).NotTo(HaveOccurred())
	before := fresh.DeepCopy()
	fresh.Status = status
	Expect(l.Status().Patch(ctx, fresh, client.MergeFrom(before))).To(Succeed())
}

var serving = corev1.PodStatus{
	Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
}

// bind gives the claim its volume, as a provisioner would.
func (l *life) bind(ctx context.Context, size string) {
	GinkgoHelper()
	claim := come(ctx, l, l.volume())
	before := claim.DeepCopy()
	claim.Status.Phase = corev1.ClaimBound
	claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
	Expect(l.Status().Patch(ctx, claim, client.MergeFrom(before))).To(Succeed())
}

// count sets what a set says of its pods, as its controller would.
func (l *life) count(ctx context.Context, replicas, ready int32) {
	GinkgoHelper()
	if l.Archive.Spec.Workload.Storage.Embedded != nil {
		set := come(ctx, l, l.statefulSet())
		before := set.DeepCopy()
		set.Status = appsv1.StatefulSetStatus{ObservedGeneration: set.Generation, Replicas: replicas, UpdatedReplicas: replicas, ReadyReplicas: ready}
		Expect(l.Status().Patch(ctx, set, client.MergeFrom(before))).To(Succeed())
		return
	}
	set := come(ctx, l, l.deployment())
	before := set.DeepCopy()
	set.Status = appsv1.DeploymentStatus{
		ObservedGeneration: set.Generation, Replicas: replicas, UpdatedReplicas: replicas, ReadyReplicas: ready, AvailableReplicas: ready,
	}
	Expect(l.Status().Patch(ctx, set, client.MergeFrom(before))).To(Succeed())
}

// serve makes the archive's pods serve.
func (l *life) serve(ctx context.Context) {
	GinkgoHelper()
	if l.Archive.Spec.Workload.Storage.Embedded != nil {
		l.bind(ctx, "1Gi")
		l.pod(ctx, "-0", serving)
		l.count(ctx, 1, 1)
	} else {
		l.pod(ctx, "-a", serving)
		l.pod(ctx, "-b", serving)
		l.count(ctx, 2, 2)
	}
	Eventually(seen(ctx, l, l.Archive)).Should(beReady(v1alpha1.ArchiveServingReason))
}

// spec edits what the archive's workload asks for.
func (l *life) spec(ctx context.Context, edit func(*v1alpha1.ArchiveWorkload)) {
	GinkgoHelper()
	change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { edit(a.Spec.Workload) })
}

// up begins a world whose archive runs in the cluster and serves.
func up(ctx context.Context, kind func(*testworld.World)) *life {
	GinkgoHelper()
	l := begin(ctx, kind)
	if l.Archive.Spec.Workload.Storage.Postgres != nil {
		l.database(ctx)
	}
	l.serve(ctx)
	return l
}

func missing(ctx context.Context, l *life, o client.Object) func() error {
	return func() error {
		err := l.Get(ctx, client.ObjectKeyFromObject(o), o.DeepCopyObject().(client.Object))
		if err == nil {
			return fmt.Errorf("%T %s is there", o, o.GetName())
		}
		return client.IgnoreNotFound(err)
	}
}

// leases names the Leases of the archive's replicas.
func (l *life) leases(ctx context.Context) (names []string) {
	GinkgoHelper()
	var list coordinationv1.LeaseList
	Expect(l.List(ctx, &list, client.InNamespace(l.Platform))).To(Succeed())
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}
