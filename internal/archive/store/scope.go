// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import "slices"

// Scope is what one user right covers: documents of some types in some service tasks.
type Scope struct {
	// Tasks and Types are codes of service tasks and document types; nil covers all, empty covers none.
	Tasks, Types []string
}

// Covers tells whether the scope covers documents of the type in the service task.
func (s *Scope) Covers(task, documentType string) bool {
	return s.coversType(documentType) && (s.Tasks == nil || slices.Contains(s.Tasks, task))
}

// CoveredByBoth gives what is covered by one of the scopes and by one of the others.
func CoveredByBoth(scopes, others []Scope) []Scope {
	both := []Scope{}
	for _, a := range scopes {
		for _, b := range others {
			both = append(both, Scope{Tasks: common(a.Tasks, b.Tasks), Types: common(a.Types, b.Types)})
		}
	}
	return both
}

// common gives the codes that are in both; nil is of all.
func common(a, b []string) []string {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	both := []string{}
	for _, code := range a {
		if slices.Contains(b, code) {
			both = append(both, code)
		}
	}
	return both
}

func (s *Scope) coversType(documentType string) bool {
	return s.Types == nil || slices.Contains(s.Types, documentType)
}
