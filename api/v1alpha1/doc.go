// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the Kubernetes resources of the register access right
// (rekisterinkäyttöoikeus): who is bound to whom, which right follows, and what
// has been issued for it. It imports apimachinery only, so that clients can use
// the types without a controller's dependencies.
//
// +kubebuilder:object:generate=true
// +groupName=valtuus.io
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="applyconfiguration"
package v1alpha1
