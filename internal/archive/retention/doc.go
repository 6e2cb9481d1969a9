// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package retention tells until when something is kept, by the rules of the catalog. All of it is pure: what is asked
// of a document today is answered from what is known of it, its matters and its clients.
//
// A rule counts whole years from the day of an event, by days in Finland, and that last day is kept as well: of a
// matter closed on 1 March 2026, ten years end with 1 March 2036, and 2 March is the first day on which its documents
// are destroyed. Where several rules, clients or matters count, all of them have to have ended. An event that has not
// happened, or that the archive does not know of, starts nothing; what no rule is for is kept for good.
package retention
