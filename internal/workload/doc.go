// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package workload says what runs an archive in a cluster, and what is wrong with it
// when it does not run. It renders the objects of one Archive as configurations for
// server-side apply, tells whether a live object is still as rendered, makes the
// archive's keys, and puts into words what stands in a pod's way. It has no client:
// package controllers reads and writes.
package workload
