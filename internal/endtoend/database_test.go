// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// database is what the replicas of an archive share: a PostgreSQL database, the key of its identity codes, that of its
// clients, and that of its log.
type database struct{ uri, keyFile, clientKeyFile, logKeyFile string }

func newDatabase(t *testing.T) *database {
	t.Helper()
	return newDatabaseAt(t, pgcluster.Shared(t).Database(t))
}

// newDatabaseAt makes the keys for a database that is there.
func newDatabaseAt(t *testing.T, uri string) *database {
	t.Helper()
	dir := t.TempDir()
	d := &database{
		uri: uri, keyFile: filepath.Join(dir, "identity.key"), clientKeyFile: filepath.Join(dir, "client.key"),
		logKeyFile: filepath.Join(dir, "log.key"),
	}
	key := make([]byte, archive.IdentityKeySize)
	_, _ = rand.Read(key)
	g := NewWithT(t)
	g.Expect(os.WriteFile(d.keyFile, key, 0o600)).To(Succeed())
	clientKey, err := clientkey.NewFile()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(d.clientKeyFile, clientKey, 0o600)).To(Succeed())
	g.Expect(replica.MakeLogKey(d.logKeyFile)).To(Succeed())
	return d
}

// useLog reads all rows.
func (d *database) useLog(t *testing.T) []store.LogRow {
	t.Helper()
	s, err := postgres.Open(background, postgres.Options{URI: d.uri, CursorKey: cursorKey(t, d.keyFile)})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return allRows(t, s)
}
