// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
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

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

const copied = "1.2.246.10.99999991.19.0" // a registry

var (
	copyKey   = bytes.Repeat([]byte{7}, 32)
	copyCheck = bytes.Repeat([]byte{8}, 32)
)

func TestBackupAndRestore(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	data, to, restored := filepath.Join(dir, "data"), filepath.Join(dir, "backup"), filepath.Join(dir, "restored")
	seedArchive(t, data)

	keyFiles := []string{"client.key", "identity.key", "log.key"}
	for _, name := range keyFiles {
		g.Expect(os.WriteFile(filepath.Join(data, name), []byte("the secret of "+name), 0o600)).To(Succeed())
	}
	status, out, errs := run("archive", "backup", "--data-dir", data, "--to", to)
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("backed up"))
	g.Expect(errs).To(ContainSubstring("copy documents"), "progress is told")
	status, _, errs = run("archive", "backup", "--data-dir", data, "--to", to)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("is there already"))

	status, out, errs = run("archive", "restore", "--from", to, "--data-dir", restored, "--dry-run")
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("is whole"))
	g.Expect(restored).NotTo(BeADirectory(), "a dry run writes nothing")

	status, out, errs = run("archive", "restore", "--from", to, "--data-dir", restored)
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("restored"))
	wantDocuments(t, openArchive(t, restored), 3)
	for _, name := range keyFiles {
		g.Expect(filepath.Join(to, name)).NotTo(BeAnExistingFile(), "a key file is in no backup")
		g.Expect(filepath.Join(restored, name)).NotTo(BeAnExistingFile())
	}
	wantSealed(t, data, restored)

	status, _, errs = run("archive", "restore", "--from", to, "--data-dir", data)
	g.Expect(status).To(Equal(0), "the same store, unchanged since: %s", errs)
	other := filepath.Join(dir, "other")
	seedArchive(t, other)
	status, _, errs = run("archive", "restore", "--from", to, "--data-dir", other)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("the target is not empty"))
}

func TestMigrate(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	data, uriFile := filepath.Join(dir, "data"), filepath.Join(dir, "uri")
	seedArchive(t, data)
	uri := pgcluster.Shared(t).Database(t)
	g.Expect(os.WriteFile(uriFile, []byte(uri+"\n"), 0o600)).To(Succeed())

	unlock, err := sqlite.Lock(data)
	g.Expect(err).NotTo(HaveOccurred())
	status, _, errs := run("archive", "migrate", "--data-dir", data, "--to-postgres-uri-file", uriFile)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("in use by another process"))
	g.Expect(unlock()).To(Succeed())

	status, out, errs := run("archive", "migrate", "--data-dir", data, "--to-postgres-uri-file", uriFile)
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(MatchRegexp(`documents +3 rows +[0-9a-f]{64}`))
	g.Expect(out+errs).NotTo(ContainSubstring(uri), "the URI holds a password")

	moved, err := postgres.Open(t.Context(), postgres.Options{URI: uri, CursorKey: copyKey})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(moved.Close()).To(Succeed()) }()
	g.Expect(moved.Adopt(t.Context(), copyCheck)).To(Succeed())
	wantDocuments(t, moved, 3)
	g.Expect(openArchive(t, data).Adopt(t.Context(), copyCheck)).To(MatchError(sqlstore.ErrMoved), "nobody serves from the old place")

	to := filepath.Join(dir, "backup")
	status, _, errs = run("archive", "backup", "--postgres-uri-file", uriFile, "--to", to)
	g.Expect(status).To(Equal(0), errs)
}

func TestWhereToCopyHasToBeSaid(t *testing.T) {
	for _, line := range []string{
		"archive backup --to x",
		"archive backup --to x --data-dir a --postgres-uri-file b",
		"archive backup --data-dir a",
		"archive restore --data-dir a",
		"archive migrate --data-dir a",
		"archive --archive a/b --tls-cert c --tls-key k --client-ca a",
		"archive --archive a/b --postgres-uri-file u --tls-cert c --tls-key k --client-ca a",
		"archive --archive a/b --postgres-uri-file u --identity-key-file i --tls-cert c --tls-key k --client-ca a",
		"archive rewrap",
		"archive rewrap --postgres-uri-file u",
	} {
		t.Run(line, func(t *testing.T) {
			g := NewWithT(t)
			status, _, errs := run(strings.Fields(line)...)
			g.Expect(status).NotTo(Equal(0))
			g.Expect(errs).To(MatchRegexp(`flag|identity-key-file|client-key-file|log-key-file`))
		})
	}
	g := NewWithT(t)
	status, _, errs := run("archive", "backup", "--data-dir", filepath.Join(t.TempDir(), "missing"), "--to", "x")
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("no such file"))
}

func seedArchive(t *testing.T, dir string) {
	t.Helper()
	g := NewWithT(t)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: copyKey})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Adopt(t.Context(), copyCheck)).To(Succeed())
	client := storetest.Client(t, s, copied, 1)
	for range 3 {
		storetest.StoreNew(t, s, storetest.NewDocument(copied, client, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), []byte(`{}`), "older-people"))
	}
	g.Expect(s.Close()).To(Succeed())
}

func openArchive(t *testing.T, dir string) *sqlstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: copyKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// wantSealed: what a client's identifier is sealed in is the same in both places.
func wantSealed(t *testing.T, places ...string) {
	t.Helper()
	g := NewWithT(t)
	var first []byte
	for i, dir := range places {
		s := openArchive(t, dir)
		client, _, err := s.FindClient(t.Context(), copied, storetest.Hash(1))
		g.Expect(err).NotTo(HaveOccurred())
		sealed, key, err := s.ClientIdentifiers(t.Context(), copied, client)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(sealed).To(HaveLen(1))
		both := append(sealed[0].Sealed, key.Bytes...)
		if i == 0 {
			first = both
		}
		g.Expect(both).To(Equal(first))
		g.Expect(key.KeyID).NotTo(BeEmpty())
	}
}

func wantDocuments(t *testing.T, s store.Store, n int) {
	t.Helper()
	g := NewWithT(t)
	client, found, err := s.FindClient(t.Context(), copied, storetest.Hash(1))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found).To(BeTrue())
	page, err := s.Search(t.Context(), store.SearchQuery{Registry: copied, ClientID: client, Limit: 10})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(page.Total).To(Equal(n))
}
