// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

func TestRewrap(t *testing.T) {
	g := NewWithT(t)
	data := filepath.Join(t.TempDir(), "data")
	former, err := clientkey.NewFile()
	g.Expect(err).NotTo(HaveOccurred())
	next, err := clientkey.NewFile()
	g.Expect(err).NotTo(HaveOccurred())
	formerRing, err := clientkey.Parse(former)
	g.Expect(err).NotTo(HaveOccurred())
	nextRing, err := clientkey.Parse(next)
	g.Expect(err).NotTo(HaveOccurred())

	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: data, CursorKey: copyKey})
	g.Expect(err).NotTo(HaveOccurred())
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for n := range 7 {
		_, _, err := s.RegisterClient(t.Context(), copied, storetest.RegistrationUnder(formerRing, storetest.Hash(n)), at, storetest.Row("a", at))
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(s.Close()).To(Succeed())
	used := func() []string {
		ids, err := openArchive(t, data).WrappingKeys(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		return ids
	}

	keyFile := filepath.Join(data, "client.key")
	status, _, errs := run("archive", "rewrap", "--data-dir", data)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("no such file"))
	g.Expect(os.WriteFile(keyFile, next, 0o600)).To(Succeed())
	status, _, errs = run("archive", "rewrap", "--data-dir", data)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring(formerRing.Primary()), "the former key is lacking")
	g.Expect(os.WriteFile(keyFile, append(next, former...), 0o600)).To(Succeed())

	unlock, err := sqlite.Lock(data)
	g.Expect(err).NotTo(HaveOccurred())
	status, _, errs = run("archive", "rewrap", "--data-dir", data)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("in use by another process"))
	g.Expect(unlock()).To(Succeed())

	status, out, errs := run("archive", "rewrap", "--data-dir", data, "--dry-run")
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("7 of 7 data keys would be wrapped again"))
	g.Expect(used()).To(Equal([]string{formerRing.Primary()}))
	status, out, errs = run("archive", "rewrap", "--data-dir", data)
	g.Expect(status).To(Equal(0), errs)
	g.Expect(out).To(ContainSubstring("7 of 7 data keys wrapped again, under the key " + nextRing.Primary()))
	g.Expect(errs).To(ContainSubstring("rewrap: 7 of 7 data keys"), "progress is told")
	g.Expect(used()).To(Equal([]string{nextRing.Primary()}))
	for _, key := range [][]byte{former, next} {
		g.Expect(out + errs).NotTo(ContainSubstring(strings.TrimSpace(string(key))))
	}

	missing := filepath.Join(t.TempDir(), "missing")
	status, _, errs = run("archive", "rewrap", "--data-dir", missing, "--client-key-file", keyFile)
	g.Expect(status).To(Equal(1))
	g.Expect(errs).To(ContainSubstring("no such file"))
	g.Expect(missing).NotTo(BeADirectory(), "a mistyped directory is not made")
}
