// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package strictjson decodes the bodies of API requests: every name must be known, spelled right to
// the letter's case, and given once. What is not known is named, never ignored.
package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// UnknownFieldError names a field that the operation does not know.
type UnknownFieldError struct{ Name string }

// Error names the field. Mind that the name is the caller's text.
func (e *UnknownFieldError) Error() string { return fmt.Sprintf("unknown field %q", e.Name) }

// FieldTypeError names a known field whose value is of a wrong type.
type FieldTypeError struct{ Name string }

// Error names the field.
func (e *FieldTypeError) Error() string { return fmt.Sprintf("field %q is of a wrong type", e.Name) }

// ErrNotObject means that the body is no JSON object.
var ErrNotObject = errors.New("not a JSON object")

// Object decodes a flat JSON object into target, a pointer to a struct whose fields all have json
// tags. Errors: those of wellformed.JSON, ErrNotObject, *UnknownFieldError, *FieldTypeError.
func Object(data []byte, target any) error {
	if err := wellformed.JSON(data); err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil || fields == nil {
		return ErrNotObject
	}
	// encoding/json matches names without regard to case, which lets a misspelled one through.
	value := reflect.ValueOf(target).Elem()
	places := map[string]reflect.Value{}
	for i := range value.NumField() {
		name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		places[name] = value.Field(i)
	}
	for name := range fields {
		if _, known := places[name]; !known {
			return &UnknownFieldError{name}
		}
	}
	for name, place := range places {
		raw, given := fields[name]
		if !given {
			continue
		}
		if string(raw) == "null" {
			return &FieldTypeError{name}
		}
		if err := json.Unmarshal(raw, place.Addr().Interface()); err != nil {
			return &FieldTypeError{name}
		}
	}
	return nil
}
