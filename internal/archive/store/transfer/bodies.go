// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// bodies is the table of the documents' bytes.
const bodies = "document_bodies"

// checkBodies holds the bytes of every document to the digest that was taken when it was stored.
// store.ErrCorrupt names the first that does not match.
func checkBodies(ctx context.Context, in Source, progress func(rows int)) error {
	const columns = `SELECT b.document_id, b.version, b.content_type, b.body,
	    CASE b.content_type WHEN 'application/json' THEN v.json_digest ELSE v.xhtml_digest END
	  FROM document_bodies b
	  LEFT JOIN document_versions v ON v.document_id = b.document_id AND v.version = b.version`
	const order = ` ORDER BY b.document_id, b.version, b.content_type LIMIT `
	var after []any
	for done := 0; ; {
		query := columns + order + "$1"
		if after != nil {
			query = columns + ` WHERE (b.document_id, b.version, b.content_type) > ($1, $2, $3)` + order + "$4"
		}
		last, checked, err := checkPage(ctx, in, query, append(after[:len(after):len(after)], bodyPage))
		if err != nil {
			return err
		}
		done += checked
		progress(done)
		if checked < bodyPage {
			return nil
		}
		after = last
	}
}

func checkPage(ctx context.Context, in Source, query string, args []any) (last []any, checked int, err error) {
	rows, err := in.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("reading documents: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var (
			id           []byte
			version      int64
			contentType  string
			body, digest []byte
		)
		if err := rows.Scan(&id, &version, &contentType, &body, &digest); err != nil {
			return nil, 0, fmt.Errorf("reading documents: %w", err)
		}
		if sum := sha256.Sum256(body); !bytes.Equal(sum[:], digest) {
			name, _ := uuid.FromBytes(id)
			return nil, 0, fmt.Errorf("document %s, version %d, %s: %w", name, version, contentType, store.ErrCorrupt)
		}
		last, checked = []any{id, version, contentType}, checked+1
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("reading documents: %w", err)
	}
	return last, checked, nil
}
