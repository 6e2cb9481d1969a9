// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"slices"

	"github.com/valtuus/valtuus/internal/archive/masking"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// nonDisclosure loads what is masked in documents of the type. A name that no schema of the type has would mask
// nothing for ever, so it is refused.
func (l *loader) nonDisclosure(field string, m *manifestType, t *DocumentType) {
	if m.NonDisclosure == nil {
		return
	}
	field += ".nonDisclosure.json"
	switch {
	case m.NonDisclosure.JSON == nil:
		l.fail(field, "is missing; [] says that there is nothing to mask")
		return
	case !t.structured():
		l.fail(field, "the type has no %s to be masked", store.ContentJSON)
		return
	}
	paths, wrong := masking.ParsePaths(*m.NonDisclosure.JSON)
	for i, err := range wrong {
		l.fail(fmt.Sprintf("%s[%d]", field, i), "%w", err)
	}
	for _, name := range paths.Names() {
		if len(t.schemas) > 0 && !slices.ContainsFunc(t.schemas, func(s *Schema) bool { return s.names[name] }) {
			l.fail(field, "no schema of the type has the name %q", name)
		}
	}
	t.masked = &paths
}

func (l *loader) summary(field string, m *manifestType, t *DocumentType) {
	t.summary = SummarySection(m.Summary)
	if !slices.Contains([]SummarySection{"", SummaryDecisions, SummaryPlans}, t.summary) {
		l.fail(field+".summary", "must be decision, plan or left out")
	}
}
