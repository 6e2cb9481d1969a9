// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/workload"
)

// lose takes the claim of the documents away, and the pod with it.
func (l *life) lose(ctx context.Context) {
	GinkgoHelper()
	Expect(l.Delete(ctx, &corev1.Pod{ObjectMeta: l.meta("-0")}, client.GracePeriodSeconds(0))).To(Succeed())
	Expect(l.Delete(ctx, l.volume())).To(Succeed())
	change(ctx, l, l.volume(), func(c *corev1.PersistentVolumeClaim) { c.Finalizers = nil }) // nobody here sees that no pod uses it
	Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.VolumeLostReason),
		haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.VolumeLostReason),
		HaveField("Status.Workload.VolumeLostAt", Not(BeNil()))))
	Eventually(missing(ctx, l, l.statefulSet())).Should(Succeed())
}

// claimed makes a claim of the name of the archive's, on a volume of that name.
func (l *life) claimed(ctx context.Context, volume string, annotations map[string]string) {
	GinkgoHelper()
	claim := l.volume()
	claim.Labels = map[string]string{workload.ManagedByLabel: workload.ManagedBy, workload.ArchiveLabel: l.Archive.Name}
	claim.Annotations = annotations
	claim.Spec = corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, VolumeName: volume,
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
	}
	Expect(l.Create(ctx, claim)).To(Succeed())
}

var _ = Describe("an archive whose volume is lost", func() {
	It("serves nothing and takes no empty one, until the volume is back", func(ctx context.Context) {
		l := up(ctx, embedded)
		change(ctx, l, l.volume(), func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "pv-of-" + l.Archive.Name })
		Eventually(seen(ctx, l, l.Archive)).Should(HaveField("Status.Workload.VolumeName", BeEquivalentTo("pv-of-"+l.Archive.Name)))
		known := must(seen(ctx, l, l.Archive)()).Status.Workload.VolumeClaimUID
		Expect(known).To(BeEquivalentTo(must(seen(ctx, l, l.volume())()).UID))
		l.lose(ctx)
		Consistently(missing(ctx, l, l.volume()), "500ms").Should(Succeed(), "no claim is made in its place")
		Expect(readyMessageOf(must(seen(ctx, l, l.Archive)()))).To(SatisfyAll(
			ContainSubstring("Bring PersistentVolume pv-of-%s back", l.Archive.Name), ContainSubstring("set spec.workload.restore"), ContainSubstring(known)))

		By("not taking what somebody else claims by that name")
		l.claimed(ctx, "another-volume", map[string]string{workload.OwnerAnnotation: string(l.Archive.UID)})
		l.touch(ctx, l.Archive, "again")
		Consistently(missing(ctx, l, l.statefulSet()), "500ms").Should(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(WithTransform(readyMessageOf, ContainSubstring("is another than the one")))
		Expect(l.Delete(ctx, l.volume())).To(Succeed())
		change(ctx, l, l.volume(), func(c *corev1.PersistentVolumeClaim) { c.Finalizers = nil })

		By("taking its own again, whose marks are made")
		l.claimed(ctx, "pv-of-"+l.Archive.Name, nil)
		come(ctx, l, l.statefulSet())
		l.serve(ctx)
		Expect(must(seen(ctx, l, l.Archive)()).Status.Workload).To(SatisfyAll(HaveField("VolumeLostAt", BeNil()),
			HaveField("VolumeClaimUID", BeEquivalentTo(must(seen(ctx, l, l.volume())()).UID))))
		Expect(must(seen(ctx, l, l.volume())()).Annotations).To(HaveKeyWithValue(workload.OwnerAnnotation, string(l.Archive.UID)))
		settling, restarted := &journal{}, &journal{}
		l.startOn(settling.keep(l.config()), nil)
		l.quiet(ctx, settling)
		l.startOn(restarted.keep(l.config()), nil)
		l.expectNothing(ctx, restarted)
	})

	It("starts from a backup that is asked for then, and only then", func(ctx context.Context) {
		l := up(ctx, embedded)
		ask := func(backup string) error {
			return tryChange(ctx, l, l.Archive, func(a *v1alpha1.Archive) {
				a.Spec.Workload.Restore = &v1alpha1.ArchiveRestore{ClaimName: "backups", Backup: backup}
			})
		}
		Expect(ask("20260301T020000Z")).To(MatchError(ContainSubstring("or while its volume is lost")))
		l.lose(ctx)
		Expect(ask("20260301T020000Z")).To(Succeed())
		set := come(ctx, l, l.statefulSet())
		Expect(set.Spec.Template.Spec.InitContainers).To(ContainElement(HaveField("Name", workload.RestoreContainer)))

		By("serving nothing when it is given up before it is done")
		l.bind(ctx, "1Gi")
		l.spec(ctx, func(w *v1alpha1.ArchiveWorkload) { w.Restore = nil })
		Eventually(missing(ctx, l, &appsv1.StatefulSet{ObjectMeta: l.meta("")})).Should(Succeed())
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.VolumeLostReason))

		Expect(ask("20260302T020000Z")).To(Succeed())
		done := serving
		done.InitContainerStatuses = []corev1.ContainerStatus{{
			Name: workload.RestoreContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}},
		}}
		come(ctx, l, l.statefulSet())
		l.pod(ctx, "-0", done)
		l.count(ctx, 1, 1)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(beReady(v1alpha1.ArchiveServingReason),
			HaveField("Status.Workload.RestoredFrom", "20260302T020000Z"), HaveField("Status.Workload.VolumeLostAt", BeNil()),
			HaveField("Status.Workload.VolumeClaimUID", BeEquivalentTo(must(seen(ctx, l, l.volume())()).UID))))
		l.spec(ctx, func(w *v1alpha1.ArchiveWorkload) { w.Restore = nil })
		Eventually(seen(ctx, l, l.statefulSet())).Should(HaveField("Spec.Template.Spec.InitContainers", HaveLen(1)), "the documents are there: it goes on")
	})
})
