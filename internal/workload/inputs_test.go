// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/logproof"
)

func TestNewKeysAreThoseThatAnArchiveTakes(t *testing.T) {
	g := NewWithT(t)
	keys, err := NewKeys()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(keys).To(HaveLen(3))
	g.Expect(CheckKeys(keys)).To(Succeed())
	_, err = archive.NewIdentityKey(keys[IdentityKey])
	g.Expect(err).NotTo(HaveOccurred())
	_, err = clientkey.Parse(keys[ClientKey])
	g.Expect(err).NotTo(HaveOccurred())
	_, err = logproof.ParseKey(string(keys[LogKey]), uuid.New())
	g.Expect(err).NotTo(HaveOccurred())
	others, err := NewKeys()
	g.Expect(err).NotTo(HaveOccurred())
	for name := range keys {
		g.Expect(others[name]).NotTo(Equal(keys[name]), name)
	}
}

func TestDamagedKeysAreToldWithoutTellingThem(t *testing.T) {
	for _, name := range []string{ClientKey, IdentityKey, LogKey} {
		g := NewWithT(t)
		keys, err := NewKeys()
		g.Expect(err).NotTo(HaveOccurred())
		rest := string(keys[name][5:])
		keys[name] = keys[name][:len(keys[name])-5]
		g.Expect(CheckKeys(keys)).To(MatchError(SatisfyAll(ContainSubstring(name), Not(ContainSubstring(rest[:10])))))
		delete(keys, name)
		g.Expect(CheckKeys(keys)).To(MatchError(ContainSubstring(name)))
	}
}

func TestThePortsOfADatabaseAreReadFromItsURI(t *testing.T) {
	for uri, want := range map[string][]int32{
		"postgresql://app:secret@documents-rw.platform:5432/app":    {5432},
		"postgres://app:secret@documents-rw.platform/app\n":         {5432},
		"postgres://app:p%40ss@a:5433,b:5434,c/app?sslmode=require": {5432, 5433, 5434},
		"postgresql://app@[fd00::1]:6432/app":                       {6432},
		"postgresql://app@[fd00::1]/app":                            {5432},
		"postgresql://app@db/app?port=7000":                         {7000},
		"postgresql://app@db:6000/app?sslmode=disable&port=7000":    {7000},
		"postgresql://app:a:b@db:6000":                              {6000},
	} {
		t.Run(uri, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(DatabasePorts(uri)).To(Equal(want))
			g.Expect(portsByDriver(t, uri)).To(Equal(want), "as the archive's driver reads it")
		})
	}
	for _, uri := range []string{
		"", "secret", "host=db password=secret", "https://app:secret@db/app", "postgres://app:secret@db:0/app",
		"postgres://app:secret@db:x/app", "postgres://app:secret@db:70000/app", "postgres://app:secret@db/app?%zz",
	} {
		_, err := DatabasePorts(uri)
		NewWithT(t).Expect(err).To(MatchError(Not(ContainSubstring("secret"))), uri)
	}
}

func portsByDriver(t testing.TB, uri string) []int32 {
	t.Helper()
	config, err := pgconn.ParseConfig(strings.TrimSpace(uri))
	if err != nil {
		t.Fatal(err)
	}
	ports := []int32{int32(config.Port)}
	for _, other := range config.Fallbacks {
		ports = append(ports, int32(other.Port))
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

func FuzzDatabasePorts(f *testing.F) {
	f.Add("postgresql://app:secret@a:1,b:2/app?port=3")
	f.Add("postgres://@:/")
	f.Fuzz(func(t *testing.T, uri string) {
		ports, err := DatabasePorts(uri)
		if err == nil && len(ports) == 0 {
			t.Errorf("%q has no port", uri)
		}
		for _, number := range ports {
			if number < 1 || number > 65535 {
				t.Errorf("%q has port %d", uri, number)
			}
		}
	})
}
