// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// formerDocument is a document as the first form knew it.
type formerDocument struct {
	id, client  uuid.UUID
	contentType string
	body        string
	tasks       []string
	unit        string
	at          time.Time
}

// asked gives the document in the words of the present form.
func (f *formerDocument) asked() store.NewDocument {
	doc := storetest.NewDocument(registry, f.client, f.at, []byte(f.body), f.tasks...)
	doc.ID, doc.Author.Unit, doc.Author.Role = f.id, f.unit, ""
	doc.Representations[0].ContentType = f.contentType
	return doc
}

// writeFirstForm makes a data file of the first form, statement by statement as that program wrote it.
func writeFirstForm(t *testing.T, dir string, clients []uuid.UUID, documents []formerDocument) {
	t.Helper()
	file, err := prepareFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := open(file, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := sqlstore.Migrations(goose.DialectSQLite3)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO registries (registry_id, oid, created_us) VALUES (1, $1, 5)`, registry)
	for i, client := range clients {
		hash := storetest.Hash(i + 1)
		exec(`INSERT INTO clients (client_id, registry_id, code_hash, created_us) VALUES ($1, 1, $2, 5)`, client[:], hash[:])
	}
	for _, d := range documents {
		asked := d.asked()
		facts := asked.Facts()
		tasks, err := json.Marshal(d.tasks)
		if err != nil {
			t.Fatal(err)
		}
		digest, row := sha256.Sum256([]byte(d.body)), uuid.New()
		exec(`INSERT INTO documents (document_id, client_id, registry_id, document_type, service_tasks,
		   author_organization, author_unit, author_professional, created_us, stored_us,
		   content_type, size_bytes, digest, view_revision)
		 VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			d.id[:], d.client[:], facts.Type, string(tasks), facts.Author.Organization, d.unit, facts.Author.Professional,
			store.Micros(facts.Created), store.Micros(d.at), d.contentType, len(d.body), digest[:], facts.ViewRevision)
		for _, task := range d.tasks {
			exec(`INSERT INTO document_tasks (client_id, registry_id, service_task, stored_us, document_id)
			 VALUES ($1, 1, $2, $3, $4)`, d.client[:], task, store.Micros(d.at), d.id[:])
		}
		exec(`INSERT INTO document_bodies (document_id, body) VALUES ($1, $2)`, d.id[:], []byte(d.body))
		exec(`INSERT INTO access_log (time_us, log_id, request_id, registry_oid, operation, outcome, reason, client_id,
		   caller, organization, unit, certificate_thumbprint, professional, professional_role, card_thumbprint,
		   document_count, relationship_uid, relationship_revision, grant_uid, grant_revision, registry_uid,
		   registry_revision, view_age_ms)
		 VALUES ($1, $2, 'r', $3, 'document.store', 'allowed', '', $4, '', '', '', '', '', '', '', 1, '', '', '', '', '', '', 0)`,
			store.Micros(d.at), row[:], registry, d.client[:])
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileOfTheFirstFormMovesOverWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	clients := []uuid.UUID{uuid.New(), uuid.New()}
	documents := []formerDocument{
		{uuid.New(), clients[0], store.ContentJSON, `{"n":1}`, []string{"t2", "t1"}, "u1", start},
		{uuid.New(), clients[0], store.ContentXHTML, "<p>\x00\xff</p>", []string{"t1"}, "", start.Add(time.Second)},
		{uuid.New(), clients[1], store.ContentJSON, `{"n":3}`, []string{"t1"}, "u2", start.Add(2 * time.Second)},
	}
	writeFirstForm(t, dir, clients, documents)

	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	for i, client := range clients {
		if got, found, err := s.FindClient(t.Context(), registry, storetest.Hash(i+1)); err != nil || !found || got != client {
			t.Errorf("client %d: found=%v err=%v", i, found, err)
		}
	}
	var facts []store.Facts
	for _, d := range documents {
		got, err := s.Document(t.Context(), registry, d.id, 0, d.contentType)
		asked := d.asked()
		if err != nil || string(got.Body) != d.body || !reflect.DeepEqual(got.Facts, asked.Facts()) {
			t.Errorf("got %+v\nwant %+v (err=%v)", got.Facts, asked.Facts(), err)
		}
		facts = append(facts, got.Facts)
		// A caller that never learned the outcome repeats its request after the upgrade.
		if again, created, err := s.StoreDocument(t.Context(), asked, storetest.Row("document.store", start)); err != nil || created || !reflect.DeepEqual(again, got.Facts) {
			t.Errorf("a repetition: created=%v err=%v", created, err)
		}
	}
	for name, c := range map[string]struct {
		query store.SearchQuery
		want  []store.Facts
	}{
		"the organizer": {store.SearchQuery{ClientID: clients[0]}, []store.Facts{facts[1], facts[0]}},
		"task t1":       {store.SearchQuery{ClientID: clients[0], AllowedTasks: &[]string{"t1"}}, []store.Facts{facts[1], facts[0]}},
		"task t2":       {store.SearchQuery{ClientID: clients[0], AllowedTasks: &[]string{"t2"}}, []store.Facts{facts[0]}},
		"another":       {store.SearchQuery{ClientID: clients[1], AuthorUnit: "u2"}, []store.Facts{facts[2]}},
		"annulled":      {store.SearchQuery{ClientID: clients[0], Annulled: true}, nil},
	} {
		c.query.Registry, c.query.Limit = registry, 10
		if got, err := s.Search(t.Context(), c.query); err != nil || got.Total != len(c.want) || !reflect.DeepEqual(got.Items, c.want) {
			t.Errorf("%s: %+v (err=%v)", name, got, err)
		}
	}
	if rows := storetest.AllLog(t, s, store.LogQuery{}); len(rows) != 2*len(documents) {
		t.Errorf("%d log rows, want %d", len(rows), 2*len(documents))
	}

	// What moved over lives on in the present form.
	second, _, err := s.AddVersion(t.Context(), storetest.NewVersion(facts[0], start.Add(time.Hour), []byte("{}"), "t3"), storetest.Row("a", start))
	if err != nil || second.Version != 2 {
		t.Errorf("a version: %+v (err=%v)", second, err)
	}
	if _, _, err := s.Annul(t.Context(), storetest.NewAnnulment(facts[1], start, "mistake"), storetest.Row("a", start)); err != nil {
		t.Error(err)
	}
	for task, want := range map[string]int{"t1": 0, "t2": 0, "t3": 1} {
		got, err := s.Search(t.Context(), store.SearchQuery{Registry: registry, ClientID: clients[0], ServiceTask: task, Limit: 10})
		if err != nil || got.Total != want {
			t.Errorf("task %s: %d, want %d (err=%v)", task, got.Total, want, err)
		}
	}
	checkIdentifiersOfTheFirstForm(t, s, clients[0])
	var former int
	if err := s.readers.QueryRowContext(t.Context(), `SELECT count(*) FROM sqlite_master WHERE name LIKE 'former%'`).Scan(&former); err != nil || former != 0 {
		t.Errorf("%d tables of the first form are left (err=%v)", former, err)
	}
}

// checkIdentifiersOfTheFirstForm: a code that was taken before identifiers were kept still finds its client, is sealed
// when it is presented again, and is not taken from a client who has documents.
func checkIdentifiersOfTheFirstForm(t *testing.T, s store.Store, client uuid.UUID) {
	t.Helper()
	sealed, key, err := s.ClientIdentifiers(t.Context(), registry, client)
	if err != nil || len(sealed) != 1 || sealed[0].Sealed != nil || sealed[0].Kind != identitycode.KindCode || !key.IsZero() {
		t.Errorf("before: %+v under %q (err=%v)", sealed, key.KeyID, err)
	}
	temporary, _, err := s.RegisterClient(t.Context(), registry, storetest.Temporary(storetest.Hash(9)), start, storetest.Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReplaceIdentity(t.Context(), registry, temporary, storetest.Registration(storetest.Hash(1)), start, storetest.Row("a", start)); !errors.Is(err, store.ErrMergeNeeded) {
		t.Errorf("a client with documents was given up: %v", err)
	}
	if id, created, err := s.RegisterClient(t.Context(), registry, storetest.Registration(storetest.Hash(1)), start, storetest.Row("a", start)); err != nil || created || id != client {
		t.Errorf("presented again: created=%v err=%v", created, err)
	}
	sealed, key, err = s.ClientIdentifiers(t.Context(), registry, client)
	told, clientErr := s.Client(t.Context(), registry, client)
	if err != nil || clientErr != nil || len(sealed) != 1 || len(sealed[0].Sealed) == 0 || key.IsZero() || told.BornOn == "" {
		t.Errorf("after: %d identifiers under %q, born on %q (err=%v, %v)", len(sealed), key.KeyID, told.BornOn, err, clientErr)
	}
}

// TestWhatIsKeptElsewhereKeepsAClient: matters and the history of relationships count as much as documents.
func TestWhatIsKeptElsewhereKeepsAClient(t *testing.T) {
	for table, insert := range map[string]string{
		"matter_clients": `INSERT INTO matter_clients (client_id, registry_id, matter) VALUES ($1, 1, 'M-1')`,
		"relationship_history": `INSERT INTO relationship_history (object_uid, ordinal, revision, registry_oid, client_id, unit, service_tasks, start_us,
		   accepted, deleted, missed, document_id, recorded_us) VALUES ('u', 1, 1, 'r', $1, 'u', '[]', 0, 1, 0, 0, x'00', 0)`,
		"document_clients": `INSERT INTO document_clients (client_id, registry_id, annulled, first_stored_us, document_id) VALUES ($1, 1, 0, 0, x'00')`,
	} {
		t.Run(table, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s := openAt(t, dir)
			defer func() { _ = s.Close() }()
			other := storetest.Client(t, s.Store, registry, 1)
			temporary, _, err := s.RegisterClient(t.Context(), registry, storetest.Temporary(storetest.Hash(2)), start, storetest.Row("a", start))
			if err != nil {
				t.Fatal(err)
			}
			db, err := open(filepath.Join(dir, FileName), 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if _, err := db.ExecContext(t.Context(), insert, other[:]); err != nil {
				t.Fatal(err)
			}
			if _, err := s.ReplaceIdentity(t.Context(), registry, temporary, storetest.Registration(storetest.Hash(1)), start, storetest.Row("a", start)); !errors.Is(err, store.ErrMergeNeeded) {
				t.Errorf("the client was given up: %v", err)
			}
		})
	}
}

// TestAnInterruptedMoveLeavesTheFirstForm stops the move where its last statement fails: the file is then still of
// the first form, whole, and the next program moves it.
func TestAnInterruptedMoveLeavesTheFirstForm(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	client := uuid.New()
	documents := []formerDocument{{uuid.New(), client, store.ContentJSON, `{"n":1}`, []string{"t1"}, "u1", start}}
	writeFirstForm(t, dir, []uuid.UUID{client}, documents)
	file := filepath.Join(dir, FileName)
	db, err := open(file, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	// A foreign row that the last DROP may not orphan.
	for _, query := range []string{
		`CREATE TABLE obstacle (document_id BLOB REFERENCES documents (document_id))`,
		`INSERT INTO obstacle SELECT document_id FROM documents`,
	} {
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := Open(t.Context(), Options{Dir: dir, CursorKey: cursorKey}); err == nil {
		_ = s.Close()
		t.Fatal("opened")
	}
	var bodies, version int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM documents d JOIN document_bodies b ON b.document_id = d.document_id WHERE d.content_type IS NOT NULL`).Scan(&bodies); err != nil || bodies != 1 {
		t.Errorf("%d documents of the first form are left (err=%v)", bodies, err)
	}
	if err := db.QueryRowContext(t.Context(), `SELECT max(version_id) FROM goose_db_version`).Scan(&version); err != nil || version != 1 {
		t.Errorf("the schema version is %d (err=%v)", version, err)
	}
	if _, err := db.ExecContext(t.Context(), `DROP TABLE obstacle`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	if _, err := s.Document(t.Context(), registry, documents[0].id, 0, store.ContentJSON); err != nil {
		t.Error(err)
	}
}
