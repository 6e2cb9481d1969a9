// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/hack/e2e/wire"
)

// networkPolicies finds out whether the cluster's network separates anything, with a policy of the suite's own. Where it
// does, those of the product are tried; where it does not, that is said, and that they are there.
func (l *life) networkPolicies(t *testing.T) {
	g := NewWithT(t)
	target := l.startCaller(t, "elsewhere", "target", "", "", "")
	closed := fmt.Sprintf("%s:%d", l.podIP(t, target), wire.Port)
	from := l.county.unit
	from.does(t, wire.Order{Do: wire.Dial, Address: closed})
	g.Expect(l.Create(t.Context(), &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "elsewhere", Name: "nothing-in"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
	})).To(Succeed())
	var policies networkingv1.NetworkPolicyList
	g.Expect(l.List(t.Context(), &policies)).To(Succeed())
	var names []string
	for _, policy := range policies.Items {
		names = append(names, policy.Namespace+"/"+policy.Name)
	}
	g.Expect(names).To(ContainElements("platform/national", "platform/county", managerSpace+"/valtuus-manager"))
	if !l.separated(t, from, closed) {
		l.report.say("network policies", "not enforced", "", "the cluster's network plug-in separates nothing: only that the product's policies are there was seen")
		return
	}
	for _, archive := range []string{"national", "county"} {
		for _, pod := range l.allReady(t, "platform", archiveLabels(archive), map[string]int{"national": 1, "county": 2}[archive]) {
			from.does(t, wire.Order{Do: wire.Dial, Address: pod.Status.PodIP + ":8443"})
			from.eventually(t, wire.NoAnswer, wire.Order{Do: wire.Dial, Address: pod.Status.PodIP + ":8445"})
		}
	}
	manager := l.allReady(t, managerSpace, managerLabels, 2)[0]
	from.does(t, wire.Order{Do: wire.Dial, Address: manager.Status.PodIP + ":8080"})
	from.eventually(t, wire.NoAnswer, wire.Order{Do: wire.Dial, Address: manager.Status.PodIP + ":8081"})
	l.report.say("network policies", "enforced", "", "the probes of the manager were closed to other pods, API and metrics open")
}

// separated tells whether what a policy closes becomes closed within a while.
func (l *life) separated(t *testing.T, from *caller, address string) bool {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		answer, err := from.tell(t.Context(), wire.Order{Do: wire.Dial, Address: address})
		if err == nil && answer.Outcome != wire.Allowed {
			return true
		}
	}
	return false
}

func (s *suite) podIP(t *testing.T, c *caller) string {
	t.Helper()
	var pod corev1.Pod
	NewWithT(t).Expect(s.Get(t.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name}, &pod)).To(Succeed())
	return pod.Status.PodIP
}
