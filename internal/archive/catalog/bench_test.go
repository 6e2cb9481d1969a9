// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// BenchmarkValidate10kB is the whole check of a structured document: UTF-8, grammar, names given once,
// and the schema.
func BenchmarkValidate10kB(b *testing.B) {
	schema := current(b, catalog.StandIn(), "case-note")
	body := examples.CaseNote(10_000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := schema.Validate(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWellformed10kB is the part without the schema.
func BenchmarkWellformed10kB(b *testing.B) {
	body := examples.CaseNote(10_000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := wellformed.JSON(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := catalog.Load(catalog.StandInFiles()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValidateDense10kB is the same of a document that is made of many small fields.
func BenchmarkValidateDense10kB(b *testing.B) {
	var week []string
	for range 145 {
		week = append(week, `{"day": "monday", "time": "08:15", "minutes": 45, "what": "Aamukäynti"}`)
	}
	body := strings.Replace(string(examples.JSON("implementation-plan")), `"week": [`, `"week": [`+strings.Join(week, ",")+",", 1)
	schema := current(b, catalog.StandIn(), "implementation-plan")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := schema.Validate([]byte(body)); err != nil {
			b.Fatal(err)
		}
	}
}
