// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxHint is the longest hint, in bytes, that quotes the schema.
const maxHint = 300

// explain turns the library's findings, which quote the document, into ones that do not.
func (s *Schema) explain(broken *jsonschema.ValidationError, value any) *InvalidError {
	e := &InvalidError{}
	s.collect(broken, value, e)
	slices.SortFunc(e.Violations, func(a, b Violation) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Hint, b.Hint))
	})
	e.Violations = slices.Compact(e.Violations)
	e.Violations = e.Violations[:min(len(e.Violations), MaxViolations)]
	return e
}

func (s *Schema) collect(broken *jsonschema.ValidationError, value any, into *InvalidError) {
	switch broken.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		for _, cause := range broken.Causes {
			s.collect(cause, value, into)
		}
		return
	}
	into.Violations = append(into.Violations, Violation{
		Pointer: s.pointer(location(broken), value), Rule: rule(broken.ErrorKind), Hint: hint(broken.ErrorKind),
	})
}

// location gives the way to the value that broke a rule. Where the name of a field did, it is the whole
// document: the library's way to that object shares memory with the ways it goes afterwards (v6.0.3),
// so that it may name any other value by now.
func location(broken *jsonschema.ValidationError) []string {
	if _, shared := broken.ErrorKind.(*kind.PropertyNames); shared {
		return nil
	}
	return broken.InstanceLocation
}

// rule names the keyword that was broken.
func rule(broken jsonschema.ErrorKind) string {
	switch broken.(type) {
	case *kind.FalseSchema:
		return "false" // the schema that nothing follows
	case *kind.Not:
		return "not"
	}
	if path := broken.KeywordPath(); len(path) > 0 {
		return path[0]
	}
	return "schema"
}

// pointer gives the location up to the first name that the schema does not have: such a name is the
// document's own text.
func (s *Schema) pointer(location []string, value any) string {
	var pointer strings.Builder
	for _, step := range location {
		switch at := value.(type) {
		case map[string]any:
			if !s.names[step] {
				return pointer.String()
			}
			value = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return pointer.String()
			}
			value = at[i]
		default:
			return pointer.String()
		}
		pointer.WriteString("/" + pointerEscaper.Replace(step))
	}
	return pointer.String()
}

// hint tells what the schema asks for, in the schema's words only.
func hint(broken jsonschema.ErrorKind) string {
	switch k := broken.(type) {
	case *kind.Type:
		return "must be of type " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		return bounded("must be one of "+quoted(k.Want), "must be one of the values that the schema lists")
	case *kind.Const:
		return bounded("must be "+quoted([]any{k.Want}), "must be the value that the schema gives")
	case *kind.Format:
		return "must have the format " + k.Want
	case *kind.Required:
		return bounded("lacks "+strings.Join(k.Missing, ", "), "lacks fields that the schema requires")
	case *kind.DependentRequired:
		return bounded("lacks "+strings.Join(k.Missing, ", ")+", required with "+k.Prop, "lacks fields that the schema requires")
	case *kind.AdditionalProperties:
		return "has fields that the schema does not know"
	case *kind.FalseSchema:
		return "must not be there"
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d items", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d items", k.Want)
	case *kind.UniqueItems:
		return "must have each item once"
	case *kind.Pattern:
		return bounded("must match "+k.Want, "must match the pattern of the schema")
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	default:
		return "breaks this rule of the schema"
	}
}

func bounded(hint, instead string) string {
	if len(hint) > maxHint {
		return instead
	}
	return hint
}

func quoted(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		raw, err := json.Marshal(v)
		if err != nil {
			return "a value that the schema gives"
		}
		texts[i] = string(raw)
	}
	return strings.Join(texts, ", ")
}
