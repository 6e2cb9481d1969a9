// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/archive/store/transfer"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

const (
	registry  = "1.2.246.10.99999991.19.0"
	documents = 150 // more than a batch of bodies
)

var (
	cursorKey = bytes.Repeat([]byte{7}, 32)
	keyCheck  = bytes.Repeat([]byte{8}, 32)
	start     = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
)

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

// engine opens stores of one engine, and their data for a transfer.
type engine struct {
	name  string
	place func(t testing.TB) string
	open  func(t testing.TB, place string) *sqlstore.Store
	raw   func(t testing.TB, place string) *sql.DB
}

func engines() []engine {
	return []engine{
		{
			name:  "SQLite",
			place: func(t testing.TB) string { return t.TempDir() },
			open: func(t testing.TB, place string) *sqlstore.Store {
				return must(sqlite.Open(t.Context(), sqlite.Options{Dir: place, CursorKey: cursorKey}))(t)
			},
			raw: func(t testing.TB, place string) *sql.DB {
				return closed(t, must(sqlite.OpenFile(t.Context(), place))(t))
			},
		},
		{
			name:  "PostgreSQL",
			place: func(t testing.TB) string { return pgcluster.Shared(t).Database(t) },
			open: func(t testing.TB, place string) *sqlstore.Store {
				return must(postgres.Open(t.Context(), postgres.Options{URI: place, CursorKey: cursorKey}))(t)
			},
			raw: func(t testing.TB, place string) *sql.DB {
				return closed(t, must(postgres.OpenDatabase(t.Context(), place))(t))
			},
		},
	}
}

// content is what the filled store gave back before it was closed.
type content struct {
	clients   []store.Client
	sealed    [][]store.SealedIdentifier
	keys      []clientkey.Wrapped
	facts     []store.Facts
	documents []store.Document
	signed    []store.SignedVersion
	records   []store.RelationshipRecord
	matters   []store.Matter
	events    []store.MatterEvent
	rows      []store.LogRow
	history   []store.RelationshipState
	destroyed []store.DestroyedRecord
	withheld  []store.Withholding
	tests     []store.TestRegistry
}

// fill puts something into every table.
func fill(t testing.TB, s *sqlstore.Store) {
	t.Helper()
	g := NewWithT(t)
	ctx := t.Context()
	g.Expect(s.Adopt(ctx, keyCheck)).To(Succeed())
	a, b := storetest.Client(t, s, registry, 1), storetest.Client(t, s, registry, 2)
	all := []string{"older-people", "Ä", "b"}
	for i := range 7 {
		of := []uuid.UUID{a}
		storetest.OpenMatter(t, s, storetest.NewMatter(registry, fmt.Sprint("M-", i), of, all...))
		storetest.OpenMatter(t, s, storetest.NewMatter(registry, fmt.Sprint("shared-", i), append(of, b), all...))
	}
	c, _, err := s.RegisterClient(ctx, registry, storetest.Temporary(storetest.Hash(3)), start, storetest.Row("client.register", start))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = s.ReplaceIdentity(ctx, registry, c, storetest.Registration(storetest.Hash(4)), start.Add(time.Minute), storetest.Row("client.replace", start))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = s.UpdateClient(ctx, registry, c, store.BasicData{NonDisclosure: true, DiedOn: "2026-01-31"}, storetest.Row("client.update", start))
	g.Expect(err).NotTo(HaveOccurred())
	fillWithholdings(t, s, a)
	fillTestRegistries(t, s)
	destroyLog(t, s)
	for i := range documents {
		at := start.Add(time.Duration(i) * time.Minute)
		doc := storetest.NewDocument(registry, a, at, fmt.Appendf(nil, `{"number": %d}`, i), "older-people", "Ä")
		doc.Matter = fmt.Sprint("M-", i%7)
		if i%10 == 4 {
			doc.Matter, doc.OldData = "", true
		}
		switch i % 5 {
		case 1:
			doc.ClientIDs, doc.Matter = append(doc.ClientIDs, b), fmt.Sprint("shared-", i%7)
		case 2:
			doc.Representations = append(doc.Representations, store.Representation{ContentType: store.ContentXHTML, Body: []byte("<p>äö\x00</p>")})
		case 3:
			doc.Relationship = &store.Relationship{Unit: "1.2.246.10.99999993.10.1", Start: at, Procurement: "Outsourced"}
		}
		if i%3 == 0 {
			doc.Representations[0].Signature = &store.Signature{JWS: fmt.Sprint("signature-", i), Signer: "T-1", SignedAt: at}
		}
		facts := storetest.StoreNew(t, s, doc)
		if i%4 == 0 {
			version := storetest.NewVersion(facts, at.Add(time.Hour), []byte(`{"number": "new"}`), "b")
			version.Relationship = doc.Relationship
			facts, _ = must2(s.AddVersion(ctx, version, storetest.Row("document.version", at)))(t)
		}
		if i%6 == 0 {
			must2(s.Annul(ctx, storetest.NewAnnulment(facts, at.Add(2*time.Hour), "wrong-client"), storetest.Row("document.annul", at)))(t)
		}
		sighting := storetest.Sighting(fmt.Sprint("object-", i%9), registry, a, uint64(i+1), at)
		sighting.Deleted, sighting.Missed, sighting.Accepted = i%11 == 10, i%2 == 0, i%4 == 0
		if i%3 == 0 {
			sighting.End = at
		}
		must(s.AppendRelationshipStates(ctx, []store.Sighting{sighting}))(t)
	}
	closing := storetest.NewChange(start.Add(24 * time.Hour))
	for _, id := range []string{"M-1", "M-2", "shared-3"} {
		must2(s.CloseMatter(ctx, registry, id, closing, storetest.Row("matter.close", start)))(t)
	}
	must2(s.ReopenMatter(ctx, registry, "M-2", closing, storetest.Row("matter.reopen", start)))(t)
	gone := storetest.StoreNew(t, s, storetest.NewDocument(registry, a, start, []byte("destroyed"), "older-people"))
	g.Expect(s.Destroy(ctx, gone.ID, start, storetest.Due, storetest.Row("Destroy", start))).To(Succeed())
	sequencer := storetest.Sequencer(s, storetest.LogKey(t), start)
	g.Expect(sequencer.CatchUp(ctx)).To(Succeed())
	g.Expect(sequencer.Checkpoint(ctx)).To(Succeed())
	row := storetest.Row("document.read", start)
	row.ClientID = a
	g.Expect(s.AppendLog(ctx, row)).To(Succeed()) // it waits for its leaf
}

// fillTestRegistries opens two and closes one.
func fillTestRegistries(t testing.TB, s *sqlstore.Store) {
	t.Helper()
	g := NewWithT(t)
	for _, oid := range []string{"2.25.1", "2.25.2"} {
		must(s.OpenTestRegistry(t.Context(), storetest.NewTestRegistry(oid), start))(t)
	}
	g.Expect(s.CloseTestRegistry(t.Context(), "2.25.1", start)).To(Succeed())
}

// fillWithholdings withholds log entries of the client: of a period, and single ones, of which the first is lifted.
func fillWithholdings(t testing.TB, s *sqlstore.Store, client uuid.UUID) {
	t.Helper()
	lifted := storetest.NewWithholding(registry, client, start)
	named := storetest.NewWithholding(registry, client, start.Add(time.Hour))
	named.From, named.Until, named.Entries = time.Time{}, time.Time{}, []uuid.UUID{uuid.New(), uuid.New()}
	one, _ := must2(s.Withhold(t.Context(), lifted, storetest.Row("WithholdLog", start)))(t)
	_, _ = must2(s.Withhold(t.Context(), named, storetest.Row("WithholdLog", start)))(t)
	lifting := store.Lifting{At: start.Add(time.Hour), Decision: "D/2/2026", By: lifted.By}
	_ = must(s.LiftWithholding(t.Context(), registry, one.ID, lifting, storetest.Row("LiftWithholding", start)))(t)
}

// destroyLog destroys a month of the log.
func destroyLog(t testing.TB, s *sqlstore.Store) {
	t.Helper()
	g := NewWithT(t)
	old := storetest.Row("document.read", start.AddDate(-20, 0, 0))
	old.Registry = registry
	g.Expect(s.AppendLog(t.Context(), old)).To(Succeed())
	for _, month := range must(s.LogMonths(t.Context(), start.AddDate(-12, 0, 0)))(t) {
		_, done := must2(s.DestroyLogMonth(t.Context(), month, 12, 10, start))(t)
		g.Expect(done).To(BeTrue())
	}
}

// contentOf reads a store by what it promises, not by its tables.
func contentOf(t testing.TB, s *sqlstore.Store) content {
	t.Helper()
	g := NewWithT(t)
	var c content
	for _, client := range []int{1, 2, 3, 4} { // 3 and 4 are one client
		id, found, err := s.FindClient(t.Context(), registry, storetest.Hash(client))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found).To(BeTrue())
		matters := must(s.MattersOf(t.Context(), registry, id))(t)
		for _, m := range matters {
			c.events = append(c.events, must(s.MatterEvents(t.Context(), registry, m.ID))(t)...)
		}
		c.matters = append(c.matters, matters...)
		c.history = append(c.history, storetest.AllStates(t, s, store.RelationshipHistoryQuery{Registry: registry, ClientID: id})...)
		sealed, key, err := s.ClientIdentifiers(t.Context(), registry, id)
		g.Expect(err).NotTo(HaveOccurred())
		c.clients = append(c.clients, must(s.Client(t.Context(), registry, id))(t))
		c.sealed, c.keys = append(c.sealed, sealed), append(c.keys, key)
		c.withheld = append(c.withheld, must(s.Withholdings(t.Context(), registry, id))(t)...)
		for _, annulled := range []bool{false, true} {
			page, err := s.Search(t.Context(), store.SearchQuery{Registry: registry, ClientID: id, Annulled: annulled, OldData: true, Limit: store.MaxPage})
			g.Expect(err).NotTo(HaveOccurred())
			c.facts = append(c.facts, page.Items...)
		}
	}
	for _, f := range c.facts {
		for version := 1; version <= f.Current; version++ {
			facts, err := s.DocumentFacts(t.Context(), registry, f.ID, version)
			g.Expect(err).NotTo(HaveOccurred())
			for _, r := range facts.Representations {
				c.documents = append(c.documents, must(s.Document(t.Context(), registry, f.ID, version, r.ContentType))(t))
				if r.Signature != nil {
					c.signed = append(c.signed, must(s.Signature(t.Context(), registry, f.ID, version, r.ContentType))(t))
				}
			}
		}
		if record, err := s.RelationshipRecord(t.Context(), f.ID); err == nil {
			c.records = append(c.records, record)
		}
	}
	c.rows = storetest.AllLog(t, s, store.LogQuery{})
	c.destroyed = must(s.DestroyedRecords(t.Context(), nil, store.MaxPage))(t)
	c.tests = must(s.TestRegistries(t.Context()))(t)
	storetest.CheckLog(t, s, len(c.rows), 1)
	return c
}

func TestACopyHoldsAllThatTheSourceHeld(t *testing.T) {
	for _, from := range engines() {
		for _, to := range engines() {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				g := NewWithT(t)
				source, target := from.place(t), to.place(t)
				s := from.open(t, source)
				fill(t, s)
				want := contentOf(t, s)
				g.Expect(s.Close()).To(Succeed())

				var steps []transfer.Step
				report, err := transfer.Copy(t.Context(), from.raw(t, source), to.raw(t, target), func(s transfer.Step) { steps = append(steps, s) })
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(report.Resumed).To(BeFalse())
				for _, table := range report.Tables {
					g.Expect(table.Rows).NotTo(BeZero(), "nothing of %s was put to the test", table.Name)
				}
				g.Expect(steps[len(steps)-1].Rows).To(Equal(steps[len(steps)-1].Total))

				s = to.open(t, target)
				defer func() { g.Expect(s.Close()).To(Succeed()) }()
				g.Expect(s.Adopt(t.Context(), keyCheck)).To(Succeed())
				g.Expect(s.Adopt(t.Context(), cursorKey)).To(MatchError(sqlstore.ErrOtherKey))
				g.Expect(contentOf(t, s)).To(Equal(want))
			})
		}
	}
}

// A copy that is cut anywhere leaves a target that no archive serves from, and goes on to the same end.
func TestACutCopyGoesOn(t *testing.T) {
	for _, to := range engines() {
		t.Run(to.name, func(t *testing.T) {
			g := NewWithT(t)
			from := engines()[0]
			source, target := from.place(t), to.place(t)
			s := from.open(t, source)
			fill(t, s)
			want := contentOf(t, s)
			g.Expect(s.Close()).To(Succeed())
			read, write := from.raw(t, source), to.raw(t, target)

			cuts := 0
			for at := 1; ; at++ {
				ctx, cut := context.WithCancel(t.Context())
				steps := 0
				report, err := transfer.Copy(ctx, read, write, func(transfer.Step) {
					if steps++; steps == at*3 {
						cut()
					}
				})
				cut()
				if err == nil {
					g.Expect(report.Resumed).To(BeTrue())
					break
				}
				cuts++
				g.Expect(err).To(MatchError(ContainSubstring("cancel")))
				serving := to.open(t, target)
				g.Expect(serving.Adopt(t.Context(), keyCheck)).To(MatchError(sqlstore.ErrImporting))
				g.Expect(serving.Close()).To(Succeed())
			}
			g.Expect(cuts).To(BeNumerically(">", 5))
			s = to.open(t, target)
			defer func() { g.Expect(s.Close()).To(Succeed()) }()
			g.Expect(contentOf(t, s)).To(Equal(want))
		})
	}
}

func TestWhatDiffersIsFound(t *testing.T) {
	from, to := engines()[0], engines()[0]
	for name, c := range map[string]struct {
		statement string
		inSource  bool
		want      error
	}{
		"a lost row":       {statement: "DELETE FROM document_clients WHERE first_stored_us = (SELECT max(first_stored_us) FROM document_clients)", want: transfer.ErrDiffers},
		"a changed row":    {statement: "UPDATE access_log SET professional = 'T-9' WHERE time_us = (SELECT max(time_us) FROM access_log)", want: transfer.ErrDiffers},
		"a row too many":   {statement: "INSERT INTO registries VALUES (77, '1.2.3', 0)", want: transfer.ErrDiffers},
		"a changed body":   {statement: "UPDATE document_bodies SET body = x'00' WHERE content_type = 'application/xhtml+xml'", want: transfer.ErrDiffers},
		"a damaged source": {statement: "UPDATE document_bodies SET body = x'00' WHERE content_type = 'application/xhtml+xml'", inSource: true, want: store.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			source, target := from.place(t), to.place(t)
			s := from.open(t, source)
			fill(t, s)
			g.Expect(s.Close()).To(Succeed())
			read, write := from.raw(t, source), to.raw(t, target)
			damaged := write
			if c.inSource {
				damaged = read
			}
			done := false
			_, err := transfer.Copy(t.Context(), read, write, func(s transfer.Step) {
				if (s.Doing == "compare" || c.inSource) && !done {
					done = true
					if _, err := damaged.ExecContext(t.Context(), c.statement); err != nil {
						t.Error(err)
					}
				}
			})
			g.Expect(err).To(MatchError(c.want))
			serving := to.open(t, target)
			defer func() { g.Expect(serving.Close()).To(Succeed()) }()
			g.Expect(serving.Adopt(t.Context(), keyCheck)).To(MatchError(sqlstore.ErrImporting))
		})
	}
}

func TestATargetWithSomethingInItIsRefused(t *testing.T) {
	g := NewWithT(t)
	e := engines()[0]
	source, target, other := e.place(t), e.place(t), e.place(t)
	for _, place := range []string{source, target, other} {
		s := e.open(t, place)
		fill(t, s)
		g.Expect(s.Close()).To(Succeed())
	}
	nothing := func(transfer.Step) {}
	_, err := transfer.Copy(t.Context(), e.raw(t, source), e.raw(t, target), nothing)
	g.Expect(err).To(MatchError(transfer.ErrNotEmpty))

	// A part of another store is not taken for a part of this one.
	empty := e.place(t)
	ctx, cut := context.WithCancel(t.Context())
	_, err = transfer.Copy(ctx, e.raw(t, other), e.raw(t, empty), func(transfer.Step) { cut() })
	g.Expect(err).To(HaveOccurred())
	_, err = transfer.Copy(t.Context(), e.raw(t, source), e.raw(t, empty), nothing)
	g.Expect(err).To(MatchError(transfer.ErrNotEmpty))
}

func TestOnlyAWholeStoreIsCopied(t *testing.T) {
	g := NewWithT(t)
	e := engines()[0]
	source := e.place(t)
	s := e.open(t, source)
	g.Expect(s.Close()).To(Succeed())
	_, err := transfer.Copy(t.Context(), e.raw(t, source), e.raw(t, e.place(t)), func(transfer.Step) {})
	g.Expect(err).To(MatchError(transfer.ErrNotWhole), "nobody has served from it")

	s = e.open(t, source)
	fill(t, s)
	g.Expect(s.Close()).To(Succeed())
	g.Expect(transfer.Retire(t.Context(), e.raw(t, source))).To(Succeed())
	_, err = transfer.Copy(t.Context(), e.raw(t, source), e.raw(t, e.place(t)), func(transfer.Step) {})
	g.Expect(err).To(MatchError(transfer.ErrNotWhole), "it has been moved")
	s = e.open(t, source)
	defer func() { g.Expect(s.Close()).To(Succeed()) }()
	g.Expect(s.Adopt(t.Context(), keyCheck)).To(MatchError(sqlstore.ErrMoved))
}

// What the list of tables leaves out would be lost in silence.
func TestTheListOfTablesIsTheSchema(t *testing.T) {
	apart := []string{"archive_info", "goose_db_version", "log_lease", "probe", "schema_writers", "sqlite_sequence"}
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			g := NewWithT(t)
			db := e.raw(t, e.place(t))
			names := "SELECT name FROM sqlite_master WHERE type = 'table'"
			if e.name == "PostgreSQL" {
				names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
			}
			var there []string
			for _, name := range listed(t, db, names) {
				if slices.Contains(apart, name) {
					continue
				}
				columns := columnsOf(t, db, name)
				slices.Sort(columns)
				there = append(there, name+": "+strings.Join(columns, " "))
			}
			g.Expect(there).To(ConsistOf(transfer.Tables()))
		})
	}
}

func columnsOf(t testing.TB, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err = errors.Join(err, rows.Err()); err != nil {
		t.Fatal(err)
	}
	return columns
}

func listed(t testing.TB, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func closed(t testing.TB, db *sql.DB) *sql.DB {
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func must2[A, B any](a A, b B, err error) func(testing.TB) (A, B) {
	return func(t testing.TB) (A, B) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a, b
	}
}
