// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"errors"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

type target struct {
	Client string `json:"client"`
	Limit  *int   `json:"limit,omitempty"`
}

func TestObject(t *testing.T) {
	var got target
	if err := Object([]byte(`{"client":"c","limit":3}`), &got); err != nil || got.Client != "c" || *got.Limit != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
	for text, want := range map[string]error{
		`[]`: ErrNotObject, `null`: ErrNotObject, `"x"`: ErrNotObject,
		`{"client":"a","client":"b"}`: wellformed.ErrDuplicateName, `{`: wellformed.ErrSyntax,
	} {
		if err := Object([]byte(text), &target{}); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", text, err, want)
		}
	}
	for _, text := range []string{`{"Client":"c"}`, `{"client ":"c"}`, `{"x":1}`} {
		var unknown *UnknownFieldError
		if err := Object([]byte(text), &target{}); !errors.As(err, &unknown) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	for text, name := range map[string]string{`{"client":1}`: "client", `{"limit":"1"}`: "limit", `{"limit":1.5}`: "limit", `{"client":null}`: "client"} {
		var wrong *FieldTypeError
		if err := Object([]byte(text), &target{}); !errors.As(err, &wrong) || wrong.Name != name {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func FuzzObjectTakesOnlyKnownNames(f *testing.F) {
	for _, seed := range []string{`{"client":"c"}`, `{"Client":1}`, `{"limit":1e400}`, `{"client":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got target
		if err := Object(data, &got); err == nil && wellformed.JSON(data) != nil {
			t.Fatal("took what is not well-formed")
		}
	})
}
