// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

func failedJob(reason, message string) *batchv1.Job {
	return &batchv1.Job{Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{
		{Type: batchv1.JobFailureTarget, Status: corev1.ConditionTrue, Reason: reason, Message: message},
		{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: reason, Message: message},
	}}}
}

func endedPod(at time.Duration, exit int32, reason, message string) corev1.Pod {
	ended := metav1.NewTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(at))
	return corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exit, Reason: reason, Message: message, FinishedAt: ended}},
	}}}}
}

func waitingPod(reason string) corev1.Pod {
	return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{
		Image: "valtuus:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "try " + reason}},
	}}}}
}

func TestHowASimulationGoesIsReadFromItsJob(t *testing.T) {
	g := NewWithT(t)
	for name, c := range map[string]struct {
		job    *batchv1.Job
		pods   []corev1.Pod
		failed bool
		says   []string
	}{
		"it runs":  {job: &batchv1.Job{}, pods: []corev1.Pod{{Status: corev1.PodStatus{Phase: corev1.PodRunning}}}},
		"it ended": {job: &batchv1.Job{Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}}},
		"one try failed, and there is another": {
			job:  &batchv1.Job{Status: batchv1.JobStatus{Failed: 1}},
			pods: []corev1.Pod{endedPod(0, 1, "Error", "no"), {Status: corev1.PodStatus{Phase: corev1.PodRunning}}},
		},
		"it is about to fail": {job: &batchv1.Job{Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionFalse}}}}},
		"it failed, and the pods are gone": {
			job: failedJob("DeadlineExceeded", "Job was active longer than specified deadline"), failed: true,
			says: []string{"The simulation failed: DeadlineExceeded: Job was active longer than specified deadline."},
		},
		"the newest pod tells why": {
			job: failedJob("BackoffLimitExceeded", "too often"), failed: true,
			pods: []corev1.Pod{endedPod(time.Minute, 1, "Error", "line\nvaltuus: the producer could not find the client\n"), endedPod(0, 1, "Error", "earlier")},
			says: []string{"BackoffLimitExceeded: too often. It said last: valtuus: the producer could not find the client."},
		},
		"it says nothing": {
			job: failedJob("BackoffLimitExceeded", ""), failed: true, pods: []corev1.Pod{endedPod(0, 137, "OOMKilled", "")},
			says: []string{"The simulation failed: BackoffLimitExceeded. It ended with exit status 137 (OOMKilled)."},
		},
		"an image that is not there": {job: &batchv1.Job{}, pods: []corev1.Pod{waitingPod("ImagePullBackOff")}, says: []string{`image "valtuus:1" cannot be pulled; see the events of pod p.`}},
		"a Secret that is not there": {job: &batchv1.Job{}, pods: []corev1.Pod{waitingPod("ContainerCreating")}, says: []string{"pod p is being made", "events"}},
		"a container that cannot be": {job: &batchv1.Job{}, pods: []corev1.Pod{waitingPod("CreateContainerConfigError")}, says: []string{"CreateContainerConfigError; see the events of pod p."}},
		"no node": {job: &batchv1.Job{}, says: []string{"no node takes pod p: Unschedulable: 0/1 nodes are available."}, pods: []corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Name: "p"},
			Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes are available",
			}}},
		}}},
	} {
		got := OfSimulation(c.job, c.pods)
		g.Expect(got.Failed).To(Equal(c.failed), name)
		if len(c.says) == 0 {
			g.Expect(got.Message).To(BeEmpty(), name)
		}
		for _, part := range c.says {
			g.Expect(got.Message).To(ContainSubstring(part), name)
		}
	}
	// What changes from try to try does not change the words.
	first := OfSimulation(&batchv1.Job{}, []corev1.Pod{waitingPod("ErrImagePull")})
	g.Expect(OfSimulation(&batchv1.Job{}, []corev1.Pod{waitingPod("ImagePullBackOff")})).To(Equal(first))
	// What others wrote is one line that can be shown, and not a long one.
	wild := OfSimulation(failedJob("Odd\x1b[31m\n", strings.Repeat("ä", 5000)), []corev1.Pod{endedPod(0, 1, "", "x\n"+strings.Repeat("\x00ö\xff", 5000))})
	g.Expect(wild.Message).NotTo(ContainSubstring("\n"))
	g.Expect(wild.Message).NotTo(ContainSubstring("\x1b"))
	g.Expect(utf8.ValidString(wild.Message)).To(BeTrue())
	g.Expect(len([]rune(wild.Message))).To(BeNumerically("<", 1000))
}

// TestASimulationIsReachedByNobodyAndReachesOnlyTheArchive holds the policy of the pods that play a test.
func TestASimulationIsReachedByNobodyAndReachesOnlyTheArchive(t *testing.T) {
	g := NewWithT(t)
	test := &v1alpha1.DeploymentTest{ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: strings.Repeat("n", 52), UID: "u"}}
	policy := SimulationPolicy(test, "https://county.platform.svc:8443")
	g.Expect(metav1.IsControlledBy(policy, test)).To(BeTrue(), "it goes with the test")
	g.Expect(policy.Spec.PolicyTypes).To(HaveLen(2))
	g.Expect(policy.Spec.Ingress).To(BeEmpty())
	selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(selector.Matches(labels.Set{batchv1.JobNameLabel: JobName(test.Name)})).To(BeTrue())
	g.Expect(selector.Matches(labels.Set{batchv1.JobNameLabel: "other"})).To(BeFalse())
	reaches := func(endpoint string) (to []string) {
		for _, rule := range SimulationPolicy(test, endpoint).Spec.Egress {
			g.Expect(rule.Ports).NotTo(BeEmpty(), "without ports a rule lets everything out")
			for _, port := range rule.Ports {
				to = append(to, string(*port.Protocol)+" "+port.Port.String())
			}
		}
		return to
	}
	g.Expect(reaches("https://county.platform.svc:8443")).To(ConsistOf("UDP 53", "TCP 53", "TCP 8443"))
	g.Expect(reaches("https://archive.example")).To(ConsistOf("UDP 53", "TCP 53", "TCP 443"))
	g.Expect(reaches("https://[::1]:9443/")).To(ContainElement("TCP 9443"))
}

// TestAFailedSimulationEndsTheWindowAtOnce: nobody is left to play what was not seen. What was all seen has passed.
func TestAFailedSimulationEndsTheWindowAtOnce(t *testing.T) {
	g := NewWithT(t)
	why := func(judgement Judgement, simulation Simulation) (string, bool) {
		f := found(&judgement)
		f.Simulation = simulation
		return Over(f)
	}
	failed := Simulation{Failed: true, Message: "The simulation failed: DeadlineExceeded."}
	message, over := why(Judgement{}, failed)
	g.Expect([]any{message, over}).To(Equal([]any{failed.Message, true}))
	message, over = why(Judgement{}, Simulation{Message: "pod p is being made."})
	g.Expect([]any{message, over}).To(Equal([]any{"", false}), "it may start yet")
	message, over = why(Judgement{Passed: true}, failed)
	g.Expect([]any{message, over}).To(Equal([]any{"", true}))
}

// TestASimulationStoresInFormatsThatBothSystemsDeclare: a step in another format would not be seen, and the test could not pass.
func TestASimulationStoresInFormatsThatBothSystemsDeclare(t *testing.T) {
	const jsonType, xhtmlType = "application/json", "application/xhtml+xml"
	only := func(formats ...v1alpha1.DocumentFormat) *v1alpha1.ClientSystem {
		return &v1alpha1.ClientSystem{Spec: v1alpha1.ClientSystemSpec{Formats: formats}}
	}
	for _, c := range []struct {
		organizer, producer             *v1alpha1.ClientSystem
		organizerStores, producerStores string
	}{
		{only(v1alpha1.FormatJSON), only(v1alpha1.FormatJSON), jsonType, jsonType},
		{only(v1alpha1.FormatXHTML), only(v1alpha1.FormatXHTML), xhtmlType, xhtmlType},
		{only(v1alpha1.FormatJSON, v1alpha1.FormatXHTML), only(v1alpha1.FormatJSON), jsonType, jsonType},
		{only(v1alpha1.FormatXHTML), only(v1alpha1.FormatJSON, v1alpha1.FormatXHTML), xhtmlType, xhtmlType},
		{only(v1alpha1.FormatXHTML, v1alpha1.FormatJSON), only(v1alpha1.FormatJSON, v1alpha1.FormatXHTML), jsonType, xhtmlType},
	} {
		test := &v1alpha1.DeploymentTest{Spec: v1alpha1.DeploymentTestSpec{Run: &v1alpha1.TestRun{}, Simulation: &v1alpha1.TestSimulation{}}}
		args := strings.Join(Job(&Plan{Test: test, Organizer: c.organizer, Producer: c.producer}, "i", "e", time.Hour).Spec.Template.Spec.Containers[0].Args, " ")
		NewWithT(t).Expect(args).To(And(ContainSubstring("--organizer-format "+c.organizerStores), ContainSubstring("--producer-format "+c.producerStores)))
	}
}
