// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// AppendLog implements store.AccessLog.
func (s *Store) AppendLog(ctx context.Context, rows ...store.LogRow) error {
	if len(rows) == 0 {
		return nil
	}
	rows = slices.Clone(rows) // the operation may outlive a caller that gave up
	for i := range rows {
		if err := rows[i].Validate(); err != nil {
			return err
		}
	}
	return s.queue.Do(ctx, 0, func(t *tx) error {
		for i := range rows {
			row := rows[i] // the operation may run twice, and must not see its own first id
			if err := t.appendLog(&row); err != nil {
				return err
			}
		}
		return nil
	})
}

// appendLog writes the row in the transaction, and gives it an id if it has none.
func (t *tx) appendLog(row *store.LogRow) error {
	if err := row.Validate(); err != nil {
		return err
	}
	if row.ID == uuid.Nil {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		row.ID = id
	}
	var ids any
	if len(row.DocumentIDs) > 0 {
		raw, err := json.Marshal(row.DocumentIDs)
		if err != nil {
			return err
		}
		ids = string(raw)
	}
	var client, criteria, assertion, expires any
	if row.AssertionKey != "" {
		assertion, expires = row.AssertionKey, store.Micros(row.AssertionExpires)
	}
	if row.ClientID != uuid.Nil {
		client = row.ClientID[:]
	}
	if len(row.Criteria) > 0 {
		criteria = string(row.Criteria)
	}
	return t.exec("writing the access log",
		`INSERT INTO access_log (time_us, log_id, request_id, registry_oid, operation, outcome, reason,
		   client_id, caller, organization, unit, certificate_thumbprint,
		   professional, professional_role, card_thumbprint, assertion_key, assertion_expires_us,
		   criteria, document_ids, document_count,
		   relationship_uid, relationship_revision, grant_uid, grant_revision, registry_uid, registry_revision,
		   view_age_ms)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
		   $20, $21, $22, $23, $24, $25, $26, $27)`,
		store.Micros(row.Time), row.ID[:], row.RequestID, row.Registry, row.Operation, string(row.Outcome), row.Reason,
		client, row.Caller, row.Organization, row.Unit, row.CertificateThumbprint,
		row.Professional, row.Role, row.CardThumbprint, assertion, expires,
		criteria, ids, row.DocumentCount,
		row.Relationship.UID, row.Relationship.Revision, row.Grant.UID, row.Grant.Revision,
		row.RegistryObject.UID, row.RegistryObject.Revision,
		row.ViewAge.Milliseconds())
}

// RecentAssertionIDs implements store.AccessLog.
func (s *Store) RecentAssertionIDs(ctx context.Context, since time.Time) (seen []store.SeenAssertion, err error) {
	const doing = "reading recent assertions"
	rows, err := s.readers.QueryContext(ctx,
		`SELECT assertion_key, assertion_expires_us FROM access_log
		 WHERE time_us >= $1 AND assertion_key IS NOT NULL ORDER BY time_us, log_id`, store.Micros(since))
	if err != nil {
		return nil, classify(doing, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var (
			one store.SeenAssertion
			us  int64
		)
		if err := rows.Scan(&one.Key, &us); err != nil {
			return nil, classify(doing, err)
		}
		one.Expires = store.FromMicros(us)
		seen = append(seen, one)
	}
	return seen, classify(doing, rows.Err())
}
