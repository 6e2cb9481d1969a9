// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sqlstore keeps the archive's store in a SQL database. All SQL of the store is here, in the subset
// that SQLite and PostgreSQL read alike (placeholders $1, $2, …; no engine's own types, functions or clauses);
// an engine adds how it is opened, how a transaction runs and what its errors mean.
//
// An operation reads before it writes, so that an ordinary refusal (not found, stale, exists) never costs the
// transaction that it shares with others.
package sqlstore
