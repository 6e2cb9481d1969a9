// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e is the end-to-end suite: the product on a real Kubernetes, installed by its chart, used by three
// people with kubectl and by client systems in pods. Its tests carry the build tag e2e; make e2e runs them.
package e2e
