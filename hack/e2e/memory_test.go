// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
)

// atRest tells what the processes take while nobody asks them anything.
func (l *life) atRest(t *testing.T) {
	g := NewWithT(t)
	for _, one := range []struct {
		what string
		pods []corev1.Pod
	}{
		{"memory of a manager at rest", l.allReady(t, managerSpace, managerLabels, 2)},
		{"memory of the archive on a volume at rest", l.allReady(t, "platform", archiveLabels("national"), 1)},
		{"memory of an archive on PostgreSQL at rest", l.allReady(t, "platform", archiveLabels("county"), 2)},
	} {
		most := 0.0
		for i := range one.pods {
			// A node counts a pod some seconds after it was started.
			g.Eventually(func() error {
				bytes, err := l.workingSet(t.Context(), &one.pods[i])
				most = max(most, bytes)
				return err
			}).Should(Succeed())
		}
		l.report.say(one.what, most/(1<<20), "MiB", "working set, of the larger where there are two")
	}
}

// workingSet is the memory of a pod's processes, in bytes, as its node counts it.
func (s *suite) workingSet(ctx context.Context, pod *corev1.Pod) (float64, error) {
	raw, err := s.api.CoreV1().RESTClient().Get().Resource("nodes").Name(pod.Spec.NodeName).SubResource("proxy").Suffix("stats/summary").DoRaw(ctx)
	if err != nil {
		return 0, err
	}
	var summary struct {
		Pods []struct {
			PodRef     struct{ UID string }
			Containers []struct {
				Memory struct{ WorkingSetBytes float64 }
			}
		}
	}
	if err := json.Unmarshal(raw, &summary); err != nil {
		return 0, err
	}
	for _, p := range summary.Pods {
		if p.PodRef.UID != string(pod.UID) {
			continue
		}
		total := 0.0
		for _, c := range p.Containers {
			total += c.Memory.WorkingSetBytes
		}
		if total > 0 {
			return total, nil
		}
	}
	return 0, errors.New("the node does not count the memory of " + pod.Name)
}
