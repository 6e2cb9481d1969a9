// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/archive/catalog"
)

// validateRow is how long the check of a document takes.
type validateRow struct{}

func (validateRow) name() string { return "validate" }
func (validateRow) measures() string {
	return "one core checks case notes of 10 kB: UTF-8, grammar, names given once, and the schema"
}
func (validateRow) floor() string { return "encoding/json decodes the same bytes" }
func (validateRow) goal() string  { return "at most 0.2 ms" }

func (validateRow) run(_ context.Context, b *bench) ([]figure, error) {
	kind, ok := catalog.StandIn().Type("case-note")
	if !ok {
		return nil, errors.New("the stand-in catalog has no case note")
	}
	schema, err := kind.SchemaOn("", time.Now())
	if err != nil {
		return nil, err
	}
	all, checked, decoded := newNotes(noteSize), &samples{}, &samples{}
	for i := range b.size(10_000, 1000) { // in turns
		body := all.note(i)
		begun := time.Now()
		if err := schema.Validate(body); err != nil {
			return nil, err
		}
		checked.add(time.Since(begun))
		var value any
		begun = time.Now()
		if err := json.Unmarshal(body, &value); err != nil {
			return nil, err
		}
		decoded.add(time.Since(begun))
	}
	f := figure{What: "a document of 10 kB checked, p50", Value: checked.at(.5), Unit: "ms"}.over(decoded.at(.5))
	return []figure{f.want(f.Value <= .2, "≤ 0.2 ms").noted("p99 %s ms against %s ms", number(checked.at(.99)), number(decoded.at(.99)))}, nil
}
