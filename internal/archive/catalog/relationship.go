// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
	"github.com/valtuus/valtuus/internal/oid"
)

// errNoMapping: the type's documents open no relationships.
var errNoMapping = errors.New("documents of this type say nothing of service relationships")

// mapping tells where a client relationship document says what.
type mapping struct {
	unit, start, end, procurement pointer
	// procurementOf gives the API's word for each code of the schema, codeOf the reverse.
	procurementOf, codeOf map[string]string
}

// Relationship gives what the JSON of a client relationship document says. Times are in UTC and whole
// seconds, which is how Kubernetes keeps them: a start is taken up and an end down to the second, so that
// no right lasts longer than it says. Errors: those of wellformed.JSON, and *InvalidError.
func (t *DocumentType) Relationship(body []byte) (store.Relationship, error) {
	if t.mapping == nil {
		return store.Relationship{}, errNoMapping
	}
	value, err := wellformed.Decode(body)
	if err != nil {
		return store.Relationship{}, err
	}
	r, err := t.mapping.read(value)
	if err != nil {
		return store.Relationship{}, err
	}
	return r, nil
}

func (m *mapping) read(value any) (r store.Relationship, err error) {
	unit, _ := m.unit.get(value)
	r.Unit, _ = unit.(string)
	if !oid.Valid(r.Unit) {
		return r, m.wrong(m.unit, "must be the OID of the producer unit")
	}
	if r.Start, err = m.instant(value, m.start); err != nil {
		return r, err
	}
	if r.Start.IsZero() {
		return r, m.wrong(m.start, "must tell when the relationship starts")
	}
	if r.End, err = m.instant(value, m.end); err != nil {
		return r, err
	}
	code, _ := m.procurement.get(value)
	text, _ := code.(string)
	if r.Procurement = m.procurementOf[text]; r.Procurement == "" {
		return r, m.wrong(m.procurement, "must tell by a known code how the service is bought")
	}
	return m.rounded(r)
}

// instant reads a time; zero for none.
func (m *mapping) instant(value any, at pointer) (time.Time, error) {
	given, _ := at.get(value)
	if given == nil {
		return time.Time{}, nil
	}
	text, _ := given.(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1900 || t.Year() > 9998 {
		return time.Time{}, m.wrong(at, "must be an RFC 3339 time such as 2026-03-01T08:00:00Z")
	}
	return t, nil
}

func (m *mapping) rounded(r store.Relationship) (store.Relationship, error) {
	if down := r.Start.UTC().Truncate(time.Second); down.Before(r.Start) {
		r.Start = down.Add(time.Second)
	} else {
		r.Start = down
	}
	if r.End.IsZero() {
		return r, nil
	}
	if r.End = r.End.UTC().Truncate(time.Second); !r.Start.Before(r.End) {
		return r, m.wrong(m.end, "must be after the start")
	}
	return r, nil
}

func (m *mapping) wrong(at pointer, hint string) *InvalidError {
	return invalid(at.String(), "relationship", hint)
}

// RelationshipDocument makes the JSON of a client relationship document that says what r says, by the
// schema in force on the day: the inverse of Relationship. Errors: ErrNotInForce, *InvalidError.
func (t *DocumentType) RelationshipDocument(r store.Relationship, day time.Time) ([]byte, error) {
	if t.mapping == nil {
		return nil, errNoMapping
	}
	schema, err := t.SchemaOn("", day)
	if err != nil {
		return nil, err
	}
	return t.mapping.write(r, schema)
}

func (m *mapping) write(r store.Relationship, schema *Schema) ([]byte, error) {
	r, err := m.rounded(r)
	if err != nil {
		return nil, err
	}
	code, known := m.codeOf[r.Procurement]
	if !known {
		return nil, m.wrong(m.procurement, "the catalog has no code for this procurement")
	}
	var end any
	if !r.End.IsZero() {
		end = r.End.Format(time.RFC3339)
	}
	value, err := wellformed.Decode(schema.template)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		at    pointer
		value any
	}{{m.unit, r.Unit}, {m.start, r.Start.Format(time.RFC3339)}, {m.end, end}, {m.procurement, code}} {
		if !part.at.set(value, part.value) {
			return nil, m.wrong(part.at, "the template has no object for it")
		}
	}
	if err := schema.validate(value); err != nil {
		return nil, err
	}
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	if _, err := m.read(value); err != nil { // what the archive makes, it must understand
		return nil, err
	}
	return body, nil
}
