// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"errors"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// Schema is one version of what the JSON of a document type has to be, compiled.
type Schema struct {
	version  string
	period   Period
	raw      []byte
	compiled *jsonschema.Schema
	names    map[string]bool // every field name that the schema has
	template []byte          // of documents that the archive makes; nil unless they open relationships
}

// Version names the schema among those of its type.
func (s *Schema) Version() string { return s.version }

// Period is when the schema is in force.
func (s *Schema) Period() Period { return s.period }

// Raw gives the schema as it was loaded.
func (s *Schema) Raw() []byte { return slices.Clone(s.raw) }

// Validate holds a document to the schema. Errors: those of wellformed.JSON, whose check it includes,
// and *InvalidError.
func (s *Schema) Validate(body []byte) error {
	value, err := wellformed.Decode(body)
	if err != nil {
		return err
	}
	return s.validate(value)
}

func (s *Schema) validate(value any) error {
	err := s.compiled.Validate(value)
	if err == nil {
		return nil
	}
	var broken *jsonschema.ValidationError
	if !errors.As(err, &broken) {
		return invalid("", "schema", "the document cannot be held to its schema")
	}
	return s.explain(broken, value)
}
