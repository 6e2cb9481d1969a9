// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/archive/witness"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string) *sqlstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func log(t testing.TB, s store.Store, n int) {
	t.Helper()
	rows := make([]store.LogRow, n)
	for i := range rows {
		rows[i] = storetest.Row("document.read", start)
	}
	if err := s.AppendLog(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
}

// standIn is a witness that runs here.
type standIn struct {
	client *witness.Client
	down   atomic.Bool
}

func newWitness(t *testing.T, of logproof.Key) *standIn {
	t.Helper()
	g := NewWithT(t)
	skey, vkey, err := note.GenerateKey(rand.Reader, "witness.example/w1")
	g.Expect(err).NotTo(HaveOccurred())
	signer, err := cosign.NewSignerForCosignatureV1(skey)
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(t.TempDir(), "witness.json")
	g.Expect(witness.NewState(file)).To(Succeed())
	state, err := witness.OpenState(file)
	g.Expect(err).NotTo(HaveOccurred())
	w := &standIn{}
	handler := witness.Handler(witness.Options{Logs: []logproof.Verifier{of.Verifier()}, Signer: signer, State: state, Log: logr.Discard()})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.down.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.client, err = witness.NewClient(server.URL+"="+vkey, nil)
	g.Expect(err).NotTo(HaveOccurred())
	return w
}

// cosigned says how many cosignatures the newest checkpoint has, and of how many leaves it is.
func cosigned(t *testing.T, s store.LogProofs, key logproof.Key, w *standIn) (signatures int, size int64) {
	t.Helper()
	last, err := s.LogCheckpoint(t.Context(), "2026-03")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := key.Verifier().Open(last.Note, w.client.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	return len(opened.Cosignatures), opened.Tree.N
}

func TestCheckpointsAreCosignedAndWithoutAWitnessServedStill(t *testing.T) {
	g := NewWithT(t)
	s, key, clock := open(t, t.TempDir()), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	w := newWitness(t, key)
	registry := prometheus.NewRegistry()
	metrics, err := sequencer.NewMetrics(registry)
	g.Expect(err).NotTo(HaveOccurred())
	one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock, Log: logr.Discard(), Metrics: metrics, Witnesses: []sequencer.Witness{w.client}})
	step := func(rows int, signatures int, size int64) {
		t.Helper()
		if rows > 0 {
			log(t, s, rows)
		}
		g.Expect(one.CatchUp(t.Context())).To(Succeed())
		g.Expect(one.Checkpoint(t.Context())).To(Succeed())
		n, of := cosigned(t, s, key, w)
		g.Expect(n).To(Equal(signatures))
		g.Expect(of).To(Equal(size))
		clock.Step(5 * time.Second)
	}
	step(10, 1, 10)
	step(300, 1, 310)
	w.down.Store(true)
	step(10, 0, 320)
	w.down.Store(false)
	step(0, 1, 320) // it is asked again though nothing is new
	step(10, 1, 330)

	scrape := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(scrape, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		"valtuus_archive_log_checkpoint_size 330",
		`valtuus_archive_log_witness_failures_total{witness="witness.example/w1"} 1`,
		`valtuus_archive_log_witness_timestamp_seconds{witness="witness.example/w1"} 1.77235202e+09`,
		"valtuus_archive_log_lag_seconds_count 330",
	} {
		g.Expect(strings.Split(scrape.Body.String(), "\n")).To(ContainElement(line))
	}
}

// The archive's own operator cannot take back what was cosigned: not by an older store, nor by another one.
func TestAWitnessRefusesARolledBackAndAForkedArchive(t *testing.T) {
	g := NewWithT(t)
	dir, key := t.TempDir(), storetest.LogKey(t)
	w := newWitness(t, key)
	checkpoint := func(s store.LogProofs) {
		t.Helper()
		one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clocktesting.NewFakeClock(start), Log: logr.Discard(), Witnesses: []sequencer.Witness{w.client}})
		g.Expect(one.CatchUp(t.Context())).To(Succeed())
		g.Expect(one.Checkpoint(t.Context())).To(Succeed())
	}
	s := open(t, dir)
	log(t, s, 100)
	checkpoint(s)
	g.Expect(s.Close()).To(Succeed())
	older := t.TempDir()
	g.Expect(os.CopyFS(older, os.DirFS(dir))).To(Succeed())
	s = open(t, dir)
	log(t, s, 100)
	checkpoint(s)
	n, _ := cosigned(t, s, key, w)
	g.Expect(n).To(Equal(1))

	back := open(t, older)
	log(t, back, 50)
	checkpoint(back)
	n, size := cosigned(t, back, key, w)
	g.Expect(size).To(BeEquivalentTo(150))
	g.Expect(n).To(BeZero(), "it was rolled back")
	log(t, back, 150)
	checkpoint(back)
	n, _ = cosigned(t, back, key, w)
	g.Expect(n).To(BeZero(), "it is another log now")
}

// A sequencer does not sign a log that is not what was signed before.
func TestARewrittenLogIsNotSigned(t *testing.T) {
	for name, statement := range map[string]string{
		"a tile rewritten": `UPDATE log_tiles SET hashes = zeroblob(320) WHERE level = 0`,
		"leaves taken":     `UPDATE log_months SET size = 9`,
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir, key := t.TempDir(), storetest.LogKey(t)
			s := open(t, dir)
			log(t, s, 10)
			one := storetest.Sequencer(s, key, start)
			g.Expect(one.CatchUp(t.Context())).To(Succeed())
			g.Expect(one.Checkpoint(t.Context())).To(Succeed())
			g.Expect(s.Close()).To(Succeed())
			db, err := sqlite.OpenFile(t.Context(), dir)
			g.Expect(err).NotTo(HaveOccurred())
			_, err = db.ExecContext(t.Context(), statement)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(db.Close()).To(Succeed())
			s = open(t, dir)
			one = storetest.Sequencer(s, key, start)
			if name == "a tile rewritten" {
				log(t, s, 1)
				g.Expect(one.CatchUp(t.Context())).To(Succeed())
			}
			g.Expect(one.Checkpoint(t.Context())).To(MatchError(sequencer.ErrRewritten))
		})
	}
}

// faulty is a store whose disk fills up now and then.
type faulty struct {
	store.LogProofs
	full  atomic.Bool
	tried atomic.Int32
}

func (f *faulty) AppendLeaves(ctx context.Context, batch store.LeafBatch) error {
	if f.full.Load() {
		f.tried.Add(1)
		return store.Unavailable("writing", errors.New("disk full"))
	}
	return f.LogProofs.AppendLeaves(ctx, batch)
}

// It runs in the background, tries again what fails, and lets one replica at a time do the work.
func TestItGoesOnWhenTheDiskHasSpaceAgain(t *testing.T) {
	g := NewWithT(t)
	s, key, clock := open(t, t.TempDir()), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	disk := &faulty{LogProofs: s}
	disk.full.Store(true)
	metrics, err := sequencer.NewMetrics(prometheus.NewRegistry())
	g.Expect(err).NotTo(HaveOccurred())
	for _, holder := range []string{"archive-0", "archive-1"} {
		one := sequencer.New(sequencer.Options{Store: disk, Key: key, Holder: holder, Clock: clock, Log: logr.Discard(), Metrics: metrics})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- one.Run(ctx) }()
		t.Cleanup(func() { stop(); g.Expect(<-done).To(Succeed()) })
	}
	log(t, s, 300)
	step := func() { clock.Step(time.Second) }
	g.Eventually(func() int32 { step(); return disk.tried.Load() }).Should(BeNumerically(">", 3))
	disk.full.Store(false)
	g.Eventually(func() (int64, error) {
		step()
		last, err := s.LogCheckpoint(t.Context(), "2026-03")
		return last.Size, err
	}).Should(BeEquivalentTo(300))
	storetest.CheckLog(t, s, 300, 0)
}

// TestASequencerThatEndsLeavesItsLease: another takes over at once, and not when the lease has run out.
func TestASequencerThatEndsLeavesItsLease(t *testing.T) {
	g := NewWithT(t)
	s, clock := open(t, t.TempDir()), clocktesting.NewFakeClock(start)
	metrics, err := sequencer.NewMetrics(prometheus.NewRegistry())
	g.Expect(err).NotTo(HaveOccurred())
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- sequencer.New(sequencer.Options{
			Store: s, Key: storetest.LogKey(t), Holder: "leaving", Clock: clock, Metrics: metrics, Log: logr.Discard(),
		}).Run(ctx)
	}()
	takes := func() bool {
		taken, err := s.TakeLogLease(t.Context(), "coming", clock.Now(), clock.Now().Add(time.Minute))
		g.Expect(err).NotTo(HaveOccurred())
		return taken
	}
	log(t, s, 1)
	g.Eventually(func() (int64, error) { // it holds the lease
		clock.Step(time.Second)
		state, err := s.LogState(t.Context())
		return state.Size, err
	}).Should(Equal(int64(1)))
	g.Expect(takes()).To(BeFalse())
	end()
	g.Expect(<-ended).To(Succeed())
	g.Expect(takes()).To(BeTrue())
}
