// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

func TestMigrateSchemaOfADatabase(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	uri, uriFile, report := pgcluster.Shared(t).Database(t), filepath.Join(dir, "uri"), filepath.Join(dir, "report")
	g.Expect(os.WriteFile(uriFile, []byte(uri), 0o600)).To(Succeed())
	conn, err := pgx.Connect(t.Context(), uri)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close(t.Context()) }()
	do := func(statement string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), statement)
		g.Expect(err).NotTo(HaveOccurred())
	}
	tables := func() (n int) {
		g.Expect(conn.QueryRow(t.Context(), "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'").Scan(&n)).To(Succeed())
		return n
	}

	status, out, errs := run("archive", "migrate-schema", "--postgres-uri-file", uriFile, "--dry-run")
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("would bring the database of " + uriFile + " from schema version 0 to "))
	g.Expect(out+errs).NotTo(ContainSubstring(uri), "the URI holds a password")
	g.Expect(tables()).To(BeZero(), "a dry run writes nothing")

	// Of several at once, one does the work.
	var all sync.WaitGroup
	var mutex sync.Mutex
	brought := 0
	for range 4 {
		all.Go(func() {
			status, out, errs := run("archive", "migrate-schema", "--postgres-uri-file", uriFile)
			mutex.Lock()
			defer mutex.Unlock()
			g.Expect(status).To(Equal(0), errs)
			if ok, _ := ContainSubstring("brought").Match(out); ok {
				brought++
			} else {
				g.Expect(out).To(ContainSubstring("nothing to do"))
			}
		})
	}
	all.Wait()
	g.Expect(brought).To(Equal(1))
	g.Expect(tables()).NotTo(BeZero())

	// A database of an earlier version: each change says who may go on serving, and the strictest counts.
	do("DROP TABLE schema_writers")
	do("DELETE FROM goose_db_version WHERE version_id >= 6")
	status, out, errs = run("archive", "migrate-schema", "--postgres-uri-file", uriFile, "--dry-run")
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(MatchRegexp(`00006_schema_writers.sql +archives of schema version 5 and newer may go on serving`))
	g.Expect(out).To(MatchRegexp(`00008_test_registries.sql +archives of schema version 8 and newer may go on serving`))
	g.Expect(out).To(ContainSubstring("archives of schema version 5 must not serve after it: stop them before"))

	do("INSERT INTO goose_db_version (version_id, is_applied) VALUES (6, true), (7, true), (8, true), (9999, true)")
	do("CREATE TABLE schema_writers (writers_id BIGINT PRIMARY KEY, oldest BIGINT)")
	do("INSERT INTO schema_writers VALUES (1, 9999)")
	for _, flags := range [][]string{nil, {"--dry-run"}} {
		status, _, errs = run(append([]string{"archive", "migrate-schema", "--postgres-uri-file", uriFile, "--termination-log", report}, flags...)...)
		g.Expect(status).To(Equal(1))
		g.Expect(errs).To(HavePrefix("valtuus: SchemaTooNew: "))
		text, err := os.ReadFile(report)
		g.Expect(err).NotTo(HaveOccurred())
		var told failure.Report
		g.Expect(json.Unmarshal(text, &told)).To(Succeed())
		g.Expect(told.Reason).To(Equal(failure.SchemaTooNew))
	}
	_, err = postgres.SchemaOf(t.Context(), uri)
	g.Expect(err).NotTo(HaveOccurred())
}

func TestMigrateSchemaOfADataDirectory(t *testing.T) {
	g := NewWithT(t)
	data := filepath.Join(t.TempDir(), "data")
	status, out, errs := run("archive", "migrate-schema", "--data-dir", data, "--dry-run")
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("would bring"))
	g.Expect(data).NotTo(BeADirectory(), "a dry run writes nothing")

	unlock, err := sqlite.Lock(data)
	g.Expect(err).NotTo(HaveOccurred())
	status, _, errs = run("archive", "migrate-schema", "--data-dir", data)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(HavePrefix("valtuus: VolumeInUse: "))
	g.Expect(unlock()).To(Succeed())

	status, out, errs = run("archive", "migrate-schema", "--data-dir", data)
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("brought " + data))
	status, out, errs = run("archive", "migrate-schema", "--data-dir", data)
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("nothing to do"))
	status, _, errs = run("archive", "migrate-schema")
	g.Expect(status).To(Equal(1), errs)
}
