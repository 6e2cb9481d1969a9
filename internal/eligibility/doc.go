// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package eligibility says whether a register access grant or a service
// relationship has what it needs, and if not, which condition is missing and
// who can supply it.
//
// It is pure: no client, no clock, no API types. A caller fills an input with
// what it has read, and gets a Verdict with a condition reason, a message for
// a person, and the instant at which time alone may change the answer.
//
// The two chains, grantChain and relationshipChain, are lists that read as the
// specification. They stop at the first violation, so their order decides which
// of several missing conditions a person hears of first.
//
// All periods are half-open: they include their first instant and not their
// last. A zero time is an open end.
package eligibility
