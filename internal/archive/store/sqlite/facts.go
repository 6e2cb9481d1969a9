// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"encoding/json"
	"fmt"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// factsColumns are the columns of documents (as d) that factsScan reads, in its order.
const factsColumns = `d.document_id, d.client_id, d.document_type, d.service_tasks,
  d.author_organization, d.author_unit, d.author_professional, d.created_us, d.stored_us,
  d.content_type, d.size_bytes, d.digest, d.view_revision`

// factsScan receives one row of factsColumns.
type factsScan struct {
	f                 store.Facts
	tasks, digest     []byte
	createdUs, stored int64
}

func (s *factsScan) dest() []any {
	return []any{
		&s.f.ID, &s.f.ClientID, &s.f.Type, &s.tasks,
		&s.f.Author.Organization, &s.f.Author.Unit, &s.f.Author.Professional, &s.createdUs, &s.stored,
		&s.f.ContentType, &s.f.Size, &s.digest, &s.f.ViewRevision,
	}
}

// facts gives the scanned row as the document's facts.
func (s *factsScan) facts(registry string) (store.Facts, error) {
	f := s.f
	f.Registry = registry
	f.Created, f.Stored = store.FromMicros(s.createdUs), store.FromMicros(s.stored)
	if copy(f.Digest[:], s.digest) != len(f.Digest) {
		return store.Facts{}, store.ErrCorrupt
	}
	if err := json.Unmarshal(s.tasks, &f.ServiceTasks); err != nil {
		return store.Facts{}, fmt.Errorf("reading a document's service tasks: %w", store.ErrCorrupt)
	}
	return f, nil
}
