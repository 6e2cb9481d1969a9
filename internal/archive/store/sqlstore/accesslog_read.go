// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// Log implements store.AccessLog.
func (s *Store) Log(ctx context.Context, query store.LogQuery) (page store.LogPage, err error) {
	if err := query.Validate(); err != nil {
		return store.LogPage{}, err
	}
	b := logSQL(&query)
	err = s.each(ctx, s.engine.Readers, "reading the access log", b.text(), b.args, func(scan func(...any) error) error {
		row, err := scanLogRow(scan)
		page.Rows = append(page.Rows, row)
		return err
	})
	if err != nil {
		return store.LogPage{}, err
	}
	if len(page.Rows) > query.Limit {
		page.Rows = page.Rows[:query.Limit]
		last := page.Rows[query.Limit-1]
		page.Next = &store.LogPosition{Time: last.Time, ID: last.ID}
	}
	return page, nil
}

// logColumns are the columns that scanLogRow reads, in its order.
const logColumns = `time_us, log_id, request_id, registry_oid, operation, outcome, reason,
   client_id, caller, organization, unit, certificate_thumbprint,
   professional, professional_role, card_thumbprint, assertion_key, assertion_expires_us,
   criteria, document_ids, document_count,
   relationship_uid, relationship_revision, grant_uid, grant_revision, registry_uid, registry_revision,
   view_age_ms, cut_at`

// logColumnsOf are those of one table among several.
func logColumnsOf(table string) string {
	return table + "." + strings.Join(strings.FieldsFunc(logColumns, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }), ", "+table+".")
}

const selectLog = `SELECT ` + logColumns + ` FROM access_log WHERE 1 = 1`

func logSQL(q *store.LogQuery) *statement {
	b := &statement{}
	b.add(selectLog)
	if q.ClientID != uuid.Nil {
		b.add(` AND client_id = ?`, q.ClientID[:])
	}
	// A client's rows are few: no other index is to be read in the place of theirs.
	if q.Registry != "" {
		b.add(` AND coalesce(registry_oid, '') = ?`, q.Registry)
	}
	if q.Unit != "" {
		b.add(` AND coalesce(unit, '') = ?`, q.Unit)
	}
	if q.Outcome != "" {
		b.add(` AND coalesce(outcome, '') = ?`, string(q.Outcome))
	}
	if !q.From.IsZero() {
		b.add(` AND time_us >= ?`, store.Micros(q.From))
	}
	if !q.Until.IsZero() {
		b.add(` AND time_us < ?`, store.Micros(q.Until))
	}
	if q.After != nil {
		b.add(` AND (time_us, log_id) > (?, ?)`, store.Micros(q.After.Time), q.After.ID[:])
	}
	b.add(` ORDER BY time_us, log_id LIMIT ?`, q.Limit+1)
	return b
}

func scanLogRow(scan func(...any) error) (store.LogRow, error) {
	var (
		row                   store.LogRow
		us, viewAge           int64
		outcome               string
		assertion             sql.NullString
		expires               sql.NullInt64
		client, criteria, ids []byte
	)
	if err := scan(&us, &row.ID, &row.RequestID, &row.Registry, &row.Operation, &outcome, &row.Reason,
		&client, &row.Caller, &row.Organization, &row.Unit, &row.CertificateThumbprint,
		&row.Professional, &row.Role, &row.CardThumbprint, &assertion, &expires,
		&criteria, &ids, &row.DocumentCount,
		&row.Relationship.UID, &row.Relationship.Revision, &row.Grant.UID, &row.Grant.Revision,
		&row.RegistryObject.UID, &row.RegistryObject.Revision, &viewAge, &row.CutAt); err != nil {
		return store.LogRow{}, err
	}
	row.Time, row.Outcome = store.FromMicros(us), store.Outcome(outcome)
	row.ViewAge = time.Duration(viewAge) * time.Millisecond
	if assertion.Valid {
		row.AssertionKey, row.AssertionExpires = assertion.String, store.FromMicros(expires.Int64)
	}
	row.Criteria = json.RawMessage(criteria)
	if len(client) > 0 && copy(row.ClientID[:], client) != len(row.ClientID) {
		return store.LogRow{}, fmt.Errorf("reading the access log: %w", store.ErrCorrupt)
	}
	if len(ids) > 0 {
		if err := json.Unmarshal(ids, &row.DocumentIDs); err != nil {
			return store.LogRow{}, fmt.Errorf("reading the access log: %w", store.ErrCorrupt)
		}
	}
	return row, nil
}
