// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

const documentSize = 10_413

// body gives text of the size of a document, of which no two are alike and which PostgreSQL can hardly compress.
func body() []byte {
	raw := make([]byte, documentSize/2+1)
	_, _ = rand.Read(raw) // it never fails
	return fmt.Appendf(nil, "%x", raw)[:documentSize]
}

// BenchmarkStoreDocument stores 10 kB documents durably, each with its log row, next to the bare floor: the same
// bytes in one table, 64 rows a transaction, over as many connections as there are lanes.
func BenchmarkStoreDocument(b *testing.B) {
	cluster := pgcluster.Shared(b)
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("%dwriters", writers), func(b *testing.B) {
			var commits atomic.Int64
			s, err := Open(b.Context(), Options{
				URI: cluster.Database(b), CursorKey: cursorKey, OnCommit: func(int, time.Duration) { commits.Add(1) },
			})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			client := clientOf(b, s, 1)
			commits.Store(0)
			inParallel(b, writers, 1, func() error { return put(b.Context(), s, document(client, body(), "t1")) })
			b.ReportMetric(float64(b.N)/float64(commits.Load()), "docs/commit")
		})
	}
	b.Run("floor", func(b *testing.B) {
		uri := cluster.Database(b)
		do(b, session(b, uri), "CREATE TABLE bare (id BYTEA PRIMARY KEY, body BYTEA NOT NULL)")
		conns := make(chan *pgx.Conn, defaultLanes)
		for range cap(conns) {
			conns <- session(b, uri)
		}
		inParallel(b, cap(conns), 64, func() error {
			conn := <-conns
			defer func() { conns <- conn }()
			return insertBatch(b.Context(), conn, 64)
		})
	})
}

// insertBatch commits rows of a document's size.
func insertBatch(ctx context.Context, conn *pgx.Conn, rows int) error {
	batch := &pgx.Batch{}
	batch.Queue("BEGIN")
	for range rows {
		id := uuid.New()
		batch.Queue("INSERT INTO bare (id, body) VALUES ($1, $2)", id[:], body())
	}
	batch.Queue("COMMIT")
	return conn.SendBatch(ctx, batch).Close()
}

// BenchmarkAppendLog makes one log row durable per operation.
func BenchmarkAppendLog(b *testing.B) {
	s := openNew(b)
	inParallel(b, 32, 1, func() error { return s.AppendLog(b.Context(), row("document.read", uuid.New())) })
}

// BenchmarkRead reads what an access decision needs, and a document.
func BenchmarkRead(b *testing.B) {
	s := openNew(b)
	doc := document(clientOf(b, s, 1), body(), "t1")
	if err := put(b.Context(), s, doc); err != nil {
		b.Fatal(err)
	}
	b.Run("facts", func(b *testing.B) {
		inParallel(b, 32, 1, func() error {
			_, err := s.DocumentFacts(b.Context(), registry, doc.ID, 0)
			return err
		})
	})
	b.Run("document", func(b *testing.B) {
		inParallel(b, 32, 1, func() error {
			_, err := s.Document(b.Context(), registry, doc.ID, 0, store.ContentJSON)
			return err
		})
	})
}

// inParallel runs op until b.N are done, of which it does so many at once.
func inParallel(b *testing.B, workers, atOnce int, op func() error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range workers {
		wg.Go(func() {
			for next.Add(int64(atOnce)) <= int64(b.N+atOnce-1) {
				if err := op(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "per-s")
}
