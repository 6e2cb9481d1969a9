// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

func (l *loader) schemas(field string, m *manifestType, t *DocumentType) {
	for i := range m.Schemas {
		at := fmt.Sprintf("%s.schemas[%d]", field, i)
		if s, ok := l.schema(at, &m.Schemas[i], m.Relationship != nil); ok {
			if _, twice := t.Schema(s.version); twice {
				l.fail(at+".version", "%q is there twice", s.version)
			}
			t.schemas = append(t.schemas, s)
		}
	}
	slices.SortFunc(t.schemas, func(a, b *Schema) int { return strings.Compare(string(a.period.ValidFrom), string(b.period.ValidFrom)) })
	for i := 1; i < len(t.schemas); i++ {
		former, next := t.schemas[i-1], t.schemas[i]
		if former.period.Holds(next.period.ValidFrom) {
			l.fail(field+".schemas", "versions %q and %q are both in force on %s", former.version, next.version, next.period.ValidFrom)
		}
	}
}

func (l *loader) schema(field string, m *manifestSchema, templated bool) (*Schema, bool) {
	before := len(l.wrong)
	s := &Schema{version: m.Version, period: m.Period, names: map[string]bool{}}
	if !codePattern.MatchString(m.Version) {
		l.fail(field+".version", "must be 1 to 63 letters, digits, dots, hyphens and underscores, with a letter or digit at both ends")
	}
	if m.ValidFrom == "" {
		l.fail(field+".validFrom", "is missing")
	}
	l.period(field, m.Period)
	if templated != (m.Template != "") {
		l.fail(field+".template", "must be given for a type with a relationship, and only then")
	} else if templated {
		s.template, _ = l.file(field+".template", m.Template)
	}
	var ok bool
	if s.raw, ok = l.file(field+".file", m.File); ok {
		l.compile(m.File, s)
	}
	return s, len(l.wrong) == before
}

// compile checks more than the library does: that every keyword and format is known, so that a
// misspelled one does not silently ask for nothing.
func (l *loader) compile(file string, s *Schema) {
	value, err := wellformed.Decode(s.raw)
	if err != nil {
		l.failIn(file, "", err)
		return
	}
	checked := keywordCheck{names: s.names}
	checked.root(value)
	for _, wrong := range checked.wrong {
		l.failIn(file, wrong.pointer, errors.New(wrong.problem))
	}
	if len(checked.wrong) > 0 {
		return
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: validDateTime})
	compiler.UseLoader(noLoader{})
	url := "catalog:///" + file
	if err := compiler.AddResource(url, value); err != nil {
		l.failIn(file, "", err)
		return
	}
	if s.compiled, err = compiler.Compile(url); err != nil {
		l.failIn(file, "", err)
	}
}

// noLoader reads no schema from anywhere.
type noLoader struct{}

// Load refuses.
func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a schema may not refer to another document")
}

// validDateTime is stricter than the library's own, which takes what time.Parse does not: what passes
// here has one meaning everywhere.
func validDateTime(value any) error {
	text, ok := value.(string)
	if !ok {
		return nil
	}
	_, err := time.Parse(time.RFC3339, text)
	return err
}
