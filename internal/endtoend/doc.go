// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package endtoend holds no code, only tests that hold the whole product against the
// invariants of the design: a real API server, the real controllers, real archive
// replicas, and callers with real certificates over real connections.
package endtoend
