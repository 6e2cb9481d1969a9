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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// playing waits for the Job of a simulated test.
func (l *life) playing(ctx context.Context, test *v1alpha1.DeploymentTest) *batchv1.Job {
	GinkgoHelper()
	job := come(ctx, l, &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: test.Namespace, Name: test.Name + "-simulation"}})
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(l.Delete(ctx, job))).To(Succeed()) })
	return job
}

// player is the pod that kube-controller-manager makes for a Job, with what a kubelet says of its container.
func (l *life) player(ctx context.Context, job *batchv1.Job, phase corev1.PodPhase, state corev1.ContainerState) *corev1.Pod {
	GinkgoHelper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: job.Namespace, Name: job.Name + "-x", Labels: map[string]string{batchv1.JobNameLabel: job.Name, batchv1.ControllerUidLabel: string(job.UID)},
	}, Spec: *job.Spec.Template.Spec.DeepCopy()}
	Expect(l.Create(ctx, pod)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(client.IgnoreNotFound(l.Delete(ctx, pod, client.GracePeriodSeconds(0)))).To(Succeed())
	})
	l.says(ctx, pod, corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{Name: "simulation", Image: archiveImage, State: state}}})
	return pod
}

var _ = Describe("the Job of a simulated deployment test", func() {
	It("is told of while it does not start, and ends the window when it has failed", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeSimulated))
		job := l.playing(ctx, test)
		Expect(l.Get(ctx, keyOf(job), &networkingv1.NetworkPolicy{})).To(Succeed(), "its pods have a policy from the start")

		pod := l.player(ctx, job, corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "back-off"}})
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(notBeReady(v1alpha1.TestOpenReason), say("cannot be pulled"), say(archiveImage)))

		l.says(ctx, pod, corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{
			Name: "simulation", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 1, Reason: "Error", Message: "valtuus: the producer could not find the client\n", FinishedAt: metav1.Now(),
			}},
		}}})
		Consistently(seen(ctx, l, test), "400ms").Should(be(v1alpha1.TestOpen), "there is one more try")
		before, now := job.DeepCopy(), metav1.NewTime(time.Now().Truncate(time.Second))
		job.Status = batchv1.JobStatus{StartTime: &now, Failed: 2, Conditions: []batchv1.JobCondition{
			{Type: batchv1.JobFailureTarget, Status: corev1.ConditionTrue, LastTransitionTime: now},
			{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: "it failed twice", LastTransitionTime: now},
		}}
		Expect(l.Status().Patch(ctx, job, client.MergeFrom(before))).To(Succeed())
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestClosing), say("BackoffLimitExceeded: it failed twice. It said last: valtuus: the producer could not find the client.")))
		l.closes(ctx, l.observer(test))
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), say("The simulation failed: BackoffLimitExceeded"), HaveField("Status.Result", v1alpha1.ResultFailed)))
	})

	It("is not adopted: a Job of its name that is somebody else's ends the window", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.run("pair", v1alpha1.ModeSimulated)
		theirs := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: "pair-simulation"}}
		theirs.Spec.Template.Spec = corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "a", Image: "a"}}}
		Expect(l.Create(ctx, theirs)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(l.Delete(ctx, theirs))).To(Succeed()) })
		Expect(l.Create(ctx, test)).To(Succeed())
		Eventually(seen(ctx, l, test)).Should(notBeReady(v1alpha1.TestScheduledReason))
		l.clock.SetTime(test.Spec.Run.StartsAt.Time)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestClosing), say("Job pair-simulation is not this test's")))
		l.closes(ctx, l.observer(must(seen(ctx, l, test)())))
		Eventually(seen(ctx, l, test)).Should(be(v1alpha1.TestFailed))
	})
})
