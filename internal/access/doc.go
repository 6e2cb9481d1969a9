// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package access decides whether a caller may use a client registry.
//
// Decide is one pure function from (request, view, now) to a Decision: it calls nothing, keeps
// nothing and reads no clock, so that the archive and the tests run the very same rules.
// What it needs to know about the world it asks from a View, which internal/index implements.
// Everything that is absent denies.
package access
