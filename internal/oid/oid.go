// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package oid checks object identifiers in dotted decimal form. Finnish social and
// health care names its organizations, service units and registries by them
// (most under 1.2.246.10, the national organization branch).
package oid

// MaxLength is the longest accepted identifier, in characters.
const MaxLength = 128

// Pattern is the form [Valid] accepts, as an RE2 regular expression that also works in CEL
// and OpenAPI (it holds no backslash). The length limit, [MaxLength], is not part of it.
const Pattern = `^[0-2]([.](0|[1-9][0-9]*)){2,}$`

// minArcs is three, because two arcs name a registration authority and never one of ours.
const minArcs = 3

// Valid reports whether s is an object identifier: decimal arcs separated by dots, first arc
// 0 to 2, no leading zeros, at least three arcs, at most [MaxLength] characters.
func Valid(s string) bool {
	if len(s) == 0 || len(s) > MaxLength || s[0] > '2' {
		return false
	}
	arcs, start := 0, 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
			continue
		}
		digits := i - start
		if digits == 0 || (digits > 1 && s[start] == '0') || (arcs == 0 && digits > 1) {
			return false
		}
		arcs++
		start = i + 1
	}
	return arcs >= minArcs
}
