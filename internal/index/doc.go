// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package index is the archive's compact in-memory view of the rights: what access.Decide looks at.
//
// A feed puts objects in; the index keeps only what a decision needs of them. It knows nothing of
// Kubernetes types and reads no clock. Objects may come in any order: names are resolved when a
// decision asks, and what cannot be resolved denies. Nothing old can come back: an event at or
// before the known revision of its UID is ignored, and so is any event of a deleted UID.
package index
