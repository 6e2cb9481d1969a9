// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// secret stands for a client's data: nothing tells it.
const secret = "Virtanen"

func violations(t *testing.T, schema *catalog.Schema, body string) []string {
	t.Helper()
	err := schema.Validate([]byte(body))
	var told *catalog.InvalidError
	if err != nil && !errors.As(err, &told) {
		t.Fatalf("%s: got %v", body, err)
	}
	if err == nil {
		return nil
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("%s: tells %v", body, err)
	}
	var found []string
	for _, v := range told.Violations {
		if v.Hint == "" {
			t.Errorf("%s: no hint for %s at %s", body, v.Rule, v.Pointer)
		}
		found = append(found, v.Pointer+" "+v.Rule)
	}
	return found
}

// probing has each rule that a schema may have.
const probing = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": "object",
	"required": ["a"],
	"additionalProperties": false,
	"properties": {
		"a": {"type": "string", "maxLength": 3, "minLength": 1, "pattern": "^[a-z]*$"},
		"choice": {"enum": ["x", "y"]}, "one": {"const": "z"},
		"day": {"format": "date"}, "time": {"format": "date-time"}, "id": {"format": "uuid"},
		"n": {"type": "integer", "minimum": 1, "maximum": 5}, "cents": {"multipleOf": 0.01}, "above": {"exclusiveMinimum": 1, "exclusiveMaximum": 3},
		"list": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true, "items": {"$ref": "#/$defs/item"}},
		"pair": {"prefixItems": [{"type": "string"}], "items": false, "contains": {"const": "c"}},
		"open": {"additionalProperties": {"type": "string"}, "propertyNames": {"maxLength": 10}, "maxProperties": 2, "minProperties": 1},
		"not": {"not": {"const": 1}}, "any": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "single": {"oneOf": [{"minimum": 1}, {"minimum": 2}]},
		"all": {"allOf": [{"type": "string"}, {"maxLength": 1}]}, "rest": {"properties": {"a": {}}, "unevaluatedProperties": false},
		"with": {"dependentRequired": {"a": ["one"]}}, "~odd/name": {"type": "string"}
	},
	"$defs": {"item": {"type": "object", "additionalProperties": false, "properties": {"a": {"type": "string"}}}}
}`

func TestValidate(t *testing.T) {
	schema := current(t, small.with("note2.schema.json", probing).load(t), "note")
	for body, want := range map[string][]string{
		`{"a":"b"}`:               nil,
		`{"a":"b","n":2.0}`:       nil,
		`{"a":"b","cents":10.10}`: nil,
		`{}`:                      {" required"},
		`[]`:                      {" type"},
		`"Virtanen"`:              {" type"},
		`{"a":"Virtanen"}`:        {"/a maxLength", "/a pattern"},
		`{"a":""}`:                {"/a minLength"},
		`{"a":3}`:                 {"/a type"},
		`{"a":"b","Virtanen":1}`:  {" additionalProperties"},
		`{"a":"b","choice":"Virtanen","one":"Virtanen","day":"Virtanen","time":"2026-01-01 00:00:00Z","id":"Virtanen"}`: {
			"/choice enum", "/day format", "/id format", "/one const", "/time format"},
		`{"a":"b","day":"2026-02-29"}`:                          {"/day format"},
		`{"a":"b","time":"2026-01-01T23:59:60Z"}`:               {"/time format"},
		`{"a":"b","time":"2026-01-01T00:00:00"}`:                {"/time format"},
		`{"a":"b","n":1.5}`:                                     {"/n type"},
		`{"a":"b","n":1e299}`:                                   {"/n maximum"},
		`{"a":"b","n":0,"cents":0.001,"above":1}`:               {"/above exclusiveMinimum", "/cents multipleOf", "/n minimum"},
		`{"a":"b","above":3}`:                                   {"/above exclusiveMaximum"},
		`{"a":"b","n":1.00000000000000000000000001}`:            {"/n type"}, // which a float64 would take for 1
		`{"a":"b","n":5.00000000000000000000000001}`:            {"/n type"},
		`{"a":"b","list":[]}`:                                   {"/list minItems"},
		`{"a":"b","list":[{},{"a":"Virtanen"},{"a":1}]}`:        {"/list maxItems", "/list/2/a type"},
		`{"a":"b","list":[{"a":"Virtanen"},{"a":"Virtanen"}]}`:  {"/list uniqueItems"},
		`{"a":"b","list":[{"Virtanen":1}]}`:                     {"/list/0 additionalProperties"},
		`{"a":"b","pair":["c","Virtanen"]}`:                     {"/pair/1 false"},
		`{"a":"b","pair":["d"]}`:                                {"/pair contains"},
		`{"a":"b","open":{}}`:                                   {"/open minProperties"},
		`{"a":"b","open":{"Virtanen":1}}`:                       {"/open type"},
		`{"a":"b","open":{"Virtanen Virtanen":"x"}}`:            {" propertyNames"},
		`{"a":"b","open":{"x":"","y":"","z":""}}`:               {"/open maxProperties"},
		`{"a":"b","not":1,"any":2,"single":3,"all":"Virtanen"}`: {"/all maxLength", "/any anyOf", "/not not", "/single oneOf"},
		`{"a":"b","rest":{"Virtanen":1}}`:                       {"/rest false"},
		`{"a":"b","with":{"a":1}}`:                              {"/with dependentRequired"},
		`{"a":"b","~odd/name":1}`:                               {"/~0odd~1name type"},
	} {
		if got := violations(t, schema, body); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}

func TestValidateChecksThatTheTextIsWellFormed(t *testing.T) {
	schema := current(t, small.load(t), "note")
	for body, want := range map[string]error{
		`{"text":"a","text":"b"}`: wellformed.ErrDuplicateName, `{`: wellformed.ErrSyntax, "\ufeff{}": wellformed.ErrNotUTF8,
		`{"text":"\ud800"}`: wellformed.ErrSurrogate, `{"x":1e999}`: wellformed.ErrNumber,
	} {
		if err := schema.Validate([]byte(body)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", body, err, want)
		}
	}
}

func TestViolationsAreBoundedAndOrdered(t *testing.T) {
	schema := current(t, small.with("note2.schema.json", probing).load(t), "note")
	body := `{"list":[` + strings.Repeat(`{"a":1},`, 5000) + `{"a":1}]}`
	first := violations(t, schema, body)
	if len(first) != catalog.MaxViolations {
		t.Fatalf("got %d", len(first))
	}
	for range 5 {
		if again := violations(t, schema, body); !slices.Equal(first, again) {
			t.Fatalf("got %q, then %q", first, again)
		}
	}
}

func TestStandInSaysWhatIsMissing(t *testing.T) {
	c := catalog.StandIn()
	for body, want := range map[string][]string{
		`matter {"subject":"a","kind":"application","openedAt":"2026-01-01T00:00:00Z","state":"closed"}`:                                             {" required"},
		`matter {"subject":"a","kind":"application","openedAt":"2026-01-01T00:00:00Z","state":"open","closingReason":"withdrawn"}`:                   {"/closingReason false"},
		`client-relationship {"producerUnit":"Virtanen","start":"2026-01-01","procurement":"gift"}`:                                                  {"/procurement enum", "/producerUnit pattern", "/start format"},
		`client-relationship {"producerUnit":"1.2.3","start":"2026-01-01T00:00:00Z","procurement":"service-voucher","endReason":"other"}`:            {" dependentRequired"},
		`client-relationship {"producerUnit":"1.2.3","start":"2026-01-01T00:00:00Z","procurement":"service-voucher","name":"Virtanen"}`:              {" additionalProperties"},
		`need-notification {"receivedAt":"2026-01-01T00:00:00Z","notifier":{"kind":"anonymous","name":"Virtanen"},"concern":"a","urgency":"urgent"}`: {"/notifier/name false"},
	} {
		kind, body, _ := strings.Cut(body, " ")
		if got := violations(t, current(t, c, kind), body); !slices.Equal(got, want) {
			t.Errorf("%s %s: got %q, want %q", kind, body, got, want)
		}
	}
}

// hintWords are the words that hints have of their own.
const hintWords = " must be of type or one the value that schema gives have format lacks required with has fields does not know " +
	"there at least most characters items each item once match breaks this rule "

// FuzzValidate holds arbitrary bytes to each schema: it does not panic, and what it tells is made of the
// schema's words.
func FuzzValidate(f *testing.F) {
	schemas := []*catalog.Schema{current(f, small.with("note2.schema.json", probing).load(f), "note")}
	for _, kind := range catalog.StandIn().Types() {
		schemas = append(schemas, current(f, catalog.StandIn(), kind.Code()))
		f.Add(examples.JSON(kind.Code()))
	}
	for _, seed := range []string{`{"a":"b","n":1e299}`, `{"list":[{"a":1},{"q":{}}]}`, `{"a":[[[[]]]]}`, `{"open":{"a":1,"b":2,"c":3}}`, `1e-300`, `{"\u0061":"\ud83d\ude00"}`} {
		f.Add([]byte(seed))
	}
	pointers, raw := make([]map[string]bool, len(schemas)), make([][]byte, len(schemas))
	for i, schema := range schemas {
		pointers[i], raw[i] = names(f, schema), schema.Raw()
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, schema := range schemas {
			var told *catalog.InvalidError
			if err := schema.Validate(body); !errors.As(err, &told) {
				if (err == nil) != (wellformed.JSON(body) == nil) {
					t.Fatalf("got %v", err)
				}
				continue
			}
			if len(told.Violations) == 0 || len(told.Violations) > catalog.MaxViolations {
				t.Fatalf("got %d violations", len(told.Violations))
			}
			for _, v := range told.Violations {
				for _, step := range strings.Split(v.Pointer, "/")[1:] {
					if !pointers[i][step] && !isIndex(step) {
						t.Fatalf("the pointer %q has the document's words", v.Pointer)
					}
				}
				for _, word := range strings.FieldsFunc(v.Hint, func(r rune) bool { return strings.ContainsRune(` ,"`, r) }) {
					if !strings.Contains(hintWords, " "+word+" ") && !strings.Contains(string(raw[i]), word) {
						t.Fatalf("the hint %q has the document's words", v.Hint)
					}
				}
			}
		}
	})
}

func isIndex(step string) bool {
	var i int
	n, err := fmt.Sscanf(step, "%d", &i)
	return n == 1 && err == nil && fmt.Sprint(i) == step
}

// names gives every name that the schema's text has.
func names(t testing.TB, schema *catalog.Schema) map[string]bool {
	value, err := wellformed.Decode(schema.Raw())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, member := range v {
				found[strings.NewReplacer("~", "~0", "/", "~1").Replace(name)] = true
				walk(member)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(value)
	return found
}
