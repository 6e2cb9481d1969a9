// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// podProblem tells what keeps a pod from starting or from staying up: of several, the newest one's.
func podProblem(f *Facts) (Verdict, bool) {
	pods := f.present()
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, pod := range pods {
		if Ready(pod) {
			continue
		}
		v, ok := unscheduled(pod)
		if !ok {
			v, ok = notStarting(f, pod)
		}
		if !ok {
			continue
		}
		if ready := min(f.Set.Ready, f.Replicas); ready > 0 {
			v.Message += fmt.Sprintf(" Meanwhile %d of %d pods serve.", ready, f.Replicas)
		}
		return v, true
	}
	return Verdict{}, false
}

func unscheduled(pod *corev1.Pod) (Verdict, bool) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return failing(false, "Unschedulable: no node takes pod %s: %s", pod.Name, sentence(c.Message)), true
		}
	}
	return Verdict{}, false
}

// notStarting looks at the containers in the order in which they start.
func notStarting(f *Facts, pod *corev1.Pod) (Verdict, bool) {
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if v, ok := containerProblem(pod, &c); ok {
			return v, true
		}
	}
	if warning := f.Warnings[Subject("Pod", pod.Name)]; warning != "" && creating(pod) {
		return failing(false, "ContainerCreating: pod %s cannot be started: %s", pod.Name, sentence(warning)), true
	}
	return Verdict{}, false
}

// creating tells that a pod has a node and none of its containers has begun.
func creating(pod *corev1.Pod) bool {
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if c.State.Waiting == nil || c.RestartCount > 0 {
			return false
		}
	}
	return true
}

func containerProblem(pod *corev1.Pod, c *corev1.ContainerStatus) (Verdict, bool) {
	if waiting := c.State.Waiting; waiting != nil {
		switch waiting.Reason {
		case "InvalidImageName":
			return failing(true, "InvalidImageName: %q is no name of an image.", c.Image), true
		case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed":
			return failing(false, "ImagePullFailed: image %q cannot be pulled: %s", c.Image, whyNotPulled(waiting)), true
		case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
			return failing(true, "%s: container %s of pod %s: %s", waiting.Reason, c.Name, pod.Name, sentence(waiting.Message)), true
		}
	}
	// What ended it last is what a person needs to know, whether it waits to be started again or has just been.
	ended := c.State.Terminated
	if ended == nil && !c.Ready {
		ended = c.LastTerminationState.Terminated
	}
	if ended == nil || (ended.ExitCode == 0 && ended.Reason == "Completed") {
		return Verdict{}, false
	}
	reason, message := told(ended)
	what := ""
	switch c.Name {
	case MigrateContainer:
		what = "The database could not be brought up to date: "
	case RestoreContainer:
		what = "The backup could not be restored: "
	}
	return failing(!mayPass[reason], "%s: %s%s", reason, what, sentence(message)), true
}

// whyNotPulled sorts what a kubelet says of an image. The words themselves change from try to try.
func whyNotPulled(waiting *corev1.ContainerStateWaiting) string {
	text := strings.ToLower(waiting.Message)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
	}
	switch {
	case waiting.Reason == "ErrImageNeverPull":
		return "it is not on the node, and may not be pulled."
	case waiting.Reason == "SignatureValidationFailed":
		return "its signature is not accepted."
	case has("unauthorized", "authorization failed", "access denied", "denied:", "no basic auth", "forbidden"):
		return "the registry refuses it: check the name and spec.workload.imagePullSecrets."
	case has("not found", "manifest unknown", "name unknown", "does not exist"):
		return "the registry has no such image."
	case has("no such host", "dial tcp", "timeout", "connection refused", "i/o timeout", "tls:", "x509"):
		return "the registry cannot be reached."
	default:
		return "see the events of the pod."
	}
}

// mayPass are the reasons of failures that may pass without anybody changing what is in Kubernetes.
var mayPass = map[string]bool{
	"DatabaseUnreachable": true, "DatabaseReadOnly": true, "DatabaseFull": true, "StoreUnavailable": true,
	"VolumeInUse": true, "ClusterUnknown": true, "ArchiveForbidden": true, "ArchiveUnknown": true, "Unknown": true,
}

var reasonForm = regexp.MustCompile(`^[A-Z][A-Za-z]{1,62}$`)

// told reads what a container said when it ended: the archive's {"reason":…,"message":…}, or else what is known.
func told(ended *corev1.ContainerStateTerminated) (reason, message string) {
	var said struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}
	text := strings.TrimSpace(ended.Message)
	switch {
	case json.Unmarshal([]byte(text), &said) == nil && reasonForm.MatchString(said.Reason) && said.Message != "":
		return said.Reason, said.Message
	case ended.Reason == "OOMKilled":
		return "OutOfMemory", "it used more memory than spec.workload.resources.limits.memory lets it"
	case ended.Reason == "StartError", ended.Reason == "ContainerCannotRun":
		return "StartError", "the image does not hold the program, or cannot be run here"
	case ended.Signal != 0:
		return "Unknown", fmt.Sprintf("it was ended by signal %d; see its log", ended.Signal)
	default:
		return "Unknown", fmt.Sprintf("it ended with exit status %d; see its log", ended.ExitCode)
	}
}
