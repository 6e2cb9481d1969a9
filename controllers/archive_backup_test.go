// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/testworld"
	"github.com/valtuus/valtuus/internal/workload"
)

func (l *life) cronJob() *batchv1.CronJob {
	return &batchv1.CronJob{ObjectMeta: l.meta("-backup")}
}

// backup lets a Job of the archive's backups end, with what its pod said.
func (l *life) backup(ctx context.Context, suffix, message string, failed bool) {
	GinkgoHelper()
	from := must(seen(ctx, l, l.cronJob())())
	job := &batchv1.Job{ObjectMeta: l.meta(suffix), Spec: from.Spec.JobTemplate.Spec}
	job.Labels = from.Spec.JobTemplate.Labels
	Expect(l.Create(ctx, job)).To(Succeed())
	pod := &corev1.Pod{ObjectMeta: l.meta(suffix + "-pod"), Spec: *from.Spec.JobTemplate.Spec.Template.Spec.DeepCopy()}
	pod.Labels = map[string]string{batchv1.JobNameLabel: job.Name}
	for key, value := range from.Spec.JobTemplate.Spec.Template.Labels {
		pod.Labels[key] = value
	}
	Expect(l.Create(ctx, pod)).To(Succeed())
	exit, phase := int32(0), corev1.PodSucceeded
	if failed {
		exit, phase = 1, corev1.PodFailed
	}
	l.says(ctx, pod, corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{
		Name: workload.BackupContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exit, Message: message, FinishedAt: metav1.Now()}},
	}}})
	before := job.DeepCopy()
	now := metav1.NewTime(time.Now().Truncate(time.Second))
	job.Status.StartTime = &now
	if failed {
		job.Status.Failed = 1
		job.Status.Conditions = []batchv1.JobCondition{
			{Type: batchv1.JobFailureTarget, Status: corev1.ConditionTrue, LastTransitionTime: now},
			{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: "it failed", LastTransitionTime: now},
		}
	} else {
		job.Status.Succeeded, job.Status.CompletionTime = 1, &now
		job.Status.Conditions = []batchv1.JobCondition{
			{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue, LastTransitionTime: now},
			{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: now},
		}
	}
	Expect(l.Status().Patch(ctx, job, client.MergeFrom(before))).To(Succeed())
}

var _ = Describe("the backups of an archive", func() {
	scheduled := func(w *testworld.World) {
		embedded(w)
		w.Archive.Spec.Workload.Backup = &v1alpha1.ArchiveBackup{
			Schedule: "0 2 * * *", Volume: v1alpha1.BackupVolume{Size: ptr.To(resource.MustParse("5Gi"))},
		}
	}

	It("are made by a CronJob into a volume that stays, and what became of them is told", func(ctx context.Context) {
		l := begin(ctx, scheduled)
		job := come(ctx, l, l.cronJob())
		Expect(job.Spec.ConcurrencyPolicy).To(Equal(batchv1.ForbidConcurrent))
		policy := come(ctx, l, &networkingv1.NetworkPolicy{ObjectMeta: l.meta(".backup")})
		Expect(policy.Spec.PodSelector.MatchLabels).To(Equal(map[string]string{workload.ComponentLabel: "backup", workload.ArchiveLabel: l.Archive.Name}))
		claim := come(ctx, l, &corev1.PersistentVolumeClaim{ObjectMeta: l.meta("-backups")})
		Expect(claim.OwnerReferences).To(BeEmpty())

		l.backup(ctx, "-backup-1", `{"name":"20260301T020000Z","completedAt":"2026-03-01T02:00:00Z","size":4096}`, false)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(
			haveCondition(v1alpha1.BackedUpCondition, metav1.ConditionTrue, v1alpha1.SucceededReason),
			HaveField("Status.Workload.LastBackup.Name", "20260301T020000Z"),
			HaveField("Status.Workload.LastBackup.Size.String()", "4Ki")))
		time.Sleep(1100 * time.Millisecond) // Jobs tell when they ended in whole seconds
		l.backup(ctx, "-backup-2", `{"reason":"VolumeFull","message":"write archive.db: no space left on device"}`, true)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(
			haveCondition(v1alpha1.BackedUpCondition, metav1.ConditionFalse, v1alpha1.BackupFailedReason),
			HaveField("Status.Workload.LastBackup.Name", "20260301T020000Z")))

		By("leaving it alone once settled, and when the Jobs have gone")
		settling := &journal{}
		l.startOn(settling.keep(l.config()), nil)
		l.quiet(ctx, settling)
		Expect(l.DeleteAllOf(ctx, &batchv1.Job{}, client.InNamespace(l.Platform), client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		restarted := &journal{}
		l.startOn(restarted.keep(l.config()), nil)
		l.expectNothing(ctx, restarted)
		Expect(must(seen(ctx, l, l.Archive)())).To(SatisfyAll(
			haveCondition(v1alpha1.BackedUpCondition, metav1.ConditionFalse, v1alpha1.BackupFailedReason),
			HaveField("Status.Workload.LastBackup.Name", "20260301T020000Z")))

		change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { a.Spec.Workload.Backup = nil })
		Eventually(func() error { return l.Get(ctx, keyOf(l.cronJob()), &batchv1.CronJob{}) }).Should(MatchError(ContainSubstring("not found")))
		Eventually(func() error { return l.Get(ctx, keyOf(policy), &networkingv1.NetworkPolicy{}) }).Should(MatchError(ContainSubstring("not found")))
		Eventually(seen(ctx, l, l.Archive)).Should(haveCondition(v1alpha1.BackedUpCondition, "", ""))
		Expect(l.Get(ctx, keyOf(claim), &corev1.PersistentVolumeClaim{})).To(Succeed(), "the backups stay")
	})

	It("let a new archive start from one, under the keys of the archive that was backed up", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) {
			embedded(w)
			w.Archive.Spec.Workload.Restore = &v1alpha1.ArchiveRestore{ClaimName: "old-backups", Backup: "20260301T020000Z"}
		})
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.KeysLostReason))
		Consistently(func() error { return l.Get(ctx, keyOf(l.keys()), &corev1.Secret{}) }, "500ms").Should(MatchError(ContainSubstring("not found")), "new keys would open nothing of the backup")
		keys := l.keys()
		made, err := workload.NewKeys()
		Expect(err).NotTo(HaveOccurred())
		keys.Data = made
		keys.Labels = map[string]string{workload.ManagedByLabel: workload.ManagedBy, workload.ArchiveLabel: l.Archive.Name}
		keys.Annotations = map[string]string{workload.OwnerAnnotation: "of-the-former-archive"}
		Expect(l.Create(ctx, keys)).To(Succeed())
		l.touch(ctx, l.Archive, "again")
		set := come(ctx, l, l.statefulSet())
		Expect(set.Spec.Template.Spec.InitContainers).To(HaveLen(2))

		failing := func(message string) corev1.PodStatus {
			return corev1.PodStatus{Phase: corev1.PodPending, InitContainerStatuses: []corev1.ContainerStatus{{
				Name: workload.RestoreContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: message}},
			}}}
		}
		pod := l.pod(ctx, "-0", failing(`{"reason":"BackupMissing","message":"there is no backup 20260301T020000Z"}`))
		l.bind(ctx, "1Gi")
		l.count(ctx, 1, 0)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.PodFailingReason),
			WithTransform(readyMessageOf, ContainSubstring("BackupMissing: The backup could not be restored"))))
		done := serving
		done.InitContainerStatuses = []corev1.ContainerStatus{{
			Name: workload.RestoreContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: `{"restoredFrom":"20260301T020000Z"}`}},
		}}
		l.says(ctx, pod, done)
		l.count(ctx, 1, 1)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(
			beReady(v1alpha1.ArchiveServingReason), HaveField("Status.Workload.RestoredFrom", "20260301T020000Z")))

		change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { a.Spec.Workload.Restore = nil })
		Eventually(seen(ctx, l, l.statefulSet())).Should(HaveField("Spec.Template.Spec.InitContainers", HaveLen(1)))
		archive := must(seen(ctx, l, l.Archive)())
		Expect(archive.Status.Workload.RestoredFrom).To(Equal("20260301T020000Z"))
		Expect(tryChange(ctx, l, l.Archive, func(a *v1alpha1.Archive) {
			a.Spec.Workload.Restore = &v1alpha1.ArchiveRestore{ClaimName: "old-backups", Backup: "20260301T020000Z"}
		})).To(MatchError(ContainSubstring("restore can be given only when the Archive is made, or while its volume is lost")))
	})
})
