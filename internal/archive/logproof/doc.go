// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logproof is the pure part of the provable access log: what is committed to of a row, the Merkle tree over
// the commitments, and the signed statements about the tree.
//
// There is one tree per month of sequencing (UTC), in the layout of https://c2sp.org/tlog-tiles, so that a month can
// be destroyed whole. An entry of a tree is a salted commitment to a record and nothing else: nothing personal is in
// the tiles, and an entry whose record and salt are gone says nothing.
//
// The hashes and proofs are those of golang.org/x/mod/sumdb/tlog and the signed notes those of its package note. The
// tiles are kept in the archive's own store, in the transaction that gives a row its leaf: replicas share a database,
// not a file system.
package logproof
