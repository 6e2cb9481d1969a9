// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package rewrap_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/rewrap"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

const (
	registry = "1.2.246.10.99999991.19.0"
	clients  = 1200 // more than two batches
)

var (
	cursorKey = bytes.Repeat([]byte{7}, 32)
	start     = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
)

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

func newFile(t testing.TB) string {
	t.Helper()
	text, err := clientkey.NewFile()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func ringOf(t testing.TB, text string) clientkey.Keyring {
	t.Helper()
	ring, err := clientkey.Parse([]byte(text))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return ring
}

// place is a store of one engine with its data beside.
type place struct {
	store *sqlstore.Store
	db    *sql.DB
	ids   []uuid.UUID
}

func register(t testing.TB, s *sqlstore.Store, ring clientkey.Keyring, n int) uuid.UUID {
	t.Helper()
	id, _, err := s.RegisterClient(t.Context(), registry, storetest.RegistrationUnder(ring, storetest.Hash(n)), start, storetest.Row("a", start))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return id
}

// filled gives a store whose clients are sealed under the ring.
func filled(t testing.TB, name string, ring clientkey.Keyring, n int) *place {
	t.Helper()
	g := NewWithT(t)
	p := &place{}
	var err, dbErr error
	if name == "SQLite" {
		dir := t.TempDir()
		p.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: cursorKey})
		p.db, dbErr = sqlite.OpenFile(t.Context(), dir)
	} else {
		uri := pgcluster.Shared(t).Database(t)
		p.store, err = postgres.Open(t.Context(), postgres.Options{URI: uri, CursorKey: cursorKey})
		p.db, dbErr = postgres.OpenDatabase(t.Context(), uri)
	}
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(dbErr).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = p.db.Close(); _ = p.store.Close() })
	p.ids = make([]uuid.UUID, n)
	for i := range p.ids {
		p.ids[i] = register(t, p.store, ring, i)
	}
	return p
}

// open checks that each client's identifier opens with the ring, and gives the wrapping keys in use.
func (p *place) open(t testing.TB, ring clientkey.Keyring) []string {
	t.Helper()
	g := NewWithT(t)
	for _, id := range p.ids {
		sealed, wrapped, err := p.store.ClientIdentifiers(t.Context(), registry, id)
		g.Expect(err).NotTo(HaveOccurred())
		key, err := ring.Open(id, wrapped)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = key.Unseal("", "", sealed[0].Sealed)
		g.Expect(err).NotTo(HaveOccurred())
	}
	used, err := p.store.WrappingKeys(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	return used
}

func TestARotationInBatchesGoesOnAfterACut(t *testing.T) {
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			g := NewWithT(t)
			formerText, newText := newFile(t), newFile(t)
			former, both, after := ringOf(t, formerText), ringOf(t, newText+formerText), ringOf(t, newText)
			p := filled(t, engine, former, clients)

			report, err := rewrap.Run(t.Context(), p.db, both, rewrap.Options{DryRun: true})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(report).To(Equal(rewrap.Report{Clients: clients, Rewrapped: clients}))
			g.Expect(p.open(t, ringOf(t, formerText))).To(Equal([]string{former.Primary()}), "a dry run changes nothing")

			ctx, cut := context.WithCancel(t.Context())
			report, err = rewrap.Run(ctx, p.db, both, rewrap.Options{Progress: func(int, int) { cut() }})
			g.Expect(err).To(MatchError(context.Canceled))
			g.Expect(report.Rewrapped).To(And(BeNumerically(">", 0), BeNumerically("<", clients)))
			g.Expect(p.open(t, ringOf(t, newText+formerText))).To(ConsistOf(former.Primary(), after.Primary()), "both keys open all, half-way")
			g.Expect(register(t, p.store, both, clients)).NotTo(BeZero(), "an archive goes on meanwhile")

			done, told := 0, 0
			rest, err := rewrap.Run(t.Context(), p.db, both, rewrap.Options{Progress: func(n, total int) { done, told = n, total }})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(rest.Rewrapped).To(Equal(clients - report.Rewrapped))
			g.Expect([]int{done, told}).To(Equal([]int{rest.Rewrapped, rest.Rewrapped}))
			g.Expect(p.open(t, after)).To(Equal([]string{after.Primary()}), "the new key alone opens all")

			again, err := rewrap.Run(t.Context(), p.db, after, rewrap.Options{})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(again).To(Equal(rewrap.Report{Clients: clients + 1}))
		})
	}
}

func TestAKeyThatIsLackingStopsItBeforeAnythingIsChanged(t *testing.T) {
	g := NewWithT(t)
	text := newFile(t)
	former := ringOf(t, text)
	p := filled(t, "SQLite", former, 3)
	_, err := rewrap.Run(t.Context(), p.db, ringOf(t, newFile(t)), rewrap.Options{})
	g.Expect(err).To(MatchError(clientkey.ErrUnknownKey))
	g.Expect(err).To(MatchError(ContainSubstring(former.Primary())))
	g.Expect(p.open(t, former)).To(Equal([]string{former.Primary()}))

	// Neither are those that the ring could open, whose turn would come first.
	otherText := newFile(t)
	for ringOf(t, otherText).Primary() < former.Primary() {
		otherText = newFile(t)
	}
	p.ids = append(p.ids, register(t, p.store, ringOf(t, otherText), 99))
	_, err = rewrap.Run(t.Context(), p.db, ringOf(t, newFile(t)+text), rewrap.Options{})
	g.Expect(err).To(MatchError(clientkey.ErrUnknownKey))
	g.Expect(p.open(t, ringOf(t, text+otherText))).To(Equal([]string{former.Primary(), ringOf(t, otherText).Primary()}))
}

// A damaged data key neither stops the others nor lets the rotation pass for done.
func TestADamagedDataKeyIsLeftAndTold(t *testing.T) {
	g := NewWithT(t)
	formerText, newText := newFile(t), newFile(t)
	p := filled(t, "SQLite", ringOf(t, formerText), 5)
	damaged := p.ids[2]
	_, err := p.db.ExecContext(t.Context(), "UPDATE client_keys SET wrapped = $1 WHERE client_id = $2", make([]byte, 60), damaged[:])
	g.Expect(err).NotTo(HaveOccurred())
	for _, dry := range []bool{true, false} {
		report, err := rewrap.Run(t.Context(), p.db, ringOf(t, newText+formerText), rewrap.Options{DryRun: dry})
		g.Expect(err).To(MatchError(rewrap.ErrLeft))
		g.Expect(report).To(Equal(rewrap.Report{Clients: 5, Rewrapped: 4, Left: []uuid.UUID{damaged}}))
	}
	p.ids = append(p.ids[:2], p.ids[3:]...)
	g.Expect(p.open(t, ringOf(t, newText))).To(HaveLen(2))
}
