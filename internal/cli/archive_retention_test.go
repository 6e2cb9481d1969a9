// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/destruction"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// TestRetention runs the command beside a store that is in service, on both engines.
func TestRetention(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (*sqlstore.Store, []string){
		"SQLite": func(t *testing.T) (*sqlstore.Store, []string) {
			dir := t.TempDir()
			return openArchive(t, dir), []string{"--data-dir", dir}
		},
		"PostgreSQL": func(t *testing.T) (*sqlstore.Store, []string) {
			uri, file := pgcluster.Shared(t).Database(t), filepath.Join(t.TempDir(), "uri")
			if err := os.WriteFile(file, []byte(uri), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := postgres.Open(t.Context(), postgres.Options{URI: uri, CursorKey: copyKey})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s, []string{"--postgres-uri-file", file}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s, where := open(t)
			g.Expect(s.Adopt(t.Context(), copyCheck)).To(Succeed())
			client := storetest.Client(t, s, copied, 1)
			var old []uuid.UUID
			for _, stored := range []time.Time{time.Date(2015, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2016, 3, 1, 0, 0, 0, 0, time.UTC), time.Now()} {
				doc := storetest.NewDocument(copied, client, stored, []byte(`{}`), "older-people")
				doc.Type = "voucher"
				storetest.StoreNew(t, s, doc)
				old = append(old, doc.ID)
			}
			plain := storetest.NewDocument(copied, client, time.Now(), []byte(`{}`), "older-people")
			storetest.StoreNew(t, s, plain)
			retention := func(more ...string) (int, string, string) {
				return run(append(append([]string{"archive", "retention"}, more...), where...)...)
			}

			status, out, errs := retention("--dry-run")
			g.Expect(status).To(Equal(0), errs)
			g.Expect(out).To(MatchRegexp(`due +2 +document +vouchers +voucher\n`))
			g.Expect(out).To(MatchRegexp(`kept +1 +document +waits for: matter\n`))
			g.Expect(out).To(MatchRegexp(`kept +1 +document +waits for: time\n`))
			g.Expect(out).To(ContainSubstring("2 of 4 documents and 0 of 1 clients would be destroyed"))
			g.Expect(out).NotTo(ContainSubstring(client.String()))

			status, out, errs = retention("--dry-run", "--as-of", "2015-12-31", "--output", "json")
			g.Expect(status).To(Equal(0), errs)
			var report destruction.Report
			g.Expect(json.Unmarshal([]byte(out), &report)).To(Succeed())
			g.Expect(report.DryRun).To(BeTrue())
			g.Expect(report.AsOf).To(Equal(catalog.Day("2015-12-31")))
			g.Expect(report.Documents).To(Equal(destruction.Counts{Examined: 4}))

			status, out, errs = retention("--yes", "--catalog", "stand-in", "--limit", "1", "-o", "json")
			g.Expect(status).To(Equal(0), errs)
			report = destruction.Report{}
			g.Expect(json.Unmarshal([]byte(out), &report)).To(Succeed())
			g.Expect(report.Documents.Destroyed).To(Equal(1))
			g.Expect(report.Stopped).To(BeTrue())

			status, out, errs = retention("--yes", "--catalog", "stand-in")
			g.Expect(status).To(Equal(0), errs)
			g.Expect(out).To(ContainSubstring("destroyed 1 of 3 documents and 0 of 1 clients"))
			for i, id := range old {
				_, err := s.DocumentFacts(t.Context(), copied, id, 0)
				g.Expect(err == nil).To(Equal(i == 2))
			}
			rows := 0
			for _, row := range storetest.AllLog(t, s, store.LogQuery{ClientID: client}) {
				if row.Operation == destruction.Operation {
					rows++
					g.Expect(row.Caller).To(Equal(destruction.Caller))
					g.Expect(row.Outcome).To(Equal(store.OutcomeAllowed))
				}
			}
			g.Expect(rows).To(Equal(2))

			status, out, errs = run(append([]string{"archive", "retention", "records"}, where...)...)
			g.Expect(status).To(Equal(0), errs)
			g.Expect(strings.Split(strings.TrimSpace(out), "\n")).To(HaveLen(2))
			g.Expect(out).To(ContainSubstring("document  " + old[0].String() + "  vouchers: stored on 2015-03-01, due on 2018-03-02"))
			status, out, errs = run(append([]string{"archive", "retention", "records", "--output", "json"}, where...)...)
			g.Expect(status).To(Equal(0), errs)
			g.Expect(out).To(ContainSubstring(`"rule":"vouchers","countedFrom":"stored","startedOn":"2015-03-01","dueOn":"2018-03-02"`))
		})
	}
}

func TestRetentionDestroysNothingUnasked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	seedArchive(t, dir)
	for line, says := range map[string]string{
		"archive retention":                                 "--yes",
		"archive retention --yes":                           "--catalog has to be given",
		"archive retention --limit 3":                       "--yes",
		"archive retention --dry-run --yes":                 "contradict",
		"archive retention --yes --as-of 2030-01-01":        "--as-of goes with --dry-run",
		"archive retention --dry-run --as-of 1.1.2030":      "must be a day",
		"archive retention --dry-run --as-of 2030-02-30":    "must be a day",
		"archive retention --dry-run --rewrite":             "--rewrite goes with",
		"archive retention --dry-run --limit -1":            "--limit is -1",
		"archive retention --dry-run --output yaml":         "must be text or json",
		"archive retention records --output yaml":           "must be text or json",
		"archive retention --dry-run --catalog /not/there":  "no such file",
		"archive retention records now":                     "unknown command",
		"archive retention --dry-run --postgres-uri-file x": "none of the others",
	} {
		g := NewWithT(t)
		status, out, errs := run(append(strings.Fields(line), "--data-dir", dir)...)
		g.Expect(status).NotTo(Equal(0), line)
		g.Expect(errs).To(ContainSubstring(says), line)
		g.Expect(out).To(BeEmpty(), line)
	}
	wantDocuments(t, openArchive(t, dir), 3)
	g := NewWithT(t)
	missing := filepath.Join(t.TempDir(), "missing")
	status, _, _ := run("archive", "retention", "--dry-run", "--data-dir", missing)
	g.Expect(status).To(Equal(1))
	g.Expect(missing).NotTo(BeADirectory(), "a mistyped directory is not made")
}

func TestRetentionLeavesAStoreThatServesNobody(t *testing.T) {
	g := NewWithT(t)
	dir, uriFile := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "uri")
	seedArchive(t, dir)
	g.Expect(os.WriteFile(uriFile, []byte(pgcluster.Shared(t).Database(t)), 0o600)).To(Succeed())
	status, _, errs := run("archive", "migrate", "--data-dir", dir, "--to-postgres-uri-file", uriFile)
	g.Expect(status).To(Equal(0), errs)
	status, _, errs = run("archive", "retention", "--data-dir", dir, "--catalog", "stand-in", "--yes")
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("moved to another store"))
}

// TestRetentionWantsItsOwnSchema: a program beside an archive changes no schema.
func TestRetentionWantsItsOwnSchema(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	seedArchive(t, dir)
	db, err := sqlite.OpenFile(t.Context(), dir)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = db.ExecContext(t.Context(), `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(db.Close()).To(Succeed())
	status, _, errs := run("archive", "retention", "--dry-run", "--data-dir", dir)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("schema version"))
}
