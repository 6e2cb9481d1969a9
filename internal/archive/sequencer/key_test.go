// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// told gives the rows of the log that tell of its keys.
func told(t *testing.T, s store.AccessLog) (rows []store.LogRow) {
	t.Helper()
	for query := (store.LogQuery{Limit: store.MaxPage}); ; {
		page, err := s.Log(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			if row.Operation == sequencer.OpNewLogKey {
				rows = append(rows, row)
			}
		}
		if query.After = page.Next; query.After == nil {
			return rows
		}
	}
}

// signedLog is a log of two months that a key has signed and a witness has cosigned.
func signedLog(t *testing.T, s store.Store, key logproof.Key, clock *clocktesting.FakeClock) *standIn {
	t.Helper()
	g := NewWithT(t)
	w := newWitness(t, key)
	one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock, Log: logr.Discard(), Witnesses: []sequencer.Witness{w.client}})
	for _, rows := range []int{30, 300} {
		log(t, s, rows)
		g.Expect(one.CatchUp(t.Context())).To(Succeed())
		g.Expect(one.Checkpoint(t.Context())).To(Succeed())
		clock.SetTime(clock.Now().AddDate(0, 1, 0))
	}
	clock.SetTime(clock.Now().AddDate(0, -1, 0).Add(time.Minute))
	return w
}

// A key that is lost is replaced in plain sight: in the log, and by nobody's leave but that of those who check it.
func TestALostKeyIsReplacedInPlainSight(t *testing.T) {
	g := NewWithT(t)
	s, lost, key, clock := open(t, t.TempDir()), storetest.LogKey(t), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	w := signedLog(t, s, lost, clock)
	log(t, s, 5) // it waits for its leaf
	former := lost.Verifier()
	with := sequencer.Replacement{Store: s, Key: key, Former: &former, Reason: "the disk is gone", Clock: clock, Log: logr.Discard()}

	stranger := storetest.LogKey(t).Verifier()
	bad := with
	bad.Former = &stranger
	g.Expect(sequencer.Replace(t.Context(), bad)).To(MatchError(logproof.ErrSignature))
	held, err := s.TakeLogLease(t.Context(), "archive-0", clock.Now(), clock.Now().Add(time.Minute))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(held).To(BeTrue())
	bad = with
	bad.Holder = "replace"
	g.Expect(sequencer.Replace(t.Context(), bad)).To(MatchError(sequencer.ErrInUse))
	g.Expect(told(t, s)).To(BeEmpty(), "nothing is done by halves")

	g.Expect(sequencer.Replace(t.Context(), with)).To(Succeed())
	rows := told(t, s)
	g.Expect(rows).To(HaveLen(1))
	g.Expect(string(rows[0].Criteria)).To(MatchJSON(`{"keys":["` + key.Verifier().String() + `"],"lost":"the disk is gone"}`))
	g.Expect(inMonth(t, s, key, "2026-03").Tree.N).To(BeEquivalentTo(30))
	g.Expect(inMonth(t, s, lost, "2026-03", w).Cosignatures).To(HaveLen(1), "what was said of the same tree stays")
	g.Expect(inMonth(t, s, key, "2026-04").Tree.N).To(BeEquivalentTo(306))
	kept, err := s.LogCheckpoints(t.Context(), "2026-04", 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(kept[0].Size).To(BeEquivalentTo(300))
	g.Expect(kept[0].Kept).To(BeTrue())
	_, err = former.Open(kept[0].Note)
	g.Expect(err).NotTo(HaveOccurred(), "what the lost key has signed last stays")
	g.Expect(sequencer.Replace(t.Context(), with)).To(MatchError(sequencer.ErrSigned))

	cosign := func() (int, error) {
		one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock, Log: logr.Discard(), Witnesses: []sequencer.Witness{w.client}})
		err := one.Checkpoint(t.Context())
		return len(inMonth(t, s, key, "2026-04", w).Cosignatures), err
	}
	g.Expect(cosign()).To(BeZero(), "the witness has not been told")
	w.follow(key.Verifier())
	g.Expect(cosign()).To(Equal(1), "it goes on from what it has cosigned")
	storetest.CheckLog(t, s, 336, 0)
}

// A key that begins where the former one's trees do not go on would hide that they were rewritten.
func TestALostKeyHidesNoRewriting(t *testing.T) {
	g := NewWithT(t)
	dir, lost, key, clock := t.TempDir(), storetest.LogKey(t), storetest.LogKey(t), clocktesting.NewFakeClock(start)
	s := open(t, dir)
	signedLog(t, s, lost, clock)
	g.Expect(s.Close()).To(Succeed())
	db, err := sqlite.OpenFile(t.Context(), dir)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = db.ExecContext(t.Context(), `UPDATE log_tiles SET hashes = zeroblob(960) WHERE level = 0 AND month = '2026-03'`)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(db.Close()).To(Succeed())
	s = open(t, dir)
	err = sequencer.Replace(t.Context(), sequencer.Replacement{Store: s, Key: key, Reason: "x", Clock: clock, Log: logr.Discard()})
	g.Expect(err).To(MatchError(sequencer.ErrRewritten))
	_, err = key.Verifier().Open(must(s.LogCheckpoint(t.Context(), "2026-03")).Note)
	g.Expect(err).To(HaveOccurred())
}

// The log itself tells of a key that begins to sign beside another, once.
func TestTheLogTellsOfANewKey(t *testing.T) {
	g := NewWithT(t)
	s, clock := open(t, t.TempDir()), clocktesting.NewFakeClock(start)
	text := must(logproof.NewKey(rand.Reader))
	former := must(logproof.ParseKey(text, uuid.Nil))
	both := must(logproof.ParseKey(must(logproof.AddKey(rand.Reader, text)), uuid.Nil))
	begin := func(key logproof.Key) {
		t.Helper()
		g.Expect(sequencer.TellOfKeys(t.Context(), s, key, clock.Now())).To(Succeed())
		one := storetest.Sequencer(s, key, clock.Now())
		g.Expect(one.CatchUp(t.Context())).To(Succeed())
		g.Expect(one.Checkpoint(t.Context())).To(Succeed())
	}
	begin(former)
	log(t, s, 3)
	begin(former)
	g.Expect(told(t, s)).To(BeEmpty(), "the first key needs no word")
	begin(both)
	rows := told(t, s)
	g.Expect(rows).To(HaveLen(1))
	g.Expect(string(rows[0].Criteria)).To(MatchJSON(`{"keys":["` + both.Verifier().String() + `"]}`))
	g.Expect(inMonth(t, s, both, "2026-03").Tree.N).To(BeEquivalentTo(4), "before it signs")
	begin(both)
	g.Expect(told(t, s)).To(HaveLen(1))
	g.Expect(sequencer.TellOfKeys(t.Context(), s, storetest.LogKey(t), clock.Now())).NotTo(Succeed())
	g.Expect(strings.Contains(string(rows[0].Criteria), "PRIVATE")).To(BeFalse())
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
