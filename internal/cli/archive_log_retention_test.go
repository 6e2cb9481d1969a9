// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

func TestLogRetention(t *testing.T) {
	dir := t.TempDir()
	uri := pgcluster.Shared(t).Database(t)
	uriFile := filepath.Join(dir, "uri")
	NewWithT(t).Expect(os.WriteFile(uriFile, []byte(uri), 0o600)).To(Succeed())
	for name, c := range map[string]struct {
		flag, value string
		open        func() (*sqlstore.Store, error)
	}{
		"SQLite": {"--data-dir", filepath.Join(dir, "data"), func() (*sqlstore.Store, error) {
			return sqlite.Open(t.Context(), sqlite.Options{Dir: filepath.Join(dir, "data"), CursorKey: copyKey})
		}},
		"PostgreSQL": {"--postgres-uri-file", uriFile, func() (*sqlstore.Store, error) {
			return postgres.Open(t.Context(), postgres.Options{URI: uri, CursorKey: copyKey})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			operations := func(change func(*sqlstore.Store)) (all []string) {
				s, err := c.open()
				g.Expect(err).NotTo(HaveOccurred())
				change(s)
				for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
					all = append(all, row.Operation)
				}
				g.Expect(s.Close()).To(Succeed())
				return all
			}
			operations(func(s *sqlstore.Store) {
				for operation, at := range map[string]time.Time{"Old": time.Now().AddDate(-12, -2, 0), "Young": time.Now().AddDate(-11, 0, 0)} {
					row := storetest.Row(operation, at)
					row.Registry = copied
					g.Expect(s.AppendLog(t.Context(), row)).To(Succeed())
				}
			})
			nothing := func(*sqlstore.Store) {}

			status, _, errs := run("archive", "log-retention", c.flag, c.value)
			g.Expect(status).NotTo(Equal(0))
			g.Expect(errs).To(ContainSubstring("dry-run"), "it says what to choose")
			status, _, errs = run("archive", "log-retention", c.flag, c.value, "--years", "0", "--yes")
			g.Expect(status).NotTo(Equal(0), errs)

			status, out, errs := run("archive", "log-retention", c.flag, c.value, "--dry-run")
			g.Expect(status).To(Equal(0), errs)
			g.Expect(out).To(ContainSubstring("would destroy 1 rows"))
			g.Expect(operations(nothing)).To(ConsistOf("Old", "Young"))

			status, out, errs = run("archive", "log-retention", c.flag, c.value, "--yes")
			g.Expect(status).To(Equal(0), errs)
			g.Expect(out).To(ContainSubstring(copied + "  1 rows"))
			g.Expect(operations(nothing)).To(ConsistOf("Young", sqlstore.OpDestroyLog))

			status, out, errs = run("archive", "log-retention", c.flag, c.value, "--years", "10", "--yes")
			g.Expect(status).To(Equal(0), errs)
			g.Expect(out).To(ContainSubstring("destroyed 1 rows"))
			g.Expect(operations(nothing)).To(ConsistOf(sqlstore.OpDestroyLog, sqlstore.OpDestroyLog))
		})
	}
}
