// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package conditions

import (
	"fmt"
	"regexp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/identitycode"
)

var identityCode = regexp.MustCompile(identitycode.Pattern)

// Check returns what is wrong with the conditions of a settled object, one sentence each; nothing when all is well.
func Check(o Object) []string {
	var found []string
	fail := func(rule int, format string, args ...any) {
		found = append(found, fmt.Sprintf("C%02d %s/%s: ", rule, o.GetNamespace(), o.GetName())+fmt.Sprintf(format, args...))
	}
	ready := Get(o, v1alpha1.ReadyCondition)
	if ready == nil {
		fail(1, "has no Ready condition")
		return found
	}
	reconciling, stalled := Get(o, v1alpha1.ReconcilingCondition), Get(o, v1alpha1.StalledCondition)
	if reconciling != nil && stalled != nil {
		fail(2, "is both Reconciling and Stalled")
	}
	for _, c := range []*metav1.Condition{reconciling, stalled} {
		if c != nil && c.Status != metav1.ConditionTrue {
			fail(3, "%s is present but not True", c.Type)
		}
		if c != nil && ready.Status == metav1.ConditionTrue {
			fail(4, "is Ready and %s at once", c.Type)
		}
	}
	if ready.Status != metav1.ConditionTrue && reconciling == nil && stalled == nil {
		fail(5, "is not Ready, yet neither Reconciling nor Stalled")
	}
	if o.GetObservedGeneration() != o.GetGeneration() {
		fail(6, "observedGeneration is %d, generation %d", o.GetObservedGeneration(), o.GetGeneration())
	}
	for _, c := range o.GetConditions() {
		if c.ObservedGeneration > o.GetGeneration() {
			fail(7, "%s speaks of a generation that is not there", c.Type)
		}
		if c.Reason == "" || c.Message == "" {
			fail(8, "%s has no reason or no message", c.Type)
		}
		if identityCode.MatchString(c.Message) {
			fail(9, "the message of %s holds what looks like an identity code", c.Type)
		}
	}
	if ready.ObservedGeneration != o.GetGeneration() {
		fail(10, "Ready speaks of generation %d of %d", ready.ObservedGeneration, o.GetGeneration())
	}
	return found
}
