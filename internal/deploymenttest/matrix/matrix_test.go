// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"bytes"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

func deploymentTest(name, producer string, change func(*v1alpha1.DeploymentTest)) v1alpha1.DeploymentTest {
	t := v1alpha1.DeploymentTest{ObjectMeta: metav1.ObjectMeta{Namespace: "area", Name: name}}
	t.Spec.Systems = v1alpha1.SystemCombination{Organizer: "county", Producer: v1alpha1.ObjectName(producer)}
	t.Spec.Mode = v1alpha1.ModeObserved
	change(&t)
	return t
}

func passed(t *v1alpha1.DeploymentTest) { t.Status.Result = v1alpha1.ResultPassed }

func grant(namespace, message string, status metav1.ConditionStatus, reason string) v1alpha1.RegistryAccessGrant {
	g := v1alpha1.RegistryAccessGrant{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}}
	g.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: status, Reason: reason, Message: message}}
	return g
}

const lacks = "No DeploymentTest that counts covers the organizer's ClientSystem county with the producer's ClientSystem "

func TestTheFurthestTestOfACombinationIsTold(t *testing.T) {
	g := NewWithT(t)
	rows := Build([]v1alpha1.DeploymentTest{
		deploymentTest("a1", "a", func(t *v1alpha1.DeploymentTest) { t.Status.Result = v1alpha1.ResultFailed }),
		deploymentTest("a2", "a", func(t *v1alpha1.DeploymentTest) { t.Status.State = v1alpha1.TestOpen }),
		deploymentTest("b1", "b", func(t *v1alpha1.DeploymentTest) { passed(t); t.Spec.Mode = v1alpha1.ModeSimulated }),
		deploymentTest("c1", "c", func(t *v1alpha1.DeploymentTest) {
			passed(t)
			t.Status.Reported = &v1alpha1.TestReporting{Reference: "r"}
		}),
		deploymentTest("c2", "c", func(t *v1alpha1.DeploymentTest) {
			passed(t)
			t.Status.Systems = &v1alpha1.TestedSystems{Organizer: v1alpha1.TestedSystem{Version: "1"}, Producer: v1alpha1.TestedSystem{Version: "2"}}
		}),
		deploymentTest("d1", "d", func(t *v1alpha1.DeploymentTest) { t.Status.State = v1alpha1.TestCanceled }),
		deploymentTest("e1", "e", func(t *v1alpha1.DeploymentTest) { passed(t); t.Spec.Mode = v1alpha1.ModeSimulated }),
		deploymentTest("e2", "e", passed),
		deploymentTest("f1", "f", func(t *v1alpha1.DeploymentTest) { t.Status.Result = v1alpha1.ResultFailed }),
	}, []v1alpha1.RegistryAccessGrant{
		grant("area", lacks+"d. The organizer must see that one is run.", metav1.ConditionFalse, "DeploymentTestMissing"),
		grant("area", lacks+"d.", metav1.ConditionFalse, "DeploymentTestMissing"),
		grant("area", lacks+"g.x. More.", metav1.ConditionFalse, "DeploymentTestMissing"),
		grant("other", lacks+"d.", metav1.ConditionFalse, "DeploymentTestMissing"),
		grant("area", lacks+"a.", metav1.ConditionTrue, "DeploymentTestMissing"),
		grant("area", lacks+"a.", metav1.ConditionFalse, "GrantSuspended"),
		{},
	})
	type told struct {
		producer, words, test string
		blocked               int
	}
	var got []told
	for _, r := range rows {
		got = append(got, told{r.Namespace + "/" + r.Producer, r.Words(), r.Test, r.Blocked})
	}
	g.Expect(got).To(Equal([]told{
		{"area/a", "scheduled", "a2", 0}, {"area/b", "tested (simulated)", "b1", 0}, {"area/c", "reported", "c1", 0},
		{"area/d", "missing", "", 2}, {"area/e", "tested", "e2", 0}, {"area/f", "failed", "f1", 0}, {"area/g.x", "missing", "", 1}, {"other/d", "missing", "", 1},
	}))
}

func TestItIsPrintedInEachFormat(t *testing.T) {
	rows := []Row{{Namespace: "area", Organizer: "county", Producer: "<b>", State: Tested, Simulated: true, Test: "t", OrganizerVersion: "1", ProducerVersion: "2", Blocked: 3}}
	for format, says := range map[string][]string{
		"table": {"NAMESPACE", "tested (simulated)", "1 / 2", "3"},
		"json":  {`"state": "tested"`, `"simulated": true`, `"blocked": 3`},
		"html":  {"&lt;b&gt;", `<tr class="tested">`, "tested (simulated)"},
	} {
		g := NewWithT(t)
		var out bytes.Buffer
		g.Expect(Print(&out, format, rows)).To(Succeed())
		for _, one := range says {
			g.Expect(out.String()).To(ContainSubstring(one))
		}
	}
}
