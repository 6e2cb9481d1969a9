// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// longestWords bounds what is told of a program's last words, in characters.
const longestWords = 300

// Simulation is how the Job that plays both parties goes.
type Simulation struct {
	// Failed says that it has ended without having played all, and is not tried again.
	Failed bool
	// Message says why it failed, or what keeps it from starting; empty when nothing does.
	Message string
}

// OfSimulation reads from a Job and its pods how it goes. The words stay the same while nothing changes.
func OfSimulation(job *batchv1.Job, pods []corev1.Pod) Simulation {
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue {
			return Simulation{Failed: true, Message: told("The simulation failed", c.Reason, c.Message) + lastWords(pods)}
		}
	}
	for i := range pods {
		if problem := notStarting(&pods[i]); problem != "" {
			return Simulation{Message: "The simulation does not start: " + problem}
		}
	}
	return Simulation{}
}

// notStarting tells what keeps a pod from starting; empty when nothing does.
func notStarting(pod *corev1.Pod) string {
	if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodPending {
		return ""
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return told("no node takes pod "+pod.Name, c.Reason, c.Message)
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		switch waiting := c.State.Waiting; {
		case waiting == nil:
		// Which of these it is changes from try to try.
		case waiting.Reason == "ErrImagePull", waiting.Reason == "ImagePullBackOff":
			return fmt.Sprintf("image %q cannot be pulled; see the events of pod %s.", c.Image, pod.Name)
		case waiting.Reason == "ContainerCreating":
			return fmt.Sprintf("pod %s is being made. Where that lasts, its events tell why, such as the Secret of a card that is not there.", pod.Name)
		case waiting.Reason != "" && waiting.Reason != "PodInitializing":
			return fmt.Sprintf("%s; see the events of pod %s.", waiting.Reason, pod.Name)
		}
	}
	return ""
}

// lastWords is what the pod that ended last said at its end. The program says no identity code and no secret.
func lastWords(pods []corev1.Pod) string {
	var last *corev1.ContainerStateTerminated
	for i := range pods {
		for _, c := range pods[i].Status.ContainerStatuses {
			if ended := c.State.Terminated; ended != nil && ended.ExitCode != 0 && (last == nil || last.FinishedAt.Before(&ended.FinishedAt)) {
				last = ended
			}
		}
	}
	if last == nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(last.Message), "\n")
	if words := shown(lines[len(lines)-1]); words != "" {
		return " It said last: " + sentence(words)
	}
	return fmt.Sprintf(" It ended with exit status %d (%s).", last.ExitCode, last.Reason)
}

// shown makes one line that can be shown of what somebody else wrote.
func shown(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
	if words := []rune(text); len(words) > longestWords {
		return string(words[:longestWords-1]) + "…"
	}
	return text
}

func told(what string, reason, message string) string {
	for _, part := range []string{shown(reason), shown(message)} {
		if part != "" {
			what += ": " + part
		}
	}
	return sentence(what)
}

func sentence(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "…") {
		return text
	}
	return text + "."
}

// SimulationPolicy describes the NetworkPolicy of the pods of a simulation: nobody reaches them, and they reach name
// resolution and the port of the archive's endpoint. It has the Job's name, and goes with the test as the Job does.
func SimulationPolicy(test *v1alpha1.DeploymentTest, endpoint string) *networkingv1.NetworkPolicy {
	port := func(protocol corev1.Protocol, number int32) networkingv1.NetworkPolicyPort {
		return networkingv1.NetworkPolicyPort{Protocol: ptr.To(protocol), Port: ptr.To(intstr.FromInt32(number))}
	}
	meta := child(test, nil)
	meta.Name = JobName(test.Name)
	return &networkingv1.NetworkPolicy{
		ObjectMeta: meta,
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{batchv1.JobNameLabel: meta.Name}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Egress: []networkingv1.NetworkPolicyEgressRule{
				{Ports: []networkingv1.NetworkPolicyPort{port(corev1.ProtocolUDP, 53), port(corev1.ProtocolTCP, 53)}},
				{Ports: []networkingv1.NetworkPolicyPort{port(corev1.ProtocolTCP, portOf(endpoint))}},
			},
		},
	}
}

// portOf is the port of an archive's endpoint, which is an https URL.
func portOf(endpoint string) int32 {
	const https = 443
	at, err := url.Parse(endpoint)
	if err != nil {
		return https
	}
	if number, err := strconv.ParseUint(at.Port(), 10, 16); err == nil && number > 0 {
		return int32(number)
	}
	return https
}
