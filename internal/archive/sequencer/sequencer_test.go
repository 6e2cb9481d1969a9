// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
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

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(time.Minute)
	os.Exit(m.Run())
}

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
	asked  atomic.Int32
	opts   witness.Options
}

// follow lets the witness, started again, follow other logs or keys with what it remembers.
func (w *standIn) follow(logs ...logproof.Verifier) { w.opts.Logs = logs }

func newWitness(t *testing.T, of logproof.Key) *standIn {
	t.Helper()
	return newWitnessNamed(t, of, "witness.example/w1")
}

func newWitnessNamed(t *testing.T, of logproof.Key, name string) *standIn {
	t.Helper()
	g := NewWithT(t)
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	g.Expect(err).NotTo(HaveOccurred())
	signer, err := cosign.NewSignerForCosignatureV1(skey)
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(t.TempDir(), "witness.json")
	g.Expect(witness.NewState(file)).To(Succeed())
	state, err := witness.OpenState(file)
	g.Expect(err).NotTo(HaveOccurred())
	w := &standIn{}
	w.opts = witness.Options{Logs: []logproof.Verifier{of.Verifier()}, Signer: signer, State: state, Log: logr.Discard()}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		if w.down.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		witness.Handler(w.opts).ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.client, err = witness.NewClient(server.URL+"="+vkey, nil)
	g.Expect(err).NotTo(HaveOccurred())
	return w
}

// inMonth gives the newest checkpoint of a month, opened for these witnesses.
func inMonth(t *testing.T, s store.LogProofs, key logproof.Key, month string, of ...*standIn) logproof.Checkpoint {
	t.Helper()
	last, err := s.LogCheckpoint(t.Context(), month)
	if err != nil {
		t.Fatal(err)
	}
	var verifiers []note.Verifier
	for _, w := range of {
		verifiers = append(verifiers, w.client.Verifier())
	}
	opened, err := key.Verifier().Open(last.Note, verifiers...)
	if err != nil {
		t.Fatal(err)
	}
	return opened
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

	run, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- one.Run(run) }()
	g.Eventually(func() string {
		clock.Step(time.Second)
		return gathered(t, registry)
	}).Should(MatchRegexp(`witness_timestamp_seconds\{witness="witness.example/w1"\} [1-9]`))
	stop()
	g.Expect(<-done).To(Succeed())
	scraped := gathered(t, registry)
	for _, line := range []string{
		"valtuus_archive_log_checkpoint_size 330",
		`valtuus_archive_log_witness_failures_total{witness="witness.example/w1"} 1`,
		"valtuus_archive_log_lag_seconds_count 330",
		"valtuus_archive_log_leads 1",
	} {
		g.Expect(strings.Split(scraped, "\n")).To(ContainElement(line))
	}
	// The witness's own clock: it is the one of this machine.
	at := regexp.MustCompile(`witness_timestamp_seconds\{witness="witness.example/w1"\} (\S+)`).FindStringSubmatch(scraped)
	g.Expect(at).To(HaveLen(2), scraped)
	seconds, err := strconv.ParseFloat(at[1], 64)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(time.Unix(int64(seconds), 0)).To(BeTemporally("~", time.Now(), time.Hour))
}

// leaving is a witness that is asked as the sequencer ends.
type leaving struct {
	*witness.Client
	end func()
}

func (l *leaving) Cosign(ctx context.Context, checkpoint logproof.Checkpoint, consistency func(int64) (tlog.TreeProof, error)) ([]byte, error) {
	l.end()
	return l.Client.Cosign(ctx, checkpoint, consistency)
}

func TestAnEndOfTheSequencerIsNoFailureOfAWitness(t *testing.T) {
	g := NewWithT(t)
	s, key := open(t, t.TempDir()), storetest.LogKey(t)
	registry := prometheus.NewRegistry()
	metrics, err := sequencer.NewMetrics(registry)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, end := context.WithCancel(t.Context())
	one := sequencer.New(sequencer.Options{
		Store: s, Key: key, Clock: clocktesting.NewFakeClock(start), Log: logr.Discard(), Metrics: metrics,
		Witnesses: []sequencer.Witness{&leaving{newWitness(t, key).client, end}},
	})
	log(t, s, 10)
	g.Expect(one.CatchUp(ctx)).To(Succeed())
	g.Expect(one.Checkpoint(ctx)).To(MatchError(context.Canceled))
	g.Expect(gathered(t, registry)).To(ContainSubstring("valtuus_archive_log_witness_failures_total{witness=\"witness.example/w1\"} 0\n"))
}

func gathered(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	scrape := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(scrape, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return scrape.Body.String()
}

// A witness that was away cosigns what it has missed, in months that are over too; what others have said of the same
// tree stays.
func TestFormerMonthsAreCosignedInTheEnd(t *testing.T) {
	g := NewWithT(t)
	s, key, clock := open(t, t.TempDir()), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	first, second := newWitnessNamed(t, key, "witness.example/w1"), newWitnessNamed(t, key, "witness.example/w2")
	one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock, Log: logr.Discard(), Witnesses: []sequencer.Witness{first.client, second.client}})
	turn := func() {
		t.Helper()
		g.Expect(one.CatchUp(t.Context())).To(Succeed())
		g.Expect(one.Checkpoint(t.Context())).To(Succeed())
	}
	second.down.Store(true)
	log(t, s, 300)
	turn()
	clock.SetTime(start.AddDate(0, 1, 0))
	log(t, s, 1)
	turn()
	g.Expect(inMonth(t, s, key, "2026-03", first, second).Cosignatures).To(HaveLen(1))
	second.down.Store(false)
	clock.Step(30 * time.Second)
	turn()
	g.Expect(inMonth(t, s, key, "2026-03", first, second).Cosignatures).To(HaveLen(1), "it is asked once in a while")
	clock.Step(time.Minute)
	first.down.Store(true)
	turn()
	g.Expect(inMonth(t, s, key, "2026-03", first, second).Cosignatures).To(HaveLen(2))
	asked := second.asked.Load()
	for range 3 {
		clock.Step(2 * time.Hour)
		turn()
	}
	g.Expect(second.asked.Load()-asked).To(BeNumerically("<=", 3), "once a turn for the newest month alone")

	// The newest month is asked for anew, so that the age of what the witnesses say shows; one that is away now has
	// still said what it has said.
	g.Expect(inMonth(t, s, key, "2026-04", first, second).Cosignatures).To(HaveLen(2))
}

// A witness that has refused a month for long is not asked about it all the time.
func TestAWitnessThatRefusesAFormerMonthIsAskedLessAndLess(t *testing.T) {
	g := NewWithT(t)
	s, key, clock := open(t, t.TempDir()), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	w := newWitness(t, key)
	w.down.Store(true)
	one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock, Log: logr.Discard(), Witnesses: []sequencer.Witness{w.client}})
	for _, at := range []time.Time{start, start.AddDate(0, 1, 0)} {
		clock.SetTime(at)
		log(t, s, 1)
		g.Expect(one.CatchUp(t.Context())).To(Succeed())
		g.Expect(one.Checkpoint(t.Context())).To(Succeed())
	}
	w.asked.Store(0)
	turns := int32(0)
	for range 24 * 60 {
		clock.Step(time.Minute)
		g.Expect(one.Checkpoint(t.Context())).To(Succeed())
		turns++
	}
	g.Expect(w.asked.Load()-turns).To(BeNumerically("~", 29, 3), "about the newest each minute, about the other at last each hour")
}

// What is wrong with one month does not keep the others from being provable.
func TestAMonthThatIsWrongDoesNotStopTheOthers(t *testing.T) {
	g := NewWithT(t)
	dir, key, clock := t.TempDir(), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	s := open(t, dir)
	log(t, s, 10)
	one := storetest.Sequencer(s, key, start)
	g.Expect(one.CatchUp(t.Context())).To(Succeed())
	g.Expect(one.Checkpoint(t.Context())).To(Succeed())
	g.Expect(s.Close()).To(Succeed())
	db, err := sqlite.OpenFile(t.Context(), dir)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = db.ExecContext(t.Context(), `UPDATE log_months SET size = 9`)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(db.Close()).To(Succeed())
	s = open(t, dir)
	clock.SetTime(start.AddDate(0, 1, 0))
	log(t, s, 3)
	one = sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock, Log: logr.Discard()})
	g.Expect(one.CatchUp(t.Context())).To(Succeed())
	g.Expect(one.Checkpoint(t.Context())).To(MatchError(sequencer.ErrRewritten))
	g.Expect(inMonth(t, s, key, "2026-04").Tree.N).To(BeEquivalentTo(3))
}

// While a key takes the place of another both sign, months that are over too; the last word of the former alone stays.
func TestASecondKeySignsWhatTheFirstHasSigned(t *testing.T) {
	g := NewWithT(t)
	s, clock := open(t, t.TempDir()), clocktesting.NewFakeClock(start)
	formerText, err := logproof.NewKey(rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	bothText, err := logproof.AddKey(rand.Reader, formerText)
	g.Expect(err).NotTo(HaveOccurred())
	parse := func(text string) logproof.Key {
		key, err := logproof.ParseKey(text, uuid.Nil)
		g.Expect(err).NotTo(HaveOccurred())
		return key
	}
	former, both, fresh := parse(formerText), parse(bothText), parse(strings.SplitAfter(bothText, "\n")[0])
	w := newWitness(t, former)
	running := map[string]*sequencer.Sequencer{}
	turn := func(key logproof.Key) error {
		one := running[fmt.Sprint(key.Verifier().Keys())]
		if one == nil {
			one = sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock, Log: logr.Discard(), Witnesses: []sequencer.Witness{w.client}})
			running[fmt.Sprint(key.Verifier().Keys())] = one
		}
		g.Expect(one.CatchUp(t.Context())).To(Succeed())
		return one.Checkpoint(t.Context())
	}
	log(t, s, 5)
	g.Expect(turn(former)).To(Succeed())
	clock.SetTime(start.AddDate(0, 1, 0))
	for range 2 { // the second one is not the hour's
		log(t, s, 4)
		g.Expect(turn(former)).To(Succeed())
	}
	g.Expect(turn(fresh)).To(MatchError(logproof.ErrSignature), "nobody else may go on")

	clock.Step(time.Minute)
	log(t, s, 2)
	g.Expect(turn(both)).To(Succeed())
	for month, size := range map[string]int64{"2026-03": 5, "2026-04": 10} {
		for _, key := range []logproof.Key{former, fresh} {
			opened := inMonth(t, s, key, month, w)
			g.Expect(opened.Tree.N).To(Equal(size))
			g.Expect(opened.Cosignatures).To(HaveLen(1), "%s, for who knows the witness", month)
		}
	}
	clock.Step(time.Minute)
	log(t, s, 2)
	g.Expect(turn(fresh)).To(Succeed(), "the former key's time is over")
	clock.Step(2 * time.Hour)
	log(t, s, 2)
	g.Expect(turn(fresh)).To(Succeed())
	kept, err := s.LogCheckpoints(t.Context(), "2026-04", 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(kept[1].Size).To(BeEquivalentTo(8))
	_, err = fresh.Verifier().Open(kept[1].Note)
	g.Expect(err).To(MatchError(logproof.ErrSignature))
	_, err = former.Verifier().Open(kept[1].Note)
	g.Expect(err).NotTo(HaveOccurred())
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
	log(t, s, 1)
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
	g.Eventually(clock.HasWaiters).Should(BeTrue())
	clock.Step(time.Second)              // no more: the lease ends by this clock
	g.Eventually(func() (int64, error) { // it holds the lease
		state, err := s.LogState(t.Context())
		return state.Size, err
	}).Should(Equal(int64(1)))
	g.Expect(takes()).To(BeFalse())
	end()
	g.Expect(<-ended).To(Succeed())
	g.Expect(takes()).To(BeTrue())
}

// endless is a store in which new rows come as fast as others get their leaves, a batch a second.
type endless struct {
	store.LogProofs
	more func()
}

func (e *endless) AppendLeaves(ctx context.Context, batch store.LeafBatch) error {
	err := e.LogProofs.AppendLeaves(ctx, batch)
	e.more()
	return err
}

// Leaves that no checkpoint covers prove nothing to anybody.
func TestCheckpointsAreMadeWhileRowsComeWithoutEnd(t *testing.T) {
	g := NewWithT(t)
	s, key, clock := open(t, t.TempDir()), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	log(t, s, 100)
	from := &endless{LogProofs: s, more: func() { log(t, s, 64); clock.Step(time.Second) }}
	one := sequencer.New(sequencer.Options{Store: from, Key: key, Clock: clock, Log: logr.Discard()})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- one.Run(ctx) }()
	size := int64(0)
	for range 2 { // and again
		g.Eventually(func() (int64, error) {
			if !clock.HasWaiters() {
				return 0, nil
			}
			clock.Step(time.Second)
			last, err := s.LogCheckpoint(t.Context(), "2026-03")
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return last.Size, err
		}).Should(BeNumerically(">", size))
		last, err := s.LogCheckpoint(t.Context(), "2026-03")
		g.Expect(err).NotTo(HaveOccurred())
		size = last.Size
	}
	stop()
	g.Expect(<-done).To(Succeed())
	waiting, _, err := s.LogBacklog(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(waiting).To(BeNumerically(">=", 64), "there was no pause in which to make them")
}

// A clock that is set back and forward between batches, over the ends of months too, breaks neither a chain nor a tree,
// and the witness goes on cosigning.
func TestAClockThatIsSteppedBreaksNothing(t *testing.T) {
	g := NewWithT(t)
	s, key, clock := open(t, t.TempDir()), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	w := newWitness(t, key)
	clients := []uuid.UUID{uuid.New(), uuid.New()}
	var follower storetest.Follower
	rows := 0
	newest := ""
	for _, step := range []time.Duration{
		0, -time.Hour, 2 * time.Hour, -400 * 24 * time.Hour, 400 * 24 * time.Hour, 40 * 24 * time.Hour, -40 * 24 * time.Hour,
		-time.Second, 75 * 24 * time.Hour, -75 * 24 * time.Hour, time.Second,
	} {
		clock.SetTime(clock.Now().Add(step))
		for i := range 70 {
			row := storetest.Row("document.read", clock.Now())
			row.ClientID = clients[i%2]
			g.Expect(s.AppendLog(t.Context(), row)).To(Succeed())
			rows++
		}
		// One that starts now, and knows nothing of the time before.
		one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock, Log: logr.Discard(), Witnesses: []sequencer.Witness{w.client}})
		g.Expect(one.CatchUp(t.Context())).To(Succeed())
		g.Expect(one.Checkpoint(t.Context())).To(Succeed())
		found, err := follower.Follow(t.Context(), s)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found).To(BeEmpty())
		g.Expect(follower.Leaves).To(Equal(rows))
		state, err := s.LogState(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(state.Month >= newest).To(BeTrue(), "no month that is over gets another leaf")
		newest = state.Month
		last, err := s.LogCheckpoint(t.Context(), state.Month)
		g.Expect(err).NotTo(HaveOccurred())
		opened, err := key.Verifier().Open(last.Note, w.client.Verifier())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(opened.Tree.N).To(Equal(state.Size))
		g.Expect(opened.Cosignatures).To(HaveLen(1))
	}
	g.Expect(newest).To(Equal("2026-05"))
}
