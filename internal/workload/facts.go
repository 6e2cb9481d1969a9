// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// OfStatefulSet reads what a StatefulSet says of itself.
func OfStatefulSet(set *appsv1.StatefulSet) Set {
	updated := set.Status.UpdatedReplicas
	if set.Status.UpdateRevision == set.Status.CurrentRevision {
		updated = set.Status.Replicas // updatedReplicas is not kept once an update is through
	}
	return Set{
		Kind: "StatefulSet", Name: set.Name, Observed: set.Status.ObservedGeneration >= set.Generation,
		Replicas: set.Status.Replicas, Updated: updated, Ready: set.Status.ReadyReplicas,
	}
}

// OfDeployment reads what a Deployment says of itself.
func OfDeployment(set *appsv1.Deployment) Set {
	out := Set{
		Kind: "Deployment", Name: set.Name, Observed: set.Status.ObservedGeneration >= set.Generation,
		Replicas: set.Status.Replicas, Updated: set.Status.UpdatedReplicas, Ready: set.Status.ReadyReplicas,
	}
	for _, c := range set.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			out.Refused = c.Message
		}
	}
	return out
}

// Waits is an object that waits, and whose events may tell for what.
type Waits struct{ Kind, Name string }

// Waiting lists what waits: a claim without a volume, a set without its pods, and pods whose containers are not begun.
func (f *Facts) Waiting() (out []Waits) {
	if f.Claim != nil && f.Claim.Status.Phase != corev1.ClaimBound {
		out = append(out, Waits{"PersistentVolumeClaim", f.Claim.Name})
	}
	if f.Set.Name != "" && f.Set.Observed && f.Set.Replicas < f.Replicas {
		out = append(out, Waits{f.Set.Kind, f.Set.Name})
	}
	for _, pod := range f.present() {
		if pod.Spec.NodeName != "" && !Ready(pod) && creating(pod) {
			out = append(out, Waits{"Pod", pod.Name})
		}
	}
	return out
}

// NewestWarning gives the text of the newest of the events since an instant; empty when there is none.
func NewestWarning(events []corev1.Event, since time.Time) (text string) {
	for i := range events {
		e := &events[i]
		at := e.LastTimestamp.Time
		if e.EventTime.After(at) {
			at = e.EventTime.Time
		}
		if e.Series != nil && e.Series.LastObservedTime.After(at) {
			at = e.Series.LastObservedTime.Time
		}
		if !at.Before(since) {
			since, text = at, e.Reason+": "+e.Message
		}
	}
	return text
}
