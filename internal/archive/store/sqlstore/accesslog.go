// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
		if err := completeRow(&rows[i]); err != nil {
			return err
		}
	}
	return s.queue.Do(ctx, 0, func(t Tx) error {
		for i := range rows {
			if err := writeLog(t, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// completeRow checks the row and gives it an id if it has none. It is done once, before the row is written: an
// operation that runs again writes the same row.
func completeRow(row *store.LogRow) error {
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
	return nil
}

// writeLog writes a complete row in the transaction.
func writeLog(t Tx, row *store.LogRow) error {
	var client, criteria, assertion, expires, ids any
	if len(row.DocumentIDs) > 0 {
		raw, err := json.Marshal(row.DocumentIDs)
		if err != nil {
			return err
		}
		ids = string(raw)
	}
	if row.AssertionKey != "" {
		assertion, expires = row.AssertionKey, store.Micros(row.AssertionExpires)
	}
	if row.ClientID != uuid.Nil {
		client = row.ClientID[:]
	}
	if len(row.Criteria) > 0 {
		criteria = clean(string(row.Criteria))
	}
	if err := t.Exec("noting that a row of the access log waits for its leaf",
		`INSERT INTO log_pending (time_us, log_id) VALUES ($1, $2)`, store.Micros(row.Time), row.ID[:]); err != nil {
		return err
	}
	return t.Exec("writing the access log",
		`INSERT INTO access_log (time_us, log_id, request_id, registry_oid, operation, outcome, reason,
		   client_id, caller, organization, unit, certificate_thumbprint,
		   professional, professional_role, card_thumbprint, assertion_key, assertion_expires_us,
		   criteria, document_ids, document_count,
		   relationship_uid, relationship_revision, grant_uid, grant_revision, registry_uid, registry_revision,
		   view_age_ms, cut_at)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
		   $20, $21, $22, $23, $24, $25, $26, $27, $28)`,
		store.Micros(row.Time), row.ID[:], clean(row.RequestID), clean(row.Registry), clean(row.Operation),
		string(row.Outcome), clean(row.Reason),
		client, clean(row.Caller), clean(row.Organization), clean(row.Unit), clean(row.CertificateThumbprint),
		clean(row.Professional), clean(row.Role), clean(row.CardThumbprint), assertion, expires,
		criteria, ids, row.DocumentCount,
		row.Relationship.UID, row.Relationship.Revision, row.Grant.UID, row.Grant.Revision,
		row.RegistryObject.UID, row.RegistryObject.Revision,
		row.ViewAge.Milliseconds(), row.CutAt)
}

// clean gives text that every engine keeps: what a stranger sent must be logged, not stop the log.
func clean(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// RecentAssertionIDs implements store.AccessLog.
func (s *Store) RecentAssertionIDs(ctx context.Context, since time.Time) (seen []store.SeenAssertion, err error) {
	err = s.each(ctx, s.engine.Readers, "reading recent assertions",
		`SELECT assertion_key, assertion_expires_us FROM access_log
		 WHERE time_us >= $1 AND assertion_key IS NOT NULL ORDER BY time_us, log_id`, []any{store.Micros(since)},
		func(scan func(...any) error) error {
			var (
				one store.SeenAssertion
				us  int64
			)
			if err := scan(&one.Key, &us); err != nil {
				return err
			}
			one.Expires = store.FromMicros(us)
			seen = append(seen, one)
			return nil
		})
	return seen, err
}
