// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package chart holds the tests of charts/valtuus: with Helm's own linter and engine, with kustomize for what config/
// says, with Prometheus' parser, and on a real API server. They are a module of their own, because the product needs
// none of these. Run them with make chart.
package chart
