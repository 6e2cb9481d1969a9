// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Facts are what is known of what runs an archive.
type Facts struct {
	// Replicas is how many pods should serve.
	Replicas int32
	Set      Set
	// Pods are those of the set, also such as are ending.
	Pods []corev1.Pod
	// Claim is that of an embedded archive's volume, and ClaimSize the size that it should have.
	Claim     *corev1.PersistentVolumeClaim
	ClaimSize *resource.Quantity
	// ClassMissing tells what is wrong with the claim's storage class; empty when nothing is.
	ClassMissing string
	// Warnings are the newest warning events of what waits, by Subject.
	Warnings map[string]string
}

// Subject names an object in Facts.Warnings.
func Subject(kind, name string) string { return kind + "/" + name }

// Set is what a StatefulSet or a Deployment says of itself.
type Set struct {
	Kind, Name string
	// Observed says that what follows is about the set as it was rendered last.
	Observed bool
	// Replicas is how many pods there are, Updated how many of them are as rendered last, Ready how many serve.
	Replicas, Updated, Ready int32
	// Refused is why no pod can be made; empty when none was refused.
	Refused string
}

// Verdict says how an archive's workload is.
type Verdict struct {
	Reason, Message string
	// Serving says that all pods serve. Stalled says that a person must change something.
	Serving, Stalled bool
}

// Diagnose says how an archive's workload is, from what is known of it. The words stay the same while nothing changes.
func Diagnose(f *Facts) Verdict {
	if f.Claim != nil {
		if v, ok := claimProblem(f); ok {
			return v
		}
	}
	if v, ok := podProblem(f); ok {
		return v
	}
	if len(f.present()) == 0 || f.Set.Replicas < f.Replicas {
		if refused := f.refused(); refused != "" {
			return failing(true, "No pod can be made: %s", sentence(refused))
		}
	}
	if v, ok := growing(f); ok {
		return v
	}
	if !f.Set.Observed || f.Set.Updated < f.Replicas || f.Set.Ready < f.Replicas || f.Set.Replicas > f.Replicas {
		return Verdict{Reason: v1alpha1.ArchiveRollingOutReason, Message: fmt.Sprintf("%s.", f.tally())}
	}
	return Verdict{Reason: v1alpha1.ArchiveServingReason, Message: fmt.Sprintf("%s.", f.tally()), Serving: true}
}

func failing(stalled bool, format string, args ...any) Verdict {
	return Verdict{Reason: v1alpha1.PodFailingReason, Message: fmt.Sprintf(format, args...), Stalled: stalled}
}

// tally counts the pods that serve, and those that are as the Archive says now.
func (f *Facts) tally() string {
	ready := min(f.Set.Ready, f.Replicas)
	text := fmt.Sprintf("%d of %d pods serve", ready, f.Replicas)
	switch {
	case f.Replicas == 1 && ready == 1:
		text = "The pod serves"
	case f.Replicas == 1:
		text = "The pod does not serve yet"
	}
	switch {
	case !f.Set.Observed, f.Set.Updated < f.Replicas:
		text += ", and pods are being replaced by such as the Archive asks for now"
	case f.Set.Replicas > f.Replicas:
		text += ", and former pods have not ended yet"
	case ready < f.Replicas && f.running():
		text += ". A pod that runs and does not serve says why at /readyz of its port 8082"
	}
	return text
}

// running tells whether a pod runs and does not serve.
func (f *Facts) running() bool {
	for _, pod := range f.present() {
		if !Ready(pod) && pod.Status.Phase == corev1.PodRunning {
			return true
		}
	}
	return false
}

func (f *Facts) refused() string {
	if f.Set.Refused != "" {
		return f.Set.Refused
	}
	return f.Warnings[Subject(f.Set.Kind, f.Set.Name)]
}

// present are the pods that are not ending and have not ended: an evicted pod stays, and another takes its place.
func (f *Facts) present() (pods []*corev1.Pod) {
	for i := range f.Pods {
		pod := &f.Pods[i]
		if pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded {
			pods = append(pods, pod)
		}
	}
	return pods
}

// ServingImage is the image that all serving pods run; empty while they differ and while none serves.
func ServingImage(pods []corev1.Pod) (image string) {
	for i := range pods {
		if !Ready(&pods[i]) {
			continue
		}
		for _, c := range pods[i].Spec.Containers {
			if c.Name != ServerContainer {
				continue
			}
			if image != "" && image != c.Image {
				return ""
			}
			image = c.Image
		}
	}
	return image
}

// Ready tells whether a pod serves.
func Ready(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
