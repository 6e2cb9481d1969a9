// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package transfer copies the whole of one store into another, whatever their engines: the one mechanism
// behind backup, restore and the move from SQLite to PostgreSQL.
//
// The copy goes table by table, in the order of the source's keys, in batches that are one transaction each: what
// the target holds of a table is always the beginning of it, so that a copy that was cut goes on where it stood. Until the copy is whole and has been
// compared with its source, the target says that it is importing, and no archive serves from it.
package transfer
