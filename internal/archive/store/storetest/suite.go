// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package storetest holds every engine of the archive's store to the same promises.
package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// Engine opens stores of one engine for the suite.
type Engine struct {
	// Open opens the store that the place names; the same place gives the same content after a
	// Close. The suite closes what it opens.
	Open func(t testing.TB, place string) store.Store
	// NewPlace makes an empty place that lasts as long as the test.
	NewPlace func(t testing.TB) string
	// Raw opens the database of a place behind the store's back. The suite closes it.
	Raw func(t testing.TB, place string) *sql.DB
	// Through is Open with every transaction going through what faults makes of it.
	Through func(t testing.TB, place string, faults func(sqlstore.Tx) sqlstore.Tx) store.Store
}

// Run runs the whole suite.
func Run(t *testing.T, engine Engine) {
	t.Run("Clients", func(t *testing.T) { testClients(t, engine) })
	t.Run("Identity", func(t *testing.T) { testIdentity(t, engine) })
	t.Run("Documents", func(t *testing.T) { testDocuments(t, engine) })
	t.Run("Versions", func(t *testing.T) { testVersions(t, engine) })
	t.Run("Annulment", func(t *testing.T) { testAnnulment(t, engine) })
	t.Run("Repetition", func(t *testing.T) { testRepetition(t, engine) })
	t.Run("Signatures", func(t *testing.T) { testSignatures(t, engine) })
	t.Run("History", func(t *testing.T) { testHistory(t, engine) })
	t.Run("Matters", func(t *testing.T) { testMatters(t, engine) })
	t.Run("NonDisclosure", func(t *testing.T) { testNonDisclosure(t, engine) })
	t.Run("Summary", func(t *testing.T) { testSummary(t, engine) })
	t.Run("Relationships", func(t *testing.T) { testRelationships(t, engine) })
	t.Run("RelationshipHistory", func(t *testing.T) { testRelationshipHistory(t, engine) })
	t.Run("Search", func(t *testing.T) { testSearch(t, engine) })
	t.Run("AccessLog", func(t *testing.T) { testAccessLog(t, engine) })
	t.Run("LogSupervision", func(t *testing.T) { testLogSupervision(t, engine) })
	t.Run("Withholdings", func(t *testing.T) { testWithholdings(t, engine) })
	t.Run("LogProofs", func(t *testing.T) { testLogProofs(t, engine) })
	t.Run("LogFaults", func(t *testing.T) { testLogFaults(t, engine) })
	t.Run("Concurrency", func(t *testing.T) { testConcurrency(t, engine) })
	t.Run("Retention", func(t *testing.T) { testRetention(t, engine) })
	t.Run("TestRegistries", func(t *testing.T) { testTestRegistries(t, engine) })
	t.Run("Info", func(t *testing.T) { testInfo(t, engine) })
	t.Run("Lifecycle", func(t *testing.T) { testLifecycle(t, engine) })
}

// Registry OIDs the suite uses; of no real organization.
const (
	registryA = "1.2.246.10.99999991.19.0"
	registryB = "1.2.246.10.99999992.19.0"
)

// start is the moment the suite's data begin at, with a part below the microsecond to lose.
var start = time.Date(2026, 3, 1, 8, 0, 0, 123456789, time.UTC)

func fresh(t testing.TB, engine Engine) store.Store {
	t.Helper()
	s := engine.Open(t, engine.NewPlace(t))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}

// isInvalid tells whether the error says that a field is outside its bounds.
func isInvalid(err error) bool {
	var invalid *store.InvalidError
	return errors.As(err, &invalid)
}

// is gives what tells whether an error is the wanted one.
func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

// Hash gives a distinct identity hash per number.
func Hash(n int) (h store.IdentityHash) {
	h[0], h[1], h[2], h[31] = byte(n), byte(n>>8), byte(n>>16), 0xA5
	return h
}

// keys are what the suite's identifiers are sealed under.
var keys = func() clientkey.Keyring {
	text, err := clientkey.NewFile()
	if err != nil {
		panic(err)
	}
	ring, err := clientkey.Parse(text)
	if err != nil {
		panic(err)
	}
	return ring
}()

// bornOn is when the clients of these tests were born, by their codes.
const bornOn = "1950-01-01"

// Registration gives the registration of a personal identity code with the hash. Its text is the hash's.
func Registration(hash store.IdentityHash) store.Registration { return RegistrationUnder(keys, hash) }

// RegistrationUnder is Registration with other keys.
func RegistrationUnder(keys clientkey.Keyring, hash store.IdentityHash) store.Registration {
	return store.Registration{
		Hash: hash, Kind: identitycode.KindCode, BornOn: bornOn,
		Seal: func(client uuid.UUID, key clientkey.Wrapped) (sealed []byte, kept clientkey.Wrapped, err error) {
			var under clientkey.DataKey
			if kept = key; key.IsZero() {
				under, kept, err = keys.New(client)
			} else {
				under, err = keys.Open(client, key)
			}
			if err != nil {
				return nil, kept, err
			}
			return under.Seal("", "", textOf(hash)), kept, nil
		},
	}
}

// textOf is the text of the suite's identifier with the hash.
func textOf(hash store.IdentityHash) []byte { return fmt.Appendf(nil, "identifier %x", hash[:4]) }

// Row gives a valid log row for an operation at a time.
func Row(operation string, at time.Time) store.LogRow {
	return store.LogRow{Time: at, Operation: operation, Outcome: store.OutcomeAllowed, RequestID: uuid.NewString()}
}

// NewDocument gives a valid document of the client with the body, as JSON, and tasks.
func NewDocument(registry string, client uuid.UUID, at time.Time, body []byte, tasks ...string) store.NewDocument {
	return store.NewDocument{
		ID: uuid.New(), Registry: registry, ClientIDs: []uuid.UUID{client}, Type: "case-note",
		Content: NewContent(at, body, tasks...),
	}
}

// NewContent gives a valid version with the body, as JSON, and tasks.
func NewContent(at time.Time, body []byte, tasks ...string) store.Content {
	return store.Content{
		ServiceTasks: tasks,
		Author:       store.Author{Organization: "1.2.246.10.99999993", Unit: "1.2.246.10.99999993.10.1", Professional: "T-1", Role: "social-worker"},
		Created:      at.Add(-time.Hour), Stored: at, ViewRevision: "42",
		Representations: []store.Representation{{ContentType: store.ContentJSON, Body: body}},
	}
}

// NewVersion gives a further version of the document with the body, as JSON, and tasks.
func NewVersion(of store.Facts, at time.Time, body []byte, tasks ...string) store.NewVersion {
	return store.NewVersion{Registry: of.Registry, ID: of.ID, Expected: of.Current, Content: NewContent(at, body, tasks...)}
}

// NewAnnulment gives an annulment of the document for the reason.
func NewAnnulment(of store.Facts, at time.Time, reason string) store.NewAnnulment {
	return store.NewAnnulment{
		Registry: of.Registry, ID: of.ID, Expected: of.Current,
		Annulment: store.Annulment{At: at, Reason: reason, By: store.Author{Organization: "1.2.246.10.99999991", Professional: "T-2", Role: "chief"}},
	}
}

// StoreNew stores the document, which must be new.
func StoreNew(t testing.TB, s store.Store, doc store.NewDocument) store.Facts {
	t.Helper()
	facts, created, err := s.StoreDocument(t.Context(), doc, Row("document.store", doc.Stored))
	if err != nil || !created {
		t.Fatalf("storing a document: created=%v err=%v", created, err)
	}
	return facts
}

// Client registers a client and gives its id.
func Client(t testing.TB, s store.Store, registry string, n int) uuid.UUID {
	t.Helper()
	id, _, err := s.RegisterClient(t.Context(), registry, Registration(Hash(n)), start, Row("client.register", start))
	if err != nil {
		t.Fatalf("registering a client: %v", err)
	}
	return id
}

// NewMatter gives a valid matter of the clients and tasks.
func NewMatter(registry, id string, clients []uuid.UUID, tasks ...string) store.NewMatter {
	return store.NewMatter{ID: id, Registry: registry, ClientIDs: clients, ServiceTasks: tasks, MatterChange: NewChange(start)}
}

// NewChange gives a valid change of a matter that happened at the time, and was told an hour later.
func NewChange(at time.Time) store.MatterChange {
	return store.MatterChange{
		At: at, Recorded: at.Add(time.Hour),
		By: store.Author{Organization: "1.2.246.10.99999991", Professional: "T-3", Role: "office-secretary"},
	}
}

// OpenMatter opens a matter, which must be new.
func OpenMatter(t testing.TB, s store.Store, matter store.NewMatter) store.Matter {
	t.Helper()
	m, changed, err := s.OpenMatter(t.Context(), matter, Row("matter.open", matter.Recorded))
	if err != nil || !changed {
		t.Fatalf("opening a matter: changed=%v err=%v", changed, err)
	}
	return m
}

// AllLog reads every row of the log that the query selects, page by page.
func AllLog(t testing.TB, s store.Store, query store.LogQuery) (rows []store.LogRow) {
	t.Helper()
	if query.Limit == 0 {
		query.Limit = store.MaxPage
	}
	for {
		page, err := s.Log(t.Context(), query)
		if err != nil {
			t.Fatalf("reading the log: %v", err)
		}
		rows = append(rows, page.Rows...)
		if page.Next == nil {
			return rows
		}
		query.After = page.Next
	}
}
