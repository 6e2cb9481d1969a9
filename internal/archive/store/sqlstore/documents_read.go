// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// fromVersion joins what factsColumns needs of one version of a document; 0 is the current one.
func fromVersion(id uuid.UUID, registry string, version int) (text string, args []any) {
	text, args = ` FROM documents d
	 JOIN registries r ON r.registry_id = d.registry_id AND d.document_id = $1 AND r.oid = $2
	 JOIN document_versions v ON v.document_id = d.document_id`, []any{id[:], registry}
	if version == 0 {
		return text + ` AND v.version = d.current_version`, args
	}
	return text + ` AND v.version = $3`, append(args, version)
}

// DocumentFacts implements store.DocumentStore.
func (s *Store) DocumentFacts(ctx context.Context, registry string, id uuid.UUID, version int) (store.Facts, error) {
	var scan factsScan
	from, args := fromVersion(id, registry, version)
	found, err := s.one(ctx, "reading a document's metadata", `SELECT `+factsColumns+from, args, scan.dest()...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Facts{}, err
	}
	return scan.facts(registry)
}

// Document implements store.DocumentStore.
func (s *Store) Document(ctx context.Context, registry string, id uuid.UUID, version int, contentType string) (store.Document, error) {
	var scan factsScan
	doc := store.Document{ContentType: contentType}
	from, args := fromVersion(id, registry, version)
	args = append(args, contentType)
	found, err := s.one(ctx, "reading a document", `SELECT `+factsColumns+`, b.body`+from+`
		 JOIN document_bodies b ON b.document_id = v.document_id AND b.version = v.version
		  AND b.content_type = `+numbered(len(args), 1), args, append(scan.dest(), &doc.Body)...)
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

// Versions implements store.DocumentStore.
func (s *Store) Versions(ctx context.Context, registry string, id uuid.UUID) (versions []store.Facts, err error) {
	err = s.each(ctx, s.engine.Readers, "reading a document's versions",
		`SELECT `+factsColumns+` FROM documents d
		 JOIN registries r ON r.registry_id = d.registry_id
		 JOIN document_versions v ON v.document_id = d.document_id
		 WHERE d.document_id = $1 AND r.oid = $2 ORDER BY v.version DESC`, []any{id[:], registry},
		appendFacts(registry, &versions))
	if err == nil && len(versions) == 0 {
		err = store.ErrNotFound
	}
	return versions, err
}

// appendFacts scans rows of factsColumns.
func appendFacts(registry string, to *[]store.Facts) func(func(...any) error) error {
	return func(scan func(...any) error) error {
		var row factsScan
		if err := scan(row.dest()...); err != nil {
			return err
		}
		facts, err := row.facts(registry)
		*to = append(*to, facts)
		return err
	}
}

// written gives a version's facts as the transaction sees them, and the number of the registry.
func written(t Tx, registry string, id uuid.UUID, version int) (f store.Facts, registryID int64, found bool, err error) {
	var scan factsScan
	from, args := fromVersion(id, registry, version)
	found, err = t.Get("reading a document's metadata", `SELECT `+factsColumns+`, d.registry_id`+from, args,
		append(scan.dest(), &registryID)...)
	if err != nil || !found {
		return store.Facts{}, 0, false, err
	}
	f, err = scan.facts(registry)
	return f, registryID, err == nil, err
}
