// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/logaudit/logaudittest"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// BenchmarkVerifyAMillionLeaves checks a copy of 1,000,000 rows of 50,000 clients; an operation is the whole check.
func BenchmarkVerifyAMillionLeaves(b *testing.B) {
	const leaves = 1_000_000
	dir := filepath.Join(b.TempDir(), "copy")
	key := keyOf(b, uuid.New())
	if err := logaudittest.WriteCopy(dir, key, leaves, 50_000); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		report, err := logaudit.Verify(b.Context(), dir, logaudit.Options{Log: key.Verifier(), Progress: func(string, int64, int64) {}})
		if err != nil || !report.Sound() || report.Records != leaves {
			b.Fatalf("%d rows checked (err=%v): %v", report.Records, err, report.Findings[:min(len(report.Findings), 3)])
		}
	}
	b.ReportMetric(float64(leaves)*float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}

// BenchmarkExtractOfAThousandRecords makes the extract of a client with 1,000 rows among 20,000 others.
func BenchmarkExtractOfAThousandRecords(b *testing.B) {
	a := newArchive(b)
	mine := uuid.New()
	for batch := range 20 {
		rows := make([]store.LogRow, 1050)
		for i := range rows {
			rows[i] = storetest.Row("document.read", a.clock.Now().Add(time.Duration(batch*1050+i)*time.Microsecond))
			rows[i].Registry, rows[i].ClientID = registry, clients[i%2]
			if i%21 == 0 {
				rows[i].ClientID = mine
			}
		}
		if err := a.store.AppendLog(b.Context(), rows...); err != nil {
			b.Fatal(err)
		}
	}
	a.sequence()
	for b.Loop() {
		extract, err := logaudit.Take(b.Context(), a.store, registry, mine, 10_000, a.clock.Now())
		if err != nil || len(extract.Records) != 1000 {
			b.Fatalf("%d records (err=%v)", len(extract.Records), err)
		}
	}
}
