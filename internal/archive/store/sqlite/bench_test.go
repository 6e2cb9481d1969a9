// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// BenchmarkStoreDocument stores 10 kB documents durably, each with its log row.
func BenchmarkStoreDocument(b *testing.B) {
	for _, c := range []struct {
		name    string
		writers int
	}{{"1writer", 1}, {"32writers", 32}} {
		b.Run(c.name, func(b *testing.B) {
			s, client := benchStore(b)
			body := make([]byte, 10_413)
			inParallel(b, c.writers, func() error {
				doc := storetest.NewDocument(registry, client, start, body, "t1")
				row := storetest.FullRow()
				row.ID, row.DocumentIDs = uuid.Nil, []uuid.UUID{doc.ID}
				_, err := s.StoreDocument(b.Context(), doc, row)
				return err
			})
		})
	}
}

// BenchmarkAppendLog makes one log row durable per operation.
func BenchmarkAppendLog(b *testing.B) {
	for _, c := range []struct {
		name    string
		writers int
	}{{"1writer", 1}, {"32writers", 32}} {
		b.Run(c.name, func(b *testing.B) {
			s, _ := benchStore(b)
			inParallel(b, c.writers, func() error {
				row := storetest.FullRow()
				row.ID = uuid.Nil
				return s.AppendLog(b.Context(), row)
			})
		})
	}
}

// BenchmarkSearch reads a page of 20 of a client with 1,000 documents, of which 50 are visible.
func BenchmarkSearch(b *testing.B) {
	s, client := benchStore(b)
	for i := range 1000 {
		task := "hidden"
		if i%20 == 0 {
			task = "t1"
		}
		if _, err := s.StoreDocument(b.Context(), storetest.NewDocument(registry, client, start, []byte("x"), task), storetest.Row("document.store", start)); err != nil {
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
	s, client := benchStore(b)
	doc := storetest.NewDocument(registry, client, start, make([]byte, 10_413), "t1")
	if _, err := s.StoreDocument(b.Context(), doc, storetest.Row("document.store", start)); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		if _, err := s.DocumentFacts(b.Context(), registry, doc.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func benchStore(b *testing.B) (*Store, uuid.UUID) {
	b.Helper()
	s := openAt(b, b.TempDir())
	b.Cleanup(func() { _ = s.Close() })
	return s, storetest.Client(b, s, registry, 1)
}

func inParallel(b *testing.B, writers int, op func() error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
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
}
