// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// factsColumns are the columns of documents (as d) and document_versions (as v) that factsScan reads, in its order.
const factsColumns = `d.document_id, d.client_ids, d.document_type, d.first_stored_us, d.current_version, d.old_data,
  d.annulled_us, d.annul_reason, d.annulled_organization, d.annulled_unit, d.annulled_professional, d.annulled_role,
  v.version, v.matter, v.service_tasks, v.author_organization, v.author_unit, v.author_professional, v.author_role,
  v.created_us, v.stored_us, v.language, v.schema_version, v.non_disclosure, v.display, v.display_from_us,
  v.json_size, v.json_digest, v.xhtml_size, v.xhtml_digest, v.correction_reason, v.view_revision,
  v.signatures, ` + clientNonDisclosure

// clientNonDisclosure is 1 where one of the document's clients is under a non-disclosure. Most documents have one
// client, which a look-up by key finds; only for others are the ids taken apart. A client who is not there counts
// as under it.
const clientNonDisclosure = `coalesce(
  (SELECT c.non_disclosure FROM clients c WHERE c.client_id = d.client_ids),
  (SELECT max(c.non_disclosure) FROM clients c WHERE c.client_id IN (
     substr(d.client_ids, 1, 16), substr(d.client_ids, 17, 16), substr(d.client_ids, 33, 16), substr(d.client_ids, 49, 16),
     substr(d.client_ids, 65, 16), substr(d.client_ids, 81, 16), substr(d.client_ids, 97, 16), substr(d.client_ids, 113, 16))),
  1)`

// factsScan receives one row of factsColumns.
type factsScan struct {
	f                            store.Facts
	annulment                    store.Annulment
	id, clients                  []byte
	firstStored, created, stored int64
	annulledAt, displayFrom      *int64
	nonDisclosure, oldData       int
	ofClient                     int
	tasks, display, signatures   string
	jsonSize, xhtmlSize          *int64
	jsonDigest, xhtmlDigest      []byte
}

func (s *factsScan) dest() []any {
	return []any{
		&s.id, &s.clients, &s.f.Type, &s.firstStored, &s.f.Current, &s.oldData,
		&s.annulledAt, &s.annulment.Reason, &s.annulment.By.Organization, &s.annulment.By.Unit,
		&s.annulment.By.Professional, &s.annulment.By.Role,
		&s.f.Version, &s.f.Matter, &s.tasks, &s.f.Author.Organization, &s.f.Author.Unit, &s.f.Author.Professional,
		&s.f.Author.Role,
		&s.created, &s.stored, &s.f.Language, &s.f.SchemaVersion, &s.nonDisclosure, &s.display, &s.displayFrom,
		&s.jsonSize, &s.jsonDigest, &s.xhtmlSize, &s.xhtmlDigest, &s.f.CorrectionReason, &s.f.ViewRevision,
		&s.signatures, &s.ofClient,
	}
}

// facts gives the scanned row as the version's facts.
func (s *factsScan) facts(registry string) (store.Facts, error) {
	f := s.f
	f.Registry, f.OldData = registry, s.oldData != 0
	f.FirstStored, f.Created, f.Stored = store.FromMicros(s.firstStored), store.FromMicros(s.created), store.FromMicros(s.stored)
	f.Labels = store.Labels{NonDisclosure: s.nonDisclosure != 0, Display: store.Display(s.display)}
	f.ClientNonDisclosure = s.ofClient != 0
	if s.displayFrom != nil {
		f.Labels.DisplayFrom = store.FromMicros(*s.displayFrom)
	}
	switch {
	case s.annulledAt != nil:
		s.annulment.At = store.FromMicros(*s.annulledAt)
		f.State, f.Annulment = store.StateAnnulled, &s.annulment
	case f.Version < f.Current:
		f.State = store.StateSuperseded
	default:
		f.State = store.StateStored
	}
	if err := s.decode(&f); err != nil {
		return store.Facts{}, fmt.Errorf("reading a document's metadata: %w", err)
	}
	return f, nil
}

// decode fills in what the row holds in an encoding.
func (s *factsScan) decode(f *store.Facts) (err error) {
	if f.ID, err = uuid.FromBytes(s.id); err != nil {
		return store.ErrCorrupt
	}
	if f.ClientIDs, err = splitIDs(s.clients); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(s.tasks), &f.ServiceTasks); err != nil {
		return store.ErrCorrupt
	}
	for _, r := range []struct {
		contentType string
		size        *int64
		digest      []byte
	}{{store.ContentJSON, s.jsonSize, s.jsonDigest}, {store.ContentXHTML, s.xhtmlSize, s.xhtmlDigest}} {
		if r.size == nil {
			continue
		}
		facts := store.RepresentationFacts{ContentType: r.contentType, Size: *r.size}
		if copy(facts.Digest[:], r.digest) != len(facts.Digest) {
			return store.ErrCorrupt
		}
		f.Representations = append(f.Representations, facts)
	}
	return decodeSignatures(s.signatures, f.Representations)
}

// joinIDs gives the ids one after the other, 16 bytes each.
func joinIDs(ids []uuid.UUID) []byte {
	raw := make([]byte, 0, len(ids)*len(uuid.UUID{}))
	for _, id := range ids {
		raw = append(raw, id[:]...)
	}
	return raw
}

// splitIDs is the inverse of joinIDs.
func splitIDs(raw []byte) (ids []uuid.UUID, err error) {
	for ; len(raw) >= len(uuid.UUID{}); raw = raw[len(uuid.UUID{}):] {
		ids = append(ids, uuid.UUID(raw[:len(uuid.UUID{})]))
	}
	if len(raw) > 0 {
		return nil, store.ErrCorrupt
	}
	return ids, nil
}

// tasksText gives service tasks as a row holds them.
func tasksText(tasks []string) (string, error) {
	raw, err := json.Marshal(tasks)
	return string(raw), err
}
