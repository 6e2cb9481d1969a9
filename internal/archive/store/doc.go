// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package store says what the archive keeps and what any engine that keeps it must promise.
//
// Three promises matter more than the rest:
//
//   - A call that writes returns nil only when its rows survive a power cut.
//   - A write carries its access-log row in the same transaction: no document without its row,
//     no row for a document that was not stored.
//   - Stored bytes come back verbatim, and a digest proves it on each read.
//
// The conformance suite in the package storetest holds every engine to them.
package store
