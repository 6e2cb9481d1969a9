// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The accessors below let one piece of code keep the status of every kind.

// GetConditions returns the conditions of the status.
func (o *Archive) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *Archive) SetConditions(conditions []metav1.Condition) { o.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status speaks of.
func (o *Archive) GetObservedGeneration() int64 { return o.Status.ObservedGeneration }

// SetObservedGeneration sets the generation that the status speaks of.
func (o *Archive) SetObservedGeneration(generation int64) { o.Status.ObservedGeneration = generation }

// GetConditions returns the conditions of the status.
func (o *Organization) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *Organization) SetConditions(conditions []metav1.Condition) { o.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status speaks of.
func (o *Organization) GetObservedGeneration() int64 { return o.Status.ObservedGeneration }

// SetObservedGeneration sets the generation that the status speaks of.
func (o *Organization) SetObservedGeneration(generation int64) {
	o.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (o *ClientSystem) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *ClientSystem) SetConditions(conditions []metav1.Condition) { o.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status speaks of.
func (o *ClientSystem) GetObservedGeneration() int64 { return o.Status.ObservedGeneration }

// SetObservedGeneration sets the generation that the status speaks of.
func (o *ClientSystem) SetObservedGeneration(generation int64) {
	o.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (o *Registry) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *Registry) SetConditions(conditions []metav1.Condition) { o.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status speaks of.
func (o *Registry) GetObservedGeneration() int64 { return o.Status.ObservedGeneration }

// SetObservedGeneration sets the generation that the status speaks of.
func (o *Registry) SetObservedGeneration(generation int64) { o.Status.ObservedGeneration = generation }

// GetConditions returns the conditions of the status.
func (o *ProducerUnit) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *ProducerUnit) SetConditions(conditions []metav1.Condition) { o.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status speaks of.
func (o *ProducerUnit) GetObservedGeneration() int64 { return o.Status.ObservedGeneration }

// SetObservedGeneration sets the generation that the status speaks of.
func (o *ProducerUnit) SetObservedGeneration(generation int64) {
	o.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (o *ServiceRelationship) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *ServiceRelationship) SetConditions(conditions []metav1.Condition) {
	o.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status speaks of.
func (o *ServiceRelationship) GetObservedGeneration() int64 { return o.Status.ObservedGeneration }

// SetObservedGeneration sets the generation that the status speaks of.
func (o *ServiceRelationship) SetObservedGeneration(generation int64) {
	o.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (o *RegistryAccessGrant) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *RegistryAccessGrant) SetConditions(conditions []metav1.Condition) {
	o.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status speaks of.
func (o *RegistryAccessGrant) GetObservedGeneration() int64 { return o.Status.ObservedGeneration }

// SetObservedGeneration sets the generation that the status speaks of.
func (o *RegistryAccessGrant) SetObservedGeneration(generation int64) {
	o.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (o *DeploymentTest) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *DeploymentTest) SetConditions(conditions []metav1.Condition) {
	o.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status speaks of.
func (o *DeploymentTest) GetObservedGeneration() int64 { return o.Status.ObservedGeneration }

// SetObservedGeneration sets the generation that the status speaks of.
func (o *DeploymentTest) SetObservedGeneration(generation int64) {
	o.Status.ObservedGeneration = generation
}
