// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conditions keeps the conditions of every kind by one set of rules, and
// checks them. Ready sums up; Reconciling and Stalled follow kstatus: each is
// present only while True, and never both.
package conditions

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Object is an object with conditions.
type Object interface {
	metav1.Object
	GetConditions() []metav1.Condition
	SetConditions([]metav1.Condition)
	GetObservedGeneration() int64
	SetObservedGeneration(int64)
}

// Setter sets conditions of one object at one instant and for its present generation.
type Setter struct {
	object Object
	now    metav1.Time
}

// For returns a setter. What it sets speaks of the object's present generation.
func For(object Object, now time.Time) Setter {
	object.SetObservedGeneration(object.GetGeneration())
	return Setter{object: object, now: metav1.NewTime(now)}
}

// True sets a condition to True.
func (s Setter) True(conditionType, reason, message string) {
	s.set(conditionType, metav1.ConditionTrue, reason, message)
}

// False sets a condition to False.
func (s Setter) False(conditionType, reason, message string) {
	s.set(conditionType, metav1.ConditionFalse, reason, message)
}

// Bool sets a condition to True or False.
func (s Setter) Bool(conditionType string, value bool, reason, message string) {
	if value {
		s.True(conditionType, reason, message)
		return
	}
	s.False(conditionType, reason, message)
}

// Remove takes a condition away.
func (s Setter) Remove(conditionType string) {
	conditions := s.object.GetConditions()
	meta.RemoveStatusCondition(&conditions, conditionType)
	s.object.SetConditions(conditions)
}

// Ready tells that the object does what its spec says.
func (s Setter) Ready(reason, message string) {
	s.True(v1alpha1.ReadyCondition, reason, message)
	s.Remove(v1alpha1.ReconcilingCondition)
	s.Remove(v1alpha1.StalledCondition)
}

// Waiting tells that the object is not ready and why, and that this may change without a change to it.
func (s Setter) Waiting(reason, message string) {
	s.False(v1alpha1.ReadyCondition, reason, message)
	s.True(v1alpha1.ReconcilingCondition, reason, message)
	s.Remove(v1alpha1.StalledCondition)
}

// Stalled tells that the object is not ready and why, and that a person must change something.
func (s Setter) Stalled(reason, message string) {
	s.False(v1alpha1.ReadyCondition, reason, message)
	s.True(v1alpha1.StalledCondition, reason, message)
	s.Remove(v1alpha1.ReconcilingCondition)
}

func (s Setter) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	conditions := s.object.GetConditions()
	meta.SetStatusCondition(&conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: limit(message),
		ObservedGeneration: s.object.GetGeneration(), LastTransitionTime: s.now,
	})
	s.object.SetConditions(conditions)
}

// limit keeps a message short enough for every field it is copied to.
func limit(message string) string {
	const longest = 1024
	if len(message) <= longest {
		return message
	}
	cut := longest - len("…")
	for cut > 0 && message[cut]&0xC0 == 0x80 { // not inside a rune
		cut--
	}
	return message[:cut] + "…"
}

// IsTrue tells whether a condition is True.
func IsTrue(object Object, conditionType string) bool {
	return meta.IsStatusConditionTrue(object.GetConditions(), conditionType)
}

// Get returns a condition, or nil.
func Get(object Object, conditionType string) *metav1.Condition {
	return meta.FindStatusCondition(object.GetConditions(), conditionType)
}
