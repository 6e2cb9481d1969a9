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

func (s *Scope) coversType(documentType string) bool {
	return s.Types == nil || slices.Contains(s.Types, documentType)
}
