// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package catalog holds what an archive may be given: document types with their dated JSON Schemas,
// service tasks, the reasons for corrections and annulments, and how long what is kept. All of it is data, loaded from one
// flat directory (so that a ConfigMap can be mounted as it is) and replaced without a restart.
//
// The catalog that is built in, StandIn, stands in for the national one: its types are those that an
// organizer and a producer need, but their content was written for this product. A deployment loads
// the national definitions instead.
//
// Days are days in Finland. A document is judged by the day on which it was created, by its maker's word.
package catalog
