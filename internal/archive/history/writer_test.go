// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

var errAway = errors.New("the store is away")

// faultyStore is the real store, which can be away or stay away after some writes.
type faultyStore struct {
	*sqlstore.Store
	mutex  sync.Mutex
	away   bool
	after  int // how many writes go through; all of them when negative
	writes int
}

func (s *faultyStore) set(away bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.away = away
}

func (s *faultyStore) count() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.writes
}

func (s *faultyStore) AppendRelationshipStates(ctx context.Context, sightings []store.Sighting) (int, error) {
	s.mutex.Lock()
	away := s.away || len(sightings) > 0 && s.after >= 0 && s.writes >= s.after
	if !away && len(sightings) > 0 {
		s.writes++
	}
	s.mutex.Unlock()
	if away {
		return 0, errAway
	}
	return s.Store.AppendRelationshipStates(ctx, sightings)
}

func (s *faultyStore) LastRelationshipStates(ctx context.Context, objects []string) ([]store.RelationshipState, error) {
	s.mutex.Lock()
	away := s.away
	s.mutex.Unlock()
	if away {
		return nil, errAway
	}
	return s.Store.LastRelationshipStates(ctx, objects)
}

// process is a process of the archive: a view, fed by the test, and a writer.
type process struct {
	*Writer
	t     *testing.T
	view  *index.Index
	store *faultyStore
	stop  func()
}

// log is what all writers of a test have logged.
type log struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (l *log) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

var logged log

func openStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), CursorKey: make([]byte, 32)})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(time.Minute)
	os.Exit(m.Run())
}

// start starts a process whose view is loaded with the relationships.
func start(t *testing.T, s *faultyStore, there ...index.Relationship) *process {
	t.Helper()
	return startAsOf(t, time.Now(), s, there...)
}

// startAsOf starts one whose view is proven as of an instant.
func startAsOf(t *testing.T, proven time.Time, s *faultyStore, there ...index.Relationship) *process {
	t.Helper()
	world := indextest.New()
	world.Relationships = there
	world.ProvenAt = proven
	p := &process{t: t, view: world.Index(), store: s}
	p.Writer = New(Options{Store: s, Index: p.view, Clock: clock.RealClock{}, Log: funcr.New(func(prefix, args string) {
		logged.mutex.Lock()
		defer logged.mutex.Unlock()
		logged.text.WriteString(prefix + args + "\n")
	}, funcr.Options{Verbosity: 9})})
	p.doubt, p.most = 0, 1000
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(p.stop)
	return p
}

// settled waits until nothing waits and no comparison is due.
func (p *process) settled() {
	p.t.Helper()
	NewWithT(p.t).Eventually(func() bool {
		states, _ := p.Waiting()
		p.mutex.Lock()
		defer p.mutex.Unlock()
		return states == 0 && p.compareAt.After(time.Now())
	}, "90s", "5ms").Should(BeTrue())
}

// sees feeds a relationship.
func (p *process) sees(r index.Relationship) {
	p.t.Helper()
	_, err := p.view.UpsertRelationship(r)
	NewWithT(p.t).Expect(err).NotTo(HaveOccurred())
	p.view.SetFreshness(time.Now())
	p.Observe(objectOf(r), false)
}

// seesGone feeds a deletion.
func (p *process) seesGone(r index.Relationship) {
	p.view.Delete(index.Relationships, r.UID, r.Revision)
	p.view.SetFreshness(time.Now())
	p.Observe(objectOf(r), true)
}

func objectOf(r index.Relationship) *v1alpha1.ServiceRelationship {
	o := &v1alpha1.ServiceRelationship{}
	o.UID, o.ResourceVersion = types.UID(uuid.UUID(r.UID).String()), strconv.FormatUint(r.Revision, 10)
	return o
}

// relationship is one of the world, with a client and UID by number.
func relationship(n int, revision uint64, edit ...func(*index.Relationship)) index.Relationship {
	r := indextest.Relationship()
	r.UID, r.Revision, r.End = access.UID{1, byte(n >> 16), byte(n >> 8), byte(n)}, revision, time.Time{}
	r.Key.Name, r.Document = fmt.Sprint("c", n), index.DocumentID{2, byte(n)}
	for _, e := range edit {
		e(&r)
	}
	return r
}

func endsAt(at time.Time) func(*index.Relationship) {
	return func(r *index.Relationship) { r.End = at }
}

// states are all recorded ones of the client.
func states(t *testing.T, s store.RelationshipHistory) []store.RelationshipState {
	t.Helper()
	q := store.RelationshipHistoryQuery{Registry: indextest.RegistryOID, ClientID: uuid.UUID(indextest.Client(1)), Limit: store.MaxPage}
	var all []store.RelationshipState
	for {
		page, err := s.RelationshipStates(t.Context(), q)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		all = append(all, page.States...)
		if q.After = page.Next; q.After == nil {
			return all
		}
	}
}

// said tells states in short.
func brief(all []store.RelationshipState) (lines []string) {
	for _, s := range all {
		line := fmt.Sprint(s.Ordinal, "@", s.Revision)
		if !s.Accepted {
			line += " unaccepted"
		}
		if !s.End.IsZero() {
			line += " ended"
		}
		if s.Deleted {
			line += " deleted"
		}
		if s.Missed {
			line += " missed"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestEachStateThatSaysSomethingIsRecordedOnce(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	p := start(t, s)
	p.settled()
	before := time.Now().Truncate(time.Microsecond)
	unaccepted := func(r *index.Relationship) { r.Accepted = false }
	p.sees(relationship(1, 1000, unaccepted))
	p.sees(relationship(1, 1001))
	p.sees(relationship(1, 1002)) // a status that says nothing of the right
	p.sees(relationship(1, 1002)) // told twice
	ended := relationship(1, 1003, endsAt(indextest.Now))
	p.sees(ended)
	ended.Revision++
	ended.Deleting = true
	p.sees(ended)
	ended.Revision++
	p.seesGone(ended)
	p.settled()
	got := states(t, s)
	g.Expect(brief(got)).To(Equal([]string{"1@1000 unaccepted", "2@1001", "3@1003 ended", "4@1004 ended deleted"}))
	for _, state := range got {
		g.Expect(state.Recorded).To(BeTemporally(">=", before))
		g.Expect(state.Recorded).To(BeTemporally("<=", time.Now()))
		g.Expect(state.Registry).To(Equal(indextest.RegistryOID))
		g.Expect(state.Unit).To(Equal(indextest.UnitOID))
		g.Expect(state.ServiceTasks).To(Equal([]string{indextest.OtherTask, indextest.Task}))
		g.Expect(state.Start).To(BeTemporally("==", indextest.Relationship().Start))
		g.Expect(state.DocumentID).To(Equal(uuid.UUID(ended.Document)))
	}
}

func TestARestartWithNothingChangedRecordsNothing(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	var there []index.Relationship
	for n := range 1200 {
		there = append(there, relationship(n, uint64(1000+n)))
	}
	p := start(t, s, there...)
	p.settled()
	want := states(t, s)
	g.Expect(want).To(HaveLen(1200))
	g.Expect(want[0].Missed).To(BeTrue(), "when they came is not known")
	p.stop()
	writes := s.count()
	p = start(t, s, there...)
	p.settled()
	p.Relisted()
	p.settled()
	g.Expect(s.count()).To(Equal(writes))
	g.Expect(states(t, s)).To(Equal(want))
}

// What came while nobody looked is found at the start, and told to be so.
func TestInvariant10_ADeletionThatNobodySawIsRecorded(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	p := start(t, s)
	p.settled()
	p.sees(relationship(1, 1000))
	p.sees(relationship(2, 1001))
	p.sees(relationship(3, 1002))
	p.settled()
	p.stop()
	back := time.Now().Truncate(time.Microsecond)
	p = start(t, s, relationship(2, 1001), relationship(3, 1005, endsAt(indextest.Now)))
	p.settled()
	g.Expect(brief(states(t, s))).To(ConsistOf("1@1000", "1@1001", "1@1002", "2@1000 deleted missed", "2@1005 ended missed"))
	for _, state := range states(t, s) {
		g.Expect(!state.Recorded.Before(back)).To(Equal(state.Missed))
	}
	// A relist finds it as well.
	p.view.Delete(index.Relationships, relationship(2, 0).UID, 1010)
	p.view.SetFreshness(time.Now())
	p.Relisted()
	g.Eventually(func() []string { return brief(states(t, s)) }).Should(ContainElement("2@1001 deleted missed"))
}

// A view that may be older than what another replica recorded proves nothing.
func TestAViewThatMayBeOlderDeletesNothing(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	fast := start(t, s)
	fast.settled()
	fast.sees(relationship(1, 1000))
	fast.sees(relationship(1, 1001, endsAt(indextest.Now)))
	fast.sees(relationship(2, 1002))
	fast.settled()
	slow := startAsOf(t, time.Now().Add(-time.Minute), s, relationship(1, 1000))
	slow.Relisted()
	g.Consistently(func() []string { return brief(states(t, s)) }, "500ms").Should(Equal([]string{"1@1000", "2@1001 ended", "1@1002"}))
}

func TestAStoreThatIsAwayLosesNothing(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	p := start(t, s)
	p.settled()
	s.set(true)
	p.sees(relationship(1, 1000))
	saw := time.Now()
	time.Sleep(300 * time.Millisecond)
	g.Eventually(logged.String).Should(ContainSubstring("trying again"))
	p.sees(relationship(1, 1001, endsAt(indextest.Now)))
	metrics := prometheus.NewRegistry()
	g.Expect(p.Register(metrics)).To(Succeed())
	gathered, err := metrics.Gather()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(gathered).To(HaveLen(2))
	g.Expect(gathered[0].Metric[0].Gauge.GetValue()).To(BeNumerically(">=", 0.3), "the lag")
	g.Expect(gathered[1].Metric[0].Gauge.GetValue()).To(BeNumerically("==", 2), "those that wait")
	s.set(false)
	p.settled()
	got := states(t, s)
	g.Expect(brief(got)).To(Equal([]string{"1@1000", "2@1001 ended"}))
	g.Expect(got[0].Recorded).To(BeTemporally("<=", saw), "when it was seen, not when it was written")
	g.Expect(logged.String()).To(ContainSubstring("trying again"))
}

// Whatever happens while the store is away, memory is bounded, and what stands at the end is recorded.
func TestWhatDoesNotFitIsFoundByComparing(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	p := start(t, s)
	p.settled()
	s.set(true)
	for n := range 1500 {
		p.sees(relationship(n%300, uint64(1000+n), endsAt(indextest.Now.Add(time.Duration(n)*time.Second))))
	}
	p.seesGone(relationship(7, 50000))
	waiting, _ := p.Waiting()
	g.Expect(waiting).To(Equal(1000))
	s.set(false)
	p.settled()
	last := map[string]store.RelationshipState{}
	for _, state := range states(t, s) {
		last[state.ObjectUID] = state
	}
	g.Expect(last).To(HaveLen(300))
	for n := range 300 {
		r := relationship(n, 0)
		state := last[uuid.UUID(r.UID).String()]
		if n == 7 {
			g.Expect(state.Deleted && state.Missed).To(BeTrue())
			continue
		}
		known, _ := p.view.KnownRelationship(r.UID)
		g.Expect(state.End).To(BeTemporally("==", known.End))
	}
}

// TestACrashAtAnyWriteLosesNothing lets the store take only some writes of a process, and another process go on.
func TestACrashAtAnyWriteLosesNothing(t *testing.T) {
	for after := 0; ; after++ {
		g := NewWithT(t)
		s := &faultyStore{Store: openStore(t), after: after}
		p := start(t, s, relationship(1, 1000), relationship(2, 1001))
		if after > 0 {
			g.Eventually(s.count).Should(Equal(1))
		}
		one, two := relationship(1, 1002, endsAt(indextest.Now)), relationship(2, 1003)
		p.sees(one)
		time.Sleep(20 * time.Millisecond)
		p.seesGone(two)
		three := relationship(3, 1004)
		p.sees(three)
		g.Eventually(func() bool {
			states, _ := p.Waiting()
			return states == 0 || s.count() >= after
		}).Should(BeTrue())
		p.stop()
		died := s.count() >= after
		s.after = -1
		p = start(t, s, one, three)
		p.settled()
		var last []string
		for _, uid := range []access.UID{one.UID, two.UID, three.UID} {
			found, err := s.Store.LastRelationshipStates(t.Context(), []string{uuid.UUID(uid).String()})
			g.Expect(err).NotTo(HaveOccurred())
			for _, state := range found {
				last = append(last, fmt.Sprint(!state.End.IsZero(), state.Deleted))
			}
		}
		if len(last) == 3 {
			g.Expect(last).To(Equal([]string{"true false", "false true", "false false"}), "after %d writes", after)
		} else { // the second came and went before anything was written
			g.Expect(last).To(Equal([]string{"true false", "false false"}), "after %d writes", after)
			g.Expect(after).To(BeZero())
		}
		g.Expect(len(states(t, s))).To(BeNumerically("<=", 5), "after %d writes", after)
		if !died {
			t.Logf("%d writes", after)
			return
		}
	}
}

// TestTwoReplicasOnOneStoreRecordOneHistory: both see the same, each at its own pace.
func TestTwoReplicasOnOneStoreRecordOneHistory(t *testing.T) {
	g := NewWithT(t)
	inner := openStore(t)
	replicas := []*process{start(t, &faultyStore{Store: inner, after: -1}), start(t, &faultyStore{Store: inner, after: -1})}
	for _, p := range replicas {
		p.settled()
	}
	type event struct {
		r    index.Relationship
		gone bool
	}
	var events []event
	for n := range 200 {
		r := relationship(n%10, uint64(1000+n), endsAt(indextest.Now.Add(time.Duration(n/10)*time.Hour)))
		events = append(events, event{r, n >= 190})
	}
	var group sync.WaitGroup
	for _, p := range replicas {
		group.Go(func() {
			for _, e := range events {
				if e.gone {
					p.seesGone(e.r)
				} else {
					p.sees(e.r)
				}
				if rand.IntN(4) == 0 {
					time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
				}
			}
		})
	}
	group.Wait()
	for _, p := range replicas {
		p.settled()
		p.Relisted()
		p.settled()
	}
	byObject := map[string][]store.RelationshipState{}
	for _, state := range states(t, inner) {
		byObject[state.ObjectUID] = append(byObject[state.ObjectUID], state)
	}
	g.Expect(byObject).To(HaveLen(10))
	for _, recorded := range byObject {
		g.Expect(recorded).To(HaveLen(20))
		for i, state := range recorded {
			g.Expect(state.Ordinal).To(Equal(i + 1))
			g.Expect(state.Missed).To(BeFalse())
			g.Expect(state.Deleted).To(Equal(i == 19))
			if i > 0 {
				g.Expect(state.Revision).To(BeNumerically(">", recorded[i-1].Revision))
				g.Expect(state.Recorded).To(BeTemporally(">", recorded[i-1].Recorded))
			}
		}
	}
}

// TestARestoredAPIServerIsFollowed: its revisions went back, what had been deleted is there again, and ends are open.
func TestARestoredAPIServerIsFollowed(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	p := start(t, s)
	p.settled()
	p.sees(relationship(1, 1000))
	p.sees(relationship(2, 1001))
	p.sees(relationship(1, 1005, endsAt(indextest.Now)))
	p.seesGone(relationship(2, 1006))
	p.settled()
	p.stop()
	p = start(t, s, relationship(1, 1000), relationship(2, 1001))
	p.settled()
	p.sees(relationship(1, 1002, endsAt(indextest.Now.Add(-time.Hour)))) // below the revision of before
	p.settled()
	g.Expect(brief(states(t, s))).To(Equal([]string{
		"1@1000", "1@1001", "2@1005 ended", "2@1006 deleted", "3@1000 missed", "3@1001 missed", "4@1002 ended",
	}))
}

// A relationship in a registry that is not accepted opens nothing. It is recorded when the registry comes.
func TestARelationshipIsRecordedOnceItsRegistryIs(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	p := start(t, s)
	p.settled()
	registry := indextest.New().Registry
	registry.Revision, registry.Accepted = 2000, false
	_, err := p.view.UpsertRegistry(registry)
	g.Expect(err).NotTo(HaveOccurred())
	p.sees(relationship(1, 1000))
	g.Consistently(func() []string { return brief(states(t, s)) }, "300ms").Should(BeEmpty())
	registry.Revision, registry.Accepted = 2001, true
	_, err = p.view.UpsertRegistry(registry)
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() []string { return brief(states(t, s)) }).Should(Equal([]string{"1@1000 missed"}))
	nobody := relationship(2, 1003, func(r *index.Relationship) { r.Client = access.ClientID{} })
	p.sees(nobody)
	p.settled()
	g.Expect(states(t, s)).To(HaveLen(1), "one without a client opens nothing either")
}

// TestInvariant7_TheWritersLogTellsOfNobody comes last: it looks at what all the others have logged.
func TestInvariant7_TheWritersLogTellsOfNobody(t *testing.T) {
	g := NewWithT(t)
	s := &faultyStore{Store: openStore(t), after: -1}
	p := start(t, s)
	p.settled()
	s.set(true)
	p.sees(relationship(1, 1000))
	g.Eventually(logged.String).Should(ContainSubstring("trying again"))
	for _, secret := range []string{uuid.UUID(indextest.Client(1)).String(), uuid.UUID(relationship(1, 0).UID).String(), indextest.UnitOID} {
		g.Expect(logged.String()).NotTo(ContainSubstring(secret))
	}
}
