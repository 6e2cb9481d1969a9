// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"strings"
)

// MaxViolations is how many violations an InvalidError tells at most.
const MaxViolations = 20

// Violation is one place where a document breaks its schema. It never holds anything of the document
// but names that the schema knows.
type Violation struct {
	// Pointer is the JSON Pointer to the value, as far as the schema knows the names on the way.
	Pointer string
	// Rule is the keyword of the schema that was broken.
	Rule string
	// Hint tells in English what the schema asks for.
	Hint string
}

// InvalidError tells where a document breaks its schema.
type InvalidError struct {
	// Violations are in the order of their pointers, at most MaxViolations.
	Violations []Violation
}

// Error lists the violations.
func (e *InvalidError) Error() string {
	texts := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		texts[i] = fmt.Sprintf("%q %s: %s", v.Pointer, v.Rule, v.Hint)
	}
	return "the document breaks its schema: " + strings.Join(texts, "; ")
}

func invalid(pointer, rule, hint string) *InvalidError {
	return &InvalidError{Violations: []Violation{{Pointer: pointer, Rule: rule, Hint: hint}}}
}
