// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// BenchmarkStoreDocument stores 10 kB documents durably, each with its log row.
func BenchmarkStoreDocument(b *testing.B) {
	for _, c := range []struct {
		name    string
		writers int
	}{{"1writer", 1}, {"32writers", 32}} {
		b.Run(c.name, func(b *testing.B) {
			s, statements, client := benchStore(b)
			body := make([]byte, 10_413)
			inParallel(b, c.writers, statements, func() error {
				doc := storetest.NewDocument(registry, client, start, body, "t1")
				row := storetest.FullRow()
				row.ID, row.DocumentIDs = uuid.Nil, []uuid.UUID{doc.ID}
				_, _, err := s.StoreDocument(b.Context(), doc, row)
				return err
			})
		})
	}
}

// BenchmarkAddVersion gives each of many documents a second version of 10 kB.
func BenchmarkAddVersion(b *testing.B) {
	s, statements, client := benchStore(b)
	var documents []store.Facts
	for range b.N {
		documents = append(documents, storetest.StoreNew(b, s, storetest.NewDocument(registry, client, start, []byte("x"), "t1")))
	}
	var next atomic.Int64
	body := make([]byte, 10_413)
	inParallel(b, 32, statements, func() error {
		version := storetest.NewVersion(documents[next.Add(1)-1], start, body, "t1")
		_, _, err := s.AddVersion(b.Context(), version, storetest.Row("document.version", start))
		return err
	})
}

// BenchmarkAppendLog makes one log row durable per operation.
func BenchmarkAppendLog(b *testing.B) {
	for _, c := range []struct {
		name    string
		writers int
	}{{"1writer", 1}, {"32writers", 32}} {
		b.Run(c.name, func(b *testing.B) {
			s, statements, _ := benchStore(b)
			inParallel(b, c.writers, statements, func() error {
				row := storetest.FullRow()
				row.ID = uuid.Nil
				return s.AppendLog(b.Context(), row)
			})
		})
	}
}

// BenchmarkSearch reads a page of 20 of a client with 1,000 documents, of which 50 are visible.
func BenchmarkSearch(b *testing.B) {
	s, _, client := benchStore(b)
	for i := range 1000 {
		task := "hidden"
		if i%20 == 0 {
			task = "t1"
		}
		if _, _, err := s.StoreDocument(b.Context(), storetest.NewDocument(registry, client, start, []byte("x"), task), storetest.Row("document.store", start)); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		got, err := s.Search(b.Context(), store.SearchQuery{Registry: registry, ClientID: client, AllowedTasks: &[]string{"t1"}, Limit: 20})
		if err != nil || got.Total != 50 {
			b.Fatal(got.Total, err)
		}
	}
}

// BenchmarkDocumentFacts reads what an access decision needs.
func BenchmarkDocumentFacts(b *testing.B) {
	s, _, client := benchStore(b)
	doc := storetest.NewDocument(registry, client, start, make([]byte, 10_413), "t1")
	if _, _, err := s.StoreDocument(b.Context(), doc, storetest.Row("document.store", start)); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		if _, err := s.DocumentFacts(b.Context(), registry, doc.ID, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// countingTx counts the statements that the engine runs.
type countingTx struct {
	sqlstore.Tx
	statements *atomic.Int64
}

func (c countingTx) Exec(doing, query string, args ...any) error {
	c.statements.Add(1)
	return c.Tx.Exec(doing, query, args...)
}

func (c countingTx) Get(doing, query string, args []any, dest ...any) (bool, error) {
	c.statements.Add(1)
	return c.Tx.Get(doing, query, args, dest...)
}

func openCounting(t testing.TB) (*sqlstore.Store, *atomic.Int64) {
	t.Helper()
	engine, _, err := openEngine(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	statements := new(atomic.Int64)
	begin := engine.Begin
	engine.Begin = func() (sqlstore.Tx, error) {
		tx, err := begin()
		return countingTx{tx, statements}, err
	}
	s, err := sqlstore.New(engine, sqlstore.Options{CursorKey: cursorKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, statements
}

// TestAWriteIsFewStatements holds the hot path to its number of statements: each one more is a share of the
// throughput.
func TestAWriteIsFewStatements(t *testing.T) {
	s, statements := openCounting(t)
	client := storetest.Client(t, s, registry, 1)
	count := func(name string, most int64, write func() error) {
		t.Helper()
		before := statements.Load()
		if err := write(); err != nil {
			t.Fatal(err)
		}
		if n := statements.Load() - before; n > most {
			t.Errorf("%s: %d statements, at most %d", name, n, most)
		}
	}
	var facts store.Facts
	count("a client's first store", 9, func() error {
		storetest.StoreNew(t, s, storetest.NewDocument(registry, client, start, []byte("x"), "t1", "t2"))
		return nil
	})
	count("a store", 8, func() error {
		facts = storetest.StoreNew(t, s, storetest.NewDocument(registry, client, start, []byte("x"), "t1", "t2"))
		return nil
	})
	count("a version", 7, func() (err error) {
		facts, _, err = s.AddVersion(t.Context(), storetest.NewVersion(facts, start, []byte("y"), "t1", "t2"), storetest.Row("a", start))
		return err
	})
	count("an annulment", 8, func() (err error) {
		_, _, err = s.Annul(t.Context(), storetest.NewAnnulment(facts, start, "mistake"), storetest.Row("a", start))
		return err
	})
	count("a log row", 2, func() error { return s.AppendLog(t.Context(), storetest.Row("a", start)) })
}

func benchStore(b *testing.B) (*sqlstore.Store, *atomic.Int64, uuid.UUID) {
	b.Helper()
	s, statements := openCounting(b)
	return s, statements, storetest.Client(b, s, registry, 1)
}

func inParallel(b *testing.B, writers int, statements *atomic.Int64, op func() error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	statements.Store(0)
	b.ResetTimer()
	for range writers {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := op(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "durable/s")
	b.ReportMetric(float64(statements.Load())/float64(b.N), "statements/op")
}
