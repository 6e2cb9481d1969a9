// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

var day = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

func TestEachTypeHasAValidExample(t *testing.T) {
	for _, kind := range catalog.StandIn().Types() {
		schema, err := kind.SchemaOn("", day)
		if err != nil {
			t.Fatalf("%s: %v", kind.Code(), err)
		}
		if err := schema.Validate(JSON(kind.Code())); err != nil {
			t.Errorf("%s: %v", kind.Code(), err)
		}
		if kind.Takes(store.ContentXHTML) == (kind.Operation() != "") {
			t.Errorf("%s: only what the archive itself reads comes without a form for people", kind.Code())
		}
	}
	if err := wellformed.XHTML(CaseNoteXHTML()); err != nil {
		t.Error(err)
	}
}

func TestCaseNoteHasTheSize(t *testing.T) {
	kind, _ := catalog.StandIn().Type("case-note")
	schema, err := kind.SchemaOn("", day)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{4096, 5000, 5001, 7777, 10_000, 10_240, 50_000} {
		note := CaseNote(size)
		if err := schema.Validate(note); err != nil || len(note) != size {
			t.Errorf("%d: got %d bytes, %v", size, len(note), err)
		}
	}
}
