// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// StoreDocument implements store.DocumentStore.
func (s *Store) StoreDocument(ctx context.Context, doc store.NewDocument, row store.LogRow) (store.Facts, bool, error) {
	if err := doc.Validate(); err != nil {
		return store.Facts{}, false, err
	}
	facts := doc.Facts()
	return s.do(ctx, weight(doc.Representations), doc.Registry, row, func(t Tx) (store.Facts, bool, error) {
		registryID, taken, unused, err := checkNew(t, &facts)
		switch {
		case err != nil:
			return store.Facts{}, false, err
		case taken:
			return repeated(t, doc.ID, 1, &facts, store.ErrExists)
		}
		if err := checkMatter(t, &facts, nil, false); err != nil {
			return store.Facts{}, false, err
		}
		if unused {
			if err := useClients(t, facts.ClientIDs); err != nil {
				return store.Facts{}, false, err
			}
		}
		if err := insertDocument(t, registryID, &facts); err != nil {
			return store.Facts{}, false, err
		}
		if err := insertVersion(t, &facts, doc.Representations); err != nil {
			return store.Facts{}, false, err
		}
		if err := place(t, registryID, &facts); err != nil {
			return store.Facts{}, false, err
		}
		if doc.Relationship != nil {
			err = insertRelationship(t, registryID, &facts, doc.Relationship)
		}
		return facts, true, err
	})
}

// checkNewSQL asks for everything at once that a new document depends on. The "+ 0" keeps SQLite from looking
// for several clients among all those of the registry instead of by their ids.
var checkNewSQL = bySize(store.MaxClients, func(n int) string {
	return `SELECT r.registry_id,
	   (SELECT count(*) FROM clients c WHERE c.client_id IN (` + numbered(3, n) + `)
	      AND c.registry_id + 0 = r.registry_id),
	   (SELECT count(*) FROM clients c WHERE c.client_id IN (` + numbered(3, n) + `) AND c.in_use = 0),
	   (SELECT coalesce(max(c.non_disclosure), 0) FROM clients c WHERE c.client_id IN (` + numbered(3, n) + `)),
	   (SELECT count(*) FROM documents d WHERE d.document_id = $2),
	   (SELECT count(*) FROM destructions x WHERE x.kind = 'document' AND x.subject = ` + numbered(3+n, 1) + `)
	 FROM registries r WHERE r.oid = $1`
})

// checkNew gives the registry's number if all the clients are in the registry, whether the id is taken, and whether
// nothing has been kept under one of the clients yet. It fills in what the facts say of the clients.
func checkNew(t Tx, f *store.Facts) (registryID int64, taken, unused bool, err error) {
	args := []any{f.Registry, f.ID[:]}
	for i := range f.ClientIDs {
		args = append(args, f.ClientIDs[i][:])
	}
	args = append(args, f.ID.String())
	var clients, idle, nonDisclosure, documents, destroyed int
	found, err := t.Get("checking a document's clients and id", checkNewSQL[len(f.ClientIDs)], args,
		&registryID, &clients, &idle, &nonDisclosure, &documents, &destroyed)
	f.ClientNonDisclosure = nonDisclosure != 0
	switch {
	case err != nil:
	case destroyed > 0: // perhaps with its client
		err = store.ErrDestroyed
	case !found || clients != len(f.ClientIDs):
		err = store.ErrNotFound
	}
	return registryID, documents > 0, idle > 0, err
}

func insertDocument(t Tx, registryID int64, f *store.Facts) error {
	return t.Exec("storing a document",
		`INSERT INTO documents (document_id, registry_id, client_ids, document_type, current_version, first_stored_us, old_data)
		 VALUES ($1, $2, $3, $4, 1, $5, $6)`,
		f.ID[:], registryID, joinIDs(f.ClientIDs), f.Type, store.Micros(f.FirstStored), flag(f.OldData))
}

// insertVersion stores a version's metadata and bytes.
func insertVersion(t Tx, f *store.Facts, forms []store.Representation) error {
	tasks, err := tasksText(f.ServiceTasks)
	if err != nil {
		return err
	}
	signatures, err := signaturesText(f.Representations)
	if err != nil {
		return err
	}
	jsonSize, jsonDigest := formArgs(f, store.ContentJSON)
	xhtmlSize, xhtmlDigest := formArgs(f, store.ContentXHTML)
	if err := t.Exec("storing a document's metadata",
		`INSERT INTO document_versions (document_id, version, matter, service_tasks,
		   author_organization, author_unit, author_professional, author_role, created_us, stored_us,
		   language, schema_version, non_disclosure, display, display_from_us,
		   json_size, json_digest, xhtml_size, xhtml_digest, correction_reason, view_revision, signatures)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		f.ID[:], f.Version, f.Matter, tasks,
		f.Author.Organization, f.Author.Unit, f.Author.Professional, f.Author.Role,
		store.Micros(f.Created), store.Micros(f.Stored),
		f.Language, f.SchemaVersion, flag(f.Labels.NonDisclosure), string(f.Labels.Display), optional(f.Labels.DisplayFrom),
		jsonSize, jsonDigest, xhtmlSize, xhtmlDigest, f.CorrectionReason, f.ViewRevision, signatures); err != nil {
		return err
	}
	for i := range forms {
		if err := t.Exec("storing a document's bytes",
			`INSERT INTO document_bodies (document_id, version, content_type, body) VALUES ($1, $2, $3, $4)`,
			f.ID[:], f.Version, forms[i].ContentType, forms[i].Body); err != nil {
			return err
		}
	}
	return insertSignatures(t, f, forms)
}

// formArgs gives size and digest of a representation, or NULLs.
func formArgs(f *store.Facts, contentType string) (size, digest any) {
	r, ok := f.Representation(contentType)
	if !ok {
		return nil, nil
	}
	return r.Size, r.Digest[:]
}
