// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// StoreDocument implements store.DocumentStore.
func (s *Store) StoreDocument(ctx context.Context, doc store.NewDocument, row store.LogRow) (store.Facts, error) {
	if err := doc.Validate(); err != nil {
		return store.Facts{}, err
	}
	facts := doc.Facts()
	err := s.queue.Do(ctx, len(doc.Body), func(t *tx) error {
		registryID, err := t.checkNew(facts)
		if err != nil {
			return err
		}
		if err := t.insertDocument(registryID, facts, doc.Body); err != nil {
			return err
		}
		return t.appendLog(&row)
	})
	if err != nil {
		return store.Facts{}, err
	}
	return facts, nil
}

// checkNew gives the registry's row id if the client is in the registry and the id is free.
func (t *tx) checkNew(f store.Facts) (registryID int64, err error) {
	found, err := t.get("finding the document's client",
		`SELECT c.registry_id FROM clients c JOIN registries r ON r.registry_id = c.registry_id
		 WHERE c.client_id = $1 AND r.oid = $2`, []any{f.ClientID[:], f.Registry}, &registryID)
	switch {
	case err != nil:
		return 0, err
	case !found:
		return 0, store.ErrNotFound
	}
	var one int
	taken, err := t.get("checking the document's id",
		`SELECT 1 FROM documents WHERE document_id = $1`, []any{f.ID[:]}, &one)
	if taken {
		err = store.ErrExists
	}
	return registryID, err
}

func (t *tx) insertDocument(registryID int64, f store.Facts, body []byte) error {
	tasks, err := json.Marshal(f.ServiceTasks)
	if err != nil {
		return err
	}
	stored := store.Micros(f.Stored)
	if err := t.exec("storing a document's metadata",
		`INSERT INTO documents (document_id, client_id, registry_id, document_type, service_tasks,
		   author_organization, author_unit, author_professional, created_us, stored_us,
		   content_type, size_bytes, digest, view_revision)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		f.ID[:], f.ClientID[:], registryID, f.Type, string(tasks),
		f.Author.Organization, f.Author.Unit, f.Author.Professional, store.Micros(f.Created), stored,
		f.ContentType, f.Size, f.Digest[:], f.ViewRevision); err != nil {
		return err
	}
	for _, task := range f.ServiceTasks {
		if err := t.exec("storing a document's service task",
			`INSERT INTO document_tasks (client_id, registry_id, service_task, stored_us, document_id)
			 VALUES ($1, $2, $3, $4, $5)`, f.ClientID[:], registryID, task, stored, f.ID[:]); err != nil {
			return err
		}
	}
	return t.exec("storing a document's bytes",
		`INSERT INTO document_bodies (document_id, body) VALUES ($1, $2)`, f.ID[:], body)
}

// DocumentFacts implements store.DocumentStore.
func (s *Store) DocumentFacts(ctx context.Context, registry string, id uuid.UUID) (store.Facts, error) {
	var scan factsScan
	found, err := scanOne("reading a document's metadata", s.readers.QueryRowContext(ctx,
		`SELECT `+factsColumns+` FROM documents d JOIN registries r ON r.registry_id = d.registry_id
		 WHERE d.document_id = $1 AND r.oid = $2`, id[:], registry), scan.dest()...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Facts{}, err
	}
	return scan.facts(registry)
}

// Document implements store.DocumentStore.
func (s *Store) Document(ctx context.Context, registry string, id uuid.UUID) (store.Document, error) {
	var (
		scan factsScan
		doc  store.Document
	)
	found, err := scanOne("reading a document", s.readers.QueryRowContext(ctx,
		`SELECT `+factsColumns+`, b.body FROM documents d
		 JOIN registries r ON r.registry_id = d.registry_id
		 JOIN document_bodies b ON b.document_id = d.document_id
		 WHERE d.document_id = $1 AND r.oid = $2`, id[:], registry), append(scan.dest(), &doc.Body)...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Document{}, err
	}
	if doc.Facts, err = scan.facts(registry); err != nil {
		return store.Document{}, err
	}
	if err := doc.Verify(); err != nil {
		return store.Document{}, err
	}
	return doc, nil
}
