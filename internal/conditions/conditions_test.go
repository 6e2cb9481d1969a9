// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package conditions

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func settled() *v1alpha1.Registry {
	o := &v1alpha1.Registry{ObjectMeta: metav1.ObjectMeta{Namespace: "area", Name: "clients", Generation: 3}}
	For(o, now).Ready("Succeeded", "All is well.")
	return o
}

func TestCheckFindsEachBreach(t *testing.T) {
	add := func(o *v1alpha1.Registry, kind string, status metav1.ConditionStatus) {
		o.Status.Conditions = append(o.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: "R", Message: "M", ObservedGeneration: 3})
	}
	for want, breach := range map[string]func(o *v1alpha1.Registry){
		"C01": func(o *v1alpha1.Registry) { o.Status.Conditions = nil },
		"C02": func(o *v1alpha1.Registry) {
			For(o, now).Stalled("R", "M")
			add(o, v1alpha1.ReconcilingCondition, metav1.ConditionTrue)
		},
		"C03": func(o *v1alpha1.Registry) {
			For(o, now).Stalled("R", "M")
			Get(o, v1alpha1.StalledCondition).Status = metav1.ConditionUnknown
		},
		"C04": func(o *v1alpha1.Registry) { add(o, v1alpha1.StalledCondition, metav1.ConditionTrue) },
		"C05": func(o *v1alpha1.Registry) { Get(o, v1alpha1.ReadyCondition).Status = metav1.ConditionFalse },
		"C06": func(o *v1alpha1.Registry) { o.Status.ObservedGeneration = 2 },
		"C07": func(o *v1alpha1.Registry) {
			add(o, v1alpha1.AcceptedCondition, metav1.ConditionTrue)
			Get(o, v1alpha1.AcceptedCondition).ObservedGeneration = 4
		},
		"C08": func(o *v1alpha1.Registry) { Get(o, v1alpha1.ReadyCondition).Message = "" },
		"C09": func(o *v1alpha1.Registry) { Get(o, v1alpha1.ReadyCondition).Message = "of client 020516C903K." },
		"C10": func(o *v1alpha1.Registry) { Get(o, v1alpha1.ReadyCondition).ObservedGeneration = 2 },
	} {
		t.Run(want, func(t *testing.T) {
			g := NewWithT(t)
			o := settled()
			g.Expect(Check(o)).To(BeEmpty())
			breach(o)
			g.Expect(Check(o)).To(ConsistOf(HavePrefix(want+" area/clients: ")), "one breach, one sentence")
		})
	}
}

// Whatever is set in whatever order, the rules hold.
func TestTheSetterKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		o := &v1alpha1.ServiceRelationship{ObjectMeta: metav1.ObjectMeta{Name: "r"}}
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			o.Generation += int64(rapid.IntRange(0, 1).Draw(t, "edits"))
			set := For(o, now.Add(time.Duration(step)*time.Minute))
			if rapid.Bool().Draw(t, "detail") {
				set.Bool(v1alpha1.AcceptedCondition, rapid.Bool().Draw(t, "accepted"), "Reason", "A message.")
			} else {
				set.Remove(v1alpha1.AcceptedCondition)
			}
			reason := fmt.Sprintf("Reason%d", rapid.IntRange(0, 2).Draw(t, "reason"))
			before := Get(o, v1alpha1.ReadyCondition).DeepCopy()
			switch rapid.IntRange(0, 2).Draw(t, "state") {
			case 0:
				set.Ready(reason, "A message.")
			case 1:
				set.Waiting(reason, "A message.")
			default:
				set.Stalled(reason, "A message.")
			}
			g.Expect(Check(o)).To(BeEmpty())
			after := Get(o, v1alpha1.ReadyCondition)
			if before != nil && before.Status == after.Status {
				g.Expect(after.LastTransitionTime).To(Equal(before.LastTransitionTime), "only a change of the status is a transition")
			}
			again := o.DeepCopy()
			if IsTrue(o, v1alpha1.ReadyCondition) {
				For(again, now.Add(time.Hour)).Ready(reason, "A message.")
				g.Expect(again).To(Equal(o), "the same word twice changes nothing")
			}
		}
	})
}

func TestALongMessageIsCutBetweenLetters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		message := strings.Repeat("x", rapid.IntRange(1000, 1030).Draw(t, "plain")) + rapid.StringMatching(`[aäö€]{0,40}`).Draw(t, "letters")
		o := settled()
		For(o, now).Ready("Succeeded", message)
		got := Get(o, v1alpha1.ReadyCondition).Message
		g.Expect(len(got)).To(BeNumerically("<=", 1024))
		g.Expect(utf8.ValidString(got)).To(BeTrue())
		if len(message) <= 1024 {
			g.Expect(got).To(Equal(message))
			return
		}
		g.Expect(got).To(HaveSuffix("…"))
		g.Expect(message).To(HavePrefix(strings.TrimSuffix(got, "…")))
	})
}
