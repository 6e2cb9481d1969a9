// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// The statuses below are as a kubelet, a scheduler or a controller of Kubernetes 1.36 writes them.

var born = metav1.NewTime(time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC))

func podNamed(name string, age time.Duration, status corev1.PodStatus) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(born.Add(-age))},
		Spec:       corev1.PodSpec{NodeName: "node", Containers: []corev1.Container{{Name: ServerContainer, Image: "valtuus:1"}}},
		Status:     status,
	}
}

var (
	readyPod = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	notReady = []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady"}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
	}
	initializing = corev1.ContainerStatus{Name: ServerContainer, Image: "valtuus:1", State: waiting("PodInitializing", "")}
	migrated     = corev1.ContainerStatus{Name: MigrateContainer, Ready: true, State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"},
	}}
)

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func ended(code int32, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}}
}

// migrating is a pod whose first container is as said.
func migrating(state, last corev1.ContainerState, restarts int32) corev1.PodStatus {
	return corev1.PodStatus{
		Phase: corev1.PodPending, Conditions: notReady,
		InitContainerStatuses: []corev1.ContainerStatus{{
			Name: MigrateContainer, Image: "valtuus:1", State: state, LastTerminationState: last, RestartCount: restarts,
		}},
		ContainerStatuses: []corev1.ContainerStatus{initializing},
	}
}

// running is a pod whose server is as said.
func running(state, last corev1.ContainerState, restarts int32) corev1.PodStatus {
	return corev1.PodStatus{
		Phase: corev1.PodRunning, Conditions: notReady, InitContainerStatuses: []corev1.ContainerStatus{migrated},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: ServerContainer, Image: "valtuus:1", State: state, LastTerminationState: last, RestartCount: restarts,
		}},
	}
}

func claimed(phase corev1.PersistentVolumeClaimPhase, size string) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "national-data"}}
	claim.Status.Phase = phase
	if size != "" {
		claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
	}
	return claim
}

func TestTheStatusSaysWhatIsWrong(t *testing.T) {
	const backOff = `back-off 40s restarting failed container=migrate-schema pod=national-7f5c-x_platform(6d)`
	one := Set{Kind: "StatefulSet", Name: "national", Observed: true, Replicas: 1, Updated: 1}
	two := Set{Kind: "Deployment", Name: "national", Observed: true, Replicas: 3, Updated: 1, Ready: 2}
	only := func(status corev1.PodStatus) Facts {
		return Facts{Replicas: 1, Set: one, Pods: []corev1.Pod{podNamed("national-0", 0, status)}}
	}
	rolling := func(status corev1.PodStatus) Facts {
		return Facts{Replicas: 2, Set: two, Pods: []corev1.Pod{
			podNamed("national-b", time.Hour, readyPod), podNamed("national-a", time.Hour, readyPod), podNamed("national-c", 0, status),
		}}
	}
	gone := podNamed("national-gone", time.Minute, running(waiting("CrashLoopBackOff", backOff), ended(1, "Error", ""), 3))
	gone.DeletionTimestamp = &born
	evicted := podNamed("national-evicted", time.Minute, corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", ContainerStatuses: []corev1.ContainerStatus{
		{Name: ServerContainer, State: ended(137, "Error", "")},
	}})

	for name, c := range map[string]struct {
		facts   Facts
		reason  string
		words   []string // of the message
		stalled bool
	}{
		"an image that does not exist": {
			facts:  only(migrating(waiting("ErrImagePull", `failed to pull and unpack image "valtuus:1": failed to resolve reference "docker.io/library/valtuus:1": docker.io/library/valtuus:1: not found`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{`ImagePullFailed: image "valtuus:1"`, "no such image"},
		},
		"the same while the kubelet waits": {
			facts:  only(migrating(waiting("ImagePullBackOff", `Back-off pulling image "valtuus:1": ErrImagePull: failed to pull and unpack image "valtuus:1": failed to resolve reference "docker.io/library/valtuus:1": docker.io/library/valtuus:1: not found`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{`ImagePullFailed: image "valtuus:1" cannot be pulled: the registry has no such image.`},
		},
		"an image that may not be pulled": {
			facts:  only(migrating(waiting("ErrImagePull", `failed to pull and unpack image: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token: 401 Unauthorized`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{"the registry refuses it", "imagePullSecrets"},
		},
		"a registry that cannot be reached, while others serve": {
			facts:  rolling(migrating(waiting("ErrImagePull", `failed to pull and unpack image "ghcr.io/nobody/nothing:1": failed to resolve image: failed to do request: Head "https://ghcr.io/v2/nobody/nothing/manifests/1": dial tcp: lookup ghcr.io on 10.255.255.53:53: read udp 10.123.0.1:47999->10.255.255.53:53: i/o timeout`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{"the registry cannot be reached.", "Meanwhile 2 of 2 pods serve."},
		},
		"an invalid name of an image": {
			facts:  only(migrating(waiting("InvalidImageName", `Failed to apply default image tag "Not:Valid:x": couldn't parse image name "Not:Valid:x": invalid reference format: repository name (library/Not) must be lowercase`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{`InvalidImageName: "valtuus:1" is no name of an image.`}, stalled: true,
		},
		"no room on any node": {
			facts: only(corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
				Message: "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
			}}}),
			reason: v1alpha1.PodFailingReason, words: []string{"Unschedulable: no node takes pod national-0: 0/1 nodes are available: 1 Insufficient cpu."},
		},
		"a key that a Secret lacks": {
			facts:  only(running(waiting("CreateContainerConfigError", `couldn't find key uri in Secret platform/database`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{"CreateContainerConfigError: container archive of pod national-0: couldn't find key uri in Secret platform/database."}, stalled: true,
		},
		"a Secret that cannot be mounted": {
			facts: func() Facts {
				f := only(migrating(waiting("PodInitializing", ""), corev1.ContainerState{}, 0))
				f.Warnings = map[string]string{"Pod/national-0": `FailedMount: MountVolume.SetUp failed for volume "server" : secret "national-server" not found`}
				return f
			}(),
			reason: v1alpha1.PodFailingReason, words: []string{"ContainerCreating: pod national-0 cannot be started: FailedMount", `secret "national-server" not found.`},
		},
		"a warning of before the containers were begun": {
			facts: func() Facts {
				f := only(running(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, corev1.ContainerState{}, 0))
				f.Warnings = map[string]string{"Pod/national-0": `FailedMount: secret "national-server" not found`}
				return f
			}(),
			reason: v1alpha1.ArchiveRollingOutReason, words: []string{"The pod does not serve yet", "/readyz"},
		},
		"a wrong password": {
			facts:  only(migrating(waiting("CrashLoopBackOff", backOff), ended(1, "Error", `{"reason":"DatabaseAuthenticationFailed","message":"the server refuses the user or the password (SQLSTATE 28P01)"}`+"\n"), 3)),
			reason: v1alpha1.PodFailingReason, stalled: true,
			words: []string{"DatabaseAuthenticationFailed: The database could not be brought up to date: the server refuses the user or the password (SQLSTATE 28P01)."},
		},
		"a database that is away": {
			facts:  only(migrating(ended(1, "Error", `{"reason":"DatabaseUnreachable","message":"the server refuses connections"}`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{"DatabaseUnreachable:"},
		},
		"a schema of a newer program": {
			facts:  only(migrating(ended(1, "Error", `{"reason":"SchemaTooNew","message":"the tables have version 9, and this program's is 7"}`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{"SchemaTooNew:", "version 9"}, stalled: true,
		},
		"a full volume under a running server that was ended": {
			facts:  only(running(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, ended(1, "Error", `{"reason":"VolumeFull","message":"no space left on device"}`), 2)),
			reason: v1alpha1.PodFailingReason, words: []string{"VolumeFull: no space left on device."}, stalled: true,
		},
		"too little memory": {
			facts:  only(running(waiting("CrashLoopBackOff", backOff), ended(137, "OOMKilled", ""), 2)),
			reason: v1alpha1.PodFailingReason, words: []string{"OutOfMemory:", "limits.memory"}, stalled: true,
		},
		"an end without a word": {
			facts:  only(running(waiting("CrashLoopBackOff", backOff), ended(2, "Error", "panic: runtime error\n"), 2)),
			reason: v1alpha1.PodFailingReason, words: []string{"Unknown: it ended with exit status 2; see its log."},
		},
		"words that are not the archive's": {
			facts:  only(running(waiting("CrashLoopBackOff", backOff), ended(1, "Error", `{"reason":"not a reason","message":"x"}`), 2)),
			reason: v1alpha1.PodFailingReason, words: []string{"Unknown: it ended with exit status 1"},
		},
		"an image without the program": {
			facts:  only(migrating(ended(128, "StartError", `failed to create containerd task: exec: "archive": executable file not found in $PATH`), corev1.ContainerState{}, 0)),
			reason: v1alpha1.PodFailingReason, words: []string{"StartError:"}, stalled: true,
		},
		"pods that a quota or the Pod Security level refuses": {
			facts: Facts{Replicas: 2, Set: Set{Kind: "Deployment", Name: "national", Observed: true,
				Refused: `pods "national-7f5c-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0`}},
			reason: v1alpha1.PodFailingReason, words: []string{"No pod can be made:", "exceeded quota"}, stalled: true,
		},
		"a pod that a StatefulSet is refused": {
			facts: Facts{Replicas: 1, Set: Set{Kind: "StatefulSet", Name: "national", Observed: true},
				Warnings: map[string]string{"StatefulSet/national": `FailedCreate: create Pod national-0 in StatefulSet national failed error: pods "national-0" is forbidden: violates PodSecurity`}},
			reason: v1alpha1.PodFailingReason, words: []string{"No pod can be made: FailedCreate", "violates PodSecurity"}, stalled: true,
		},
		"a claim whose class does not exist": {
			facts:  Facts{Replicas: 1, Set: one, Claim: claimed(corev1.ClaimPending, ""), ClassMissing: "there is no StorageClass fast"},
			reason: v1alpha1.VolumePendingReason, words: []string{"PersistentVolumeClaim national-data waits for a volume: there is no StorageClass fast."}, stalled: true,
		},
		"a claim that the provisioner cannot serve": {
			facts: Facts{Replicas: 1, Set: one, Claim: claimed(corev1.ClaimPending, ""), Warnings: map[string]string{
				"PersistentVolumeClaim/national-data": "ProvisioningFailed: failed to provision volume with StorageClass \"node\": out of capacity",
			}},
			reason: v1alpha1.VolumePendingReason, words: []string{"out of capacity."},
		},
		"a claim whose class waits for a pod that no node takes": {
			facts: func() Facts {
				f := only(corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
					Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/1 nodes are available: 1 Insufficient memory.",
				}}})
				f.Claim = claimed(corev1.ClaimPending, "")
				return f
			}(),
			reason: v1alpha1.PodFailingReason, words: []string{"Unschedulable", "Insufficient memory."},
		},
		"a claim that nothing is known of": {
			facts:  Facts{Replicas: 1, Set: one, Claim: claimed(corev1.ClaimPending, "")},
			reason: v1alpha1.VolumePendingReason, words: []string{"waits for a volume."},
		},
		"a volume that is lost": {
			facts:  Facts{Replicas: 1, Set: one, Claim: claimed(corev1.ClaimLost, "")},
			reason: v1alpha1.VolumeLostReason, words: []string{"is gone"}, stalled: true,
		},
		"a claim that somebody deletes": {
			facts: func() Facts {
				f := Facts{Replicas: 1, Set: Set{Observed: true, Replicas: 1, Updated: 1, Ready: 1}, Claim: claimed(corev1.ClaimBound, "1Gi")}
				f.Claim.DeletionTimestamp = &born
				return f
			}(),
			reason: v1alpha1.VolumePendingReason, words: []string{"is being deleted"}, stalled: true,
		},
		"a volume that grows": {
			facts: func() Facts {
				f := Facts{Replicas: 1, Set: Set{Observed: true, Replicas: 1, Updated: 1, Ready: 1}, Claim: claimed(corev1.ClaimBound, "1Gi"), ClaimSize: ptr.To(resource.MustParse("2Gi"))}
				f.Claim.Status.Conditions = []corev1.PersistentVolumeClaimCondition{{Type: corev1.PersistentVolumeClaimFileSystemResizePending, Status: corev1.ConditionTrue}}
				return f
			}(),
			reason: v1alpha1.VolumeNotGrownReason, words: []string{"is to grow from 1Gi to 2Gi: the file system grows when"},
		},
		"a volume that cannot grow so far": {
			facts: func() Facts {
				f := Facts{Replicas: 1, Set: Set{Observed: true, Replicas: 1, Updated: 1, Ready: 1}, Claim: claimed(corev1.ClaimBound, "1Gi"), ClaimSize: ptr.To(resource.MustParse("2Pi"))}
				f.Claim.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{
					corev1.ResourceStorage: corev1.PersistentVolumeClaimControllerResizeInfeasible,
				}
				return f
			}(),
			reason: v1alpha1.VolumeNotGrownReason, words: []string{"the storage refuses the size."}, stalled: true,
		},
		"a rollout": {
			facts: Facts{Replicas: 2, Set: two, Pods: []corev1.Pod{
				podNamed("a", time.Hour, readyPod), podNamed("b", 0, running(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, corev1.ContainerState{}, 0)),
			}},
			reason: v1alpha1.ArchiveRollingOutReason, words: []string{"2 of 2 pods serve, and pods are being replaced"},
		},
		"a rollout whose former pods have not ended": {
			facts:  Facts{Replicas: 2, Set: Set{Observed: true, Replicas: 3, Updated: 2, Ready: 3}},
			reason: v1alpha1.ArchiveRollingOutReason, words: []string{"2 of 2 pods serve, and former pods have not ended yet."},
		},
		"a set that has not been seen by its controller": {
			facts:  Facts{Replicas: 2, Set: Set{Replicas: 2, Updated: 2, Ready: 2}},
			reason: v1alpha1.ArchiveRollingOutReason,
		},
		"the trouble of pods that are ending or were evicted, while another serves": {
			facts:  Facts{Replicas: 1, Set: Set{Observed: true, Replicas: 1, Updated: 1, Ready: 1}, Pods: []corev1.Pod{gone, evicted, podNamed("national-0", 0, readyPod)}},
			reason: v1alpha1.ArchiveServingReason, words: []string{"The pod serves."},
		},
		"all well": {
			facts:  Facts{Replicas: 2, Set: Set{Observed: true, Replicas: 2, Updated: 2, Ready: 2}, Claim: claimed(corev1.ClaimBound, "1Gi"), ClaimSize: ptr.To(resource.MustParse("1Gi"))},
			reason: v1alpha1.ArchiveServingReason, words: []string{"2 of 2 pods serve."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got := Diagnose(&c.facts)
			g.Expect(got.Reason).To(Equal(c.reason), got.Message)
			for _, words := range c.words {
				g.Expect(got.Message).To(ContainSubstring(words))
			}
			g.Expect(got.Stalled).To(Equal(c.stalled), got.Message)
			g.Expect(got.Serving).To(Equal(c.reason == v1alpha1.ArchiveServingReason))
			g.Expect(got.Message).To(HaveSuffix("."))
			g.Expect(got.Message).NotTo(ContainSubstring("back-off"), "which changes from try to try")
			g.Expect(got.Message).NotTo(ContainSubstring(".."))
		})
	}
}

func TestTheNewestPodsTroubleIsTold(t *testing.T) {
	g := NewWithT(t)
	trouble := func(reason string) corev1.PodStatus {
		return migrating(ended(1, "Error", `{"reason":"`+reason+`","message":"x"}`), corev1.ContainerState{}, 1)
	}
	facts := Facts{Replicas: 2, Set: Set{Observed: true, Replicas: 3}, Pods: []corev1.Pod{
		podNamed("a", time.Hour, trouble("Old")), podNamed("b", time.Minute, trouble("New")), podNamed("c", 2*time.Hour, trouble("Older")),
	}}
	g.Expect(Diagnose(&facts).Message).To(HavePrefix("New:"))
	facts.Pods[0], facts.Pods[1] = facts.Pods[1], facts.Pods[0]
	g.Expect(Diagnose(&facts).Message).To(HavePrefix("New:"))
}

func TestTheServingImageIsKnownOnlyWhileItIsOne(t *testing.T) {
	g := NewWithT(t)
	a, b, c := podNamed("a", 0, readyPod), podNamed("b", 0, readyPod), podNamed("c", 0, corev1.PodStatus{})
	b.Spec.Containers[0].Image, c.Spec.Containers[0].Image = "valtuus:2", "valtuus:2"
	g.Expect(ServingImage([]corev1.Pod{a, c})).To(Equal("valtuus:1"))
	g.Expect(ServingImage([]corev1.Pod{a, b})).To(BeEmpty())
	g.Expect(ServingImage([]corev1.Pod{c})).To(BeEmpty())
	b.DeletionTimestamp = &born
	g.Expect(ServingImage([]corev1.Pod{a, b})).To(Equal("valtuus:1"), "one that is ending does not count")
}

func TestOnlyWhatWaitsIsAskedAfter(t *testing.T) {
	g := NewWithT(t)
	facts := Facts{
		Replicas: 2, Set: Set{Kind: "Deployment", Name: "national", Observed: true, Replicas: 2}, Claim: claimed(corev1.ClaimBound, "1Gi"),
		Pods: []corev1.Pod{podNamed("a", 0, readyPod), podNamed("b", 0, migrating(waiting("PodInitializing", ""), corev1.ContainerState{}, 0))},
	}
	g.Expect(facts.Waiting()).To(Equal([]Waits{{"Pod", "b"}}))
	facts.Pods = facts.Pods[:1]
	g.Expect(facts.Waiting()).To(BeEmpty())
	facts.Set.Replicas, facts.Claim.Status.Phase = 1, corev1.ClaimPending
	g.Expect(facts.Waiting()).To(Equal([]Waits{{"PersistentVolumeClaim", "national-data"}, {"Deployment", "national"}}))
}

func TestOnlyAFreshWarningCounts(t *testing.T) {
	g := NewWithT(t)
	at := func(d time.Duration) metav1.Time { return metav1.NewTime(born.Add(d)) }
	events := []corev1.Event{
		{Reason: "FailedMount", Message: "first", LastTimestamp: at(-time.Minute)},
		{Reason: "FailedMount", Message: "newest", EventTime: metav1.NewMicroTime(born.Add(-time.Hour)), Series: &corev1.EventSeries{LastObservedTime: metav1.NewMicroTime(born.Time)}},
		{Reason: "FailedMount", Message: "second", EventTime: metav1.NewMicroTime(born.Add(-30 * time.Second))},
	}
	g.Expect(NewestWarning(events, born.Add(-5*time.Minute))).To(Equal("FailedMount: newest"))
	g.Expect(NewestWarning(events[:1], born.Add(-5*time.Minute))).To(Equal("FailedMount: first"))
	g.Expect(NewestWarning(events[:1], born.Add(-time.Second))).To(BeEmpty())
}

func TestASetIsReadAsItsControllerMeansIt(t *testing.T) {
	g := NewWithT(t)
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "national", Generation: 3}}
	set.Status = appsv1.StatefulSetStatus{ObservedGeneration: 3, Replicas: 1, ReadyReplicas: 1, CurrentRevision: "a", UpdateRevision: "a"}
	g.Expect(OfStatefulSet(set)).To(Equal(Set{Kind: "StatefulSet", Name: "national", Observed: true, Replicas: 1, Updated: 1, Ready: 1}))
	set.Status.UpdateRevision, set.Generation = "b", 4
	g.Expect(OfStatefulSet(set)).To(SatisfyAll(HaveField("Updated", BeZero()), HaveField("Observed", BeFalse())))

	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "national"}}
	deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "quota"}}
	g.Expect(OfDeployment(deployment).Refused).To(Equal("quota"))
	deployment.Status.Conditions[0].Status = corev1.ConditionFalse
	g.Expect(OfDeployment(deployment).Refused).To(BeEmpty())
}

func TestAMessageEndsWithOneFullStop(t *testing.T) {
	g := NewWithT(t)
	for _, text := range []string{"x", "x.", "x. ", "x.\n", "x..."} {
		g.Expect(sentence(text)).To(Equal("x."))
	}
	g.Expect(strings.Count(sentence(""), ".")).To(Equal(1))
}
