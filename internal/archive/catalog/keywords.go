// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// dialect is the only one that schemas may be written in.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// What the values of the dialect's keywords are.
const (
	holdsValue   = iota // no schema
	holdsSchema         // a schema
	holdsList           // a list of schemas
	holdsMap            // an object of schemas, by names of the schema's own making
	holdsFields         // an object of schemas, by names of fields
	holdsNames          // a list of names of fields
	holdsNameMap        // an object of lists of names of fields
)

// keywords are those that a schema may use. What refers to other documents or changes its meaning by
// where it is read from is left out.
var keywords = map[string]int{
	"$schema": holdsValue, "$id": holdsValue, "$ref": holdsValue, "$anchor": holdsValue, "$comment": holdsValue, "$defs": holdsMap,
	"type": holdsValue, "enum": holdsValue, "const": holdsValue, "format": holdsValue,
	"title": holdsValue, "description": holdsValue, "default": holdsValue, "examples": holdsValue,
	"deprecated": holdsValue, "readOnly": holdsValue, "writeOnly": holdsValue,
	"contentEncoding": holdsValue, "contentMediaType": holdsValue,
	"multipleOf": holdsValue, "maximum": holdsValue, "exclusiveMaximum": holdsValue, "minimum": holdsValue, "exclusiveMinimum": holdsValue,
	"maxLength": holdsValue, "minLength": holdsValue, "pattern": holdsValue,
	"maxItems": holdsValue, "minItems": holdsValue, "uniqueItems": holdsValue, "maxContains": holdsValue, "minContains": holdsValue,
	"maxProperties": holdsValue, "minProperties": holdsValue, "required": holdsNames, "dependentRequired": holdsNameMap,
	"properties": holdsFields, "patternProperties": holdsMap, "dependentSchemas": holdsFields,
	"additionalProperties": holdsSchema, "propertyNames": holdsSchema, "unevaluatedProperties": holdsSchema,
	"items": holdsSchema, "contains": holdsSchema, "unevaluatedItems": holdsSchema, "prefixItems": holdsList,
	"allOf": holdsList, "anyOf": holdsList, "oneOf": holdsList, "not": holdsSchema, "if": holdsSchema, "then": holdsSchema, "else": holdsSchema,
}

// knownFormats are those that are asserted.
var knownFormats = []string{
	"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "json-pointer", "time", "uri", "uri-reference", "uuid",
}

// keywordCheck goes through a schema.
type keywordCheck struct {
	names map[string]bool // the names of fields that it has met
	wrong []keywordProblem
}

type keywordProblem struct{ pointer, problem string }

func (k *keywordCheck) fail(pointer, problem string) {
	k.wrong = append(k.wrong, keywordProblem{pointer, problem})
}

func (k *keywordCheck) root(value any) {
	object, ok := value.(map[string]any)
	if !ok || object["$schema"] != dialect {
		k.fail("/$schema", "must be "+dialect)
		return
	}
	k.schema("", value)
}

func (k *keywordCheck) schema(pointer string, value any) {
	if _, isBool := value.(bool); isBool {
		return
	}
	object, ok := value.(map[string]any)
	if !ok {
		k.fail(pointer, "must be a schema")
		return
	}
	for _, keyword := range slices.Sorted(maps.Keys(object)) {
		at, value := pointer+"/"+pointerEscaper.Replace(keyword), object[keyword]
		holds, known := keywords[keyword]
		switch {
		case !known:
			k.fail(at, "is not a keyword that a schema here may use")
		case pointer != "" && (keyword == "$schema" || keyword == "$id"):
			k.fail(at, "may be at the root only")
		default:
			k.keyword(at, keyword, holds, value)
		}
	}
}

func (k *keywordCheck) keyword(at, keyword string, holds int, value any) {
	switch holds {
	case holdsSchema:
		k.schema(at, value)
	case holdsList:
		list, _ := value.([]any)
		for i, item := range list {
			k.schema(at+"/"+strconv.Itoa(i), item)
		}
	case holdsMap, holdsFields:
		object, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if holds == holdsFields {
				k.names[name] = true
			}
			k.schema(at+"/"+pointerEscaper.Replace(name), object[name])
		}
	case holdsNames:
		k.name(value)
	case holdsNameMap:
		object, _ := value.(map[string]any)
		for name, names := range object {
			k.names[name] = true
			k.name(names)
		}
	default:
		text, _ := value.(string)
		switch {
		case keyword == "$ref" && !strings.HasPrefix(text, "#"):
			k.fail(at, "may refer to a place in the same file only, such as #/$defs/name")
		case keyword == "format" && !slices.Contains(knownFormats, text):
			k.fail(at, "must be one of "+strings.Join(knownFormats, ", "))
		}
	}
}

func (k *keywordCheck) name(value any) {
	list, _ := value.([]any)
	for _, item := range list {
		if name, ok := item.(string); ok {
			k.names[name] = true
		}
	}
}
