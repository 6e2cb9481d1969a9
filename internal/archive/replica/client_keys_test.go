// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// openOnce opens the storage, does something with it and closes it.
func openOnce(t *testing.T, s Storage, do func(*opened)) error {
	t.Helper()
	o, err := s.open(t.Context(), nil)
	if err != nil {
		return err
	}
	if do != nil {
		do(o)
	}
	return o.close()
}

// sealOne registers a client under the storage's keys.
func sealOne(t *testing.T) func(*opened) {
	return func(o *opened) {
		t.Helper()
		at := time.Now()
		registration := storetest.RegistrationUnder(o.clientKeys, storetest.Hash(1))
		_, _, err := o.RegisterClient(t.Context(), "1.2.246.10.99999991.19.0", registration, at, storetest.Row("a", at))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
	}
}

func newKeyFile(t *testing.T) string {
	t.Helper()
	text, err := clientkey.NewFile()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func TestTheClientKeyIsMadeOnceAndKept(t *testing.T) {
	g := NewWithT(t)
	s := Storage{DataDir: filepath.Join(t.TempDir(), "data")}
	g.Expect(openOnce(t, s, sealOne(t))).To(Succeed())
	file := filepath.Join(s.DataDir, clientKeyFile)
	first, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	info, err := os.Stat(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)))
	g.Expect(openOnce(t, s, sealOne(t))).To(Succeed())
	g.Expect(os.ReadFile(file)).To(Equal(first))
}

// A store from before identifiers were kept has no data key: it gets a key file when it is opened.
func TestAStoreWithoutDataKeysGetsAClientKey(t *testing.T) {
	g := NewWithT(t)
	s := Storage{DataDir: filepath.Join(t.TempDir(), "data")}
	g.Expect(openOnce(t, s, nil)).To(Succeed())
	g.Expect(os.Remove(filepath.Join(s.DataDir, clientKeyFile))).To(Succeed())
	g.Expect(openOnce(t, s, sealOne(t))).To(Succeed())
}

// Once a client is sealed under a key, nothing starts without that key, and no other is made in its place.
func TestALostOrDamagedClientKeyIsRefused(t *testing.T) {
	g := NewWithT(t)
	own := newKeyFile(t)
	file := filepath.Join(t.TempDir(), "keys")
	g.Expect(os.WriteFile(file, []byte(own), 0o600)).To(Succeed())
	s := Storage{DataDir: filepath.Join(t.TempDir(), "data"), ClientKeyFile: file}
	g.Expect(openOnce(t, s, sealOne(t))).To(Succeed())
	ring, err := clientkey.Parse([]byte(own))
	g.Expect(err).NotTo(HaveOccurred())

	for name, c := range map[string]struct{ content, want string }{
		"another key":        {newKeyFile(t), "lacks the key " + ring.Primary()},
		"short":              {own[:20] + "\n", clientkey.ErrMalformed.Error()},
		"empty":              {"", clientkey.ErrNoKey.Error()},
		"cut in a second":    {own + own[:20], clientkey.ErrMalformed.Error()},
		"the same key twice": {own + own, clientkey.ErrTwice.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(os.WriteFile(file, []byte(c.content), 0o600)).To(Succeed())
			err := openOnce(t, s, nil)
			g.Expect(err).To(MatchError(ContainSubstring(c.want)))
			if line := strings.TrimSpace(c.content); line != "" {
				g.Expect(err.Error()).NotTo(ContainSubstring(line), "the key is told")
			}
		})
	}
	g.Expect(os.WriteFile(file, []byte(newKeyFile(t)+own), 0o600)).To(Succeed())
	g.Expect(openOnce(t, s, sealOne(t))).To(Succeed(), "a new primary with the former behind it")
	g.Expect(os.Remove(file)).To(Succeed())
	g.Expect(openOnce(t, s, nil)).To(MatchError(ContainSubstring("put the file back")))

	embedded := Storage{DataDir: s.DataDir}
	g.Expect(openOnce(t, embedded, nil)).To(MatchError(ContainSubstring(ring.Primary())))
	g.Expect(filepath.Join(s.DataDir, clientKeyFile)).NotTo(BeAnExistingFile())
}

func TestANamedClientKeyFileIsNotMade(t *testing.T) {
	g := NewWithT(t)
	s := Storage{DataDir: filepath.Join(t.TempDir(), "data"), ClientKeyFile: filepath.Join(t.TempDir(), "missing")}
	g.Expect(openOnce(t, s, nil)).To(MatchError(os.ErrNotExist))
	g.Expect(s.ClientKeyFile).NotTo(BeAnExistingFile())
}

func TestADatabaseNeedsAClientKeyFile(t *testing.T) {
	s := Storage{DataDir: t.TempDir(), PostgresURI: "postgres://nobody@localhost:1/none"}
	NewWithT(t).Expect(openOnce(t, s, nil)).To(MatchError(errNoClientKeyFile))
}
