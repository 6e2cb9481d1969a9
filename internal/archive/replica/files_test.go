// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
)

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(time.Minute)
	os.Exit(m.Run())
}

func TestTheIdentityKeyIsMadeOnceAndKept(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "data")
	first, err := loadIdentityKey(dir)
	g.Expect(err).NotTo(HaveOccurred())
	again, err := loadIdentityKey(dir)
	g.Expect(err).NotTo(HaveOccurred())
	one, err := first.CursorKey()
	g.Expect(err).NotTo(HaveOccurred())
	two, err := again.CursorKey()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(two).To(Equal(one))
	info, err := os.Stat(filepath.Join(dir, identityKeyFile))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)))
}

// A store without its key must not get another: no client would be found again, and each would be registered twice.
func TestAStoreWithoutItsKeyIsRefused(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, sqlite.FileName), nil, 0o600)).To(Succeed())
	_, err := loadIdentityKey(dir)
	g.Expect(err).To(MatchError(ContainSubstring("restore it from the backup")))
	g.Expect(filepath.Join(dir, identityKeyFile)).NotTo(BeAnExistingFile())
}

func TestADamagedKeyIsRefused(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, identityKeyFile), []byte("short"), 0o600)).To(Succeed())
	_, err := loadIdentityKey(dir)
	g.Expect(err).To(MatchError(archive.ErrIdentityKey))
}
