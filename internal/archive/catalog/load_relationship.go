// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// procurements are the API's words for how a service is bought.
var procurements = []string{
	string(v1alpha1.ProcurementOutsourced), string(v1alpha1.ProcurementVoucher), string(v1alpha1.ProcurementPaymentCommitment),
}

func (l *loader) mapping(field string, r *manifestRelationship) *mapping {
	m := &mapping{procurementOf: r.ProcurementCodes, codeOf: map[string]string{}}
	for _, part := range []struct {
		name, text string
		to         *pointer
	}{{"producerUnit", r.ProducerUnit, &m.unit}, {"start", r.Start, &m.start}, {"end", r.End, &m.end}, {"procurement", r.Procurement, &m.procurement}} {
		parsed, err := parsePointer(part.text)
		if err != nil {
			l.fail(field+".relationship."+part.name, "%w", err)
		}
		*part.to = parsed
	}
	if len(m.procurementOf) == 0 {
		m.procurementOf = map[string]string{}
		for _, word := range procurements {
			m.procurementOf[word] = word
		}
	}
	for _, code := range slices.Sorted(maps.Keys(m.procurementOf)) {
		word := m.procurementOf[code]
		if !slices.Contains(procurements, word) || code == "" {
			l.fail(field+".relationship.procurementCodes", "%q must stand for one of %v", code, procurements)
		}
		if _, has := m.codeOf[word]; !has { // of several codes for one word, the archive writes the first
			m.codeOf[word] = code
		}
	}
	return m
}

// templates checks that the documents which the archive would make are valid and say what they should.
func (l *loader) templates(field string, t *DocumentType) {
	if len(l.wrong) > 0 {
		return // of a catalog that is broken elsewhere, this would tell little
	}
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for i, schema := range t.schemas {
		at := fmt.Sprintf("%s.schemas[%d].template", field, i)
		if _, err := wellformed.Decode(schema.template); err != nil {
			l.fail(at, "%w", err)
			continue
		}
		for _, word := range slices.Sorted(maps.Keys(t.mapping.codeOf)) {
			for _, end := range []time.Time{{}, start.Add(time.Hour)} {
				want := store.Relationship{Unit: "1.2.246.10.1.10.1", Start: start, End: end, Procurement: word}
				body, err := t.mapping.write(want, schema)
				if err == nil {
					var got store.Relationship
					if got, err = t.Relationship(body); err == nil && got != want {
						err = fmt.Errorf("what is written is not what is read: two of the pointers overlap")
					}
				}
				if err != nil {
					l.fail(at, "a document made of it, %s and with end %t, is not right: %w", word, !end.IsZero(), err)
					return
				}
			}
		}
	}
}
