// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

var (
	t0     = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	policy = Policy{Lifetime: 10 * time.Hour, Overlap: 15 * time.Minute, Backdate: 5 * time.Minute}
)

const uid = "0b7f2f0e-9d7e-4a58-8a86-2c9d3f0d1c11"

func hours(n float64) time.Time { return t0.Add(time.Duration(n * float64(time.Hour))) }

// entry makes an entry issued at t0, due at seven hours, out at ten.
func entry(id string, state State) Entry {
	e := Entry{
		ID: id, State: state, Fingerprint: "fp-" + id,
		NotBefore: hours(-1.0 / 12), NotAfter: hours(10), RenewAt: hours(7),
		SecretNamespace: "koivu", SecretName: "valtuus-credential",
	}
	if state == Superseded {
		e.AcceptUntil = hours(1)
	}
	return e
}

// own is an entry for the unit's own key.
func own(id string, state State, key string) Entry {
	e := entry(id, state)
	e.SecretNamespace, e.SecretName, e.PublicKeyHash = "", "", key
	return e
}

// moved changes an entry.
func moved(e Entry, change func(e *Entry)) Entry {
	change(&e)
	return e
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name     string
		ledger   []Entry
		observed Observed
		now      time.Time
		action   Action
		cause    string
		left     []string // IDs in Step.Ledger
		wake     time.Time
	}{
		{"nothing yet", nil, Observed{}, t0, StepIssue, "", nil, time.Time{}},
		{"nothing yet, an old Secret of ours", nil, Observed{SecretFingerprint: "fp-old"}, t0, StepIssue, "", nil, time.Time{}},
		{"nothing yet, a foreign Secret", nil, Observed{SecretForeign: true}, t0, StepConflict, "", nil, time.Time{}},

		{"intent persisted, key held", []Entry{entry("a", Issuing)}, Observed{HeldFingerprint: "fp-a"}, t0, StepDeliver, "", []string{"a"}, time.Time{}},
		{"intent persisted, key lost", []Entry{entry("a", Issuing)}, Observed{}, t0, StepReissue, "", nil, time.Time{}},
		{"intent persisted, another key held", []Entry{entry("a", Issuing)}, Observed{HeldFingerprint: "fp-b"}, t0, StepReissue, "", nil, time.Time{}},
		{"intent persisted, key held too long", []Entry{entry("a", Issuing)}, Observed{HeldFingerprint: "fp-a"}, hours(7), StepReissue, "", nil, time.Time{}},
		{"intent persisted, an old Secret of ours, key held", []Entry{entry("a", Issuing)}, Observed{SecretFingerprint: "fp-old", HeldFingerprint: "fp-a"}, t0, StepDeliver, "", []string{"a"}, time.Time{}},
		{"intent persisted, a foreign Secret", []Entry{entry("a", Issuing)}, Observed{SecretForeign: true, HeldFingerprint: "fp-a"}, t0, StepRevoke, CauseSecretForeign, nil, time.Time{}},
		{"delivered", []Entry{entry("a", Issuing)}, Observed{SecretFingerprint: "fp-a"}, t0, StepActivate, "", []string{"a"}, time.Time{}},
		{"delivered long ago", []Entry{entry("a", Issuing)}, Observed{SecretFingerprint: "fp-a"}, hours(30), StepActivate, "", []string{"a"}, time.Time{}},

		{"settled", []Entry{entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, t0, StepNone, "", []string{"a"}, hours(7)},
		{"settled, just before renewal", []Entry{entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, hours(7).Add(-1), StepNone, "", []string{"a"}, hours(7)},
		{"renewal due", []Entry{entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, hours(7), StepIssue, "", []string{"a"}, time.Time{}},
		{"expired", []Entry{entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, hours(11), StepIssue, "", []string{"a"}, time.Time{}},
		{"expired before a renewal point that someone moved", []Entry{moved(entry("a", Active), func(e *Entry) { e.RenewAt = hours(99) })}, Observed{SecretFingerprint: "fp-a"}, hours(10), StepIssue, "", []string{"a"}, time.Time{}},
		{"clock a little behind", []Entry{entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, hours(-0.1), StepNone, "", []string{"a"}, hours(7)},
		{"clock far behind", []Entry{entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, hours(-2), StepIssue, "", []string{"a"}, time.Time{}},
		{"Secret gone", []Entry{entry("b", Superseded), entry("a", Active)}, Observed{}, t0, StepRevoke, CauseSecretGone, nil, time.Time{}},
		{"Secret holds something else", []Entry{entry("a", Active)}, Observed{SecretFingerprint: "fp-x"}, t0, StepRevoke, CauseSecretGone, nil, time.Time{}},
		{"Secret put back from a copy", []Entry{entry("b", Superseded), entry("a", Active)}, Observed{SecretFingerprint: "fp-b"}, t0, StepRevoke, CauseSecretGone, nil, time.Time{}},
		{"Secret replaced by a foreign one", []Entry{entry("a", Active)}, Observed{SecretForeign: true}, t0, StepRevoke, CauseSecretForeign, nil, time.Time{}},

		{"rotation, key held", []Entry{entry("a", Active), entry("b", Issuing)}, Observed{SecretFingerprint: "fp-a", HeldFingerprint: "fp-b"}, t0, StepDeliver, "", []string{"a", "b"}, time.Time{}},
		{"rotation, key lost", []Entry{entry("a", Active), entry("b", Issuing)}, Observed{SecretFingerprint: "fp-a"}, t0, StepReissue, "", []string{"a"}, time.Time{}},
		{"rotation, delivered", []Entry{entry("a", Active), entry("b", Issuing)}, Observed{SecretFingerprint: "fp-b"}, t0, StepActivate, "", []string{"a", "b"}, time.Time{}},
		{"rotation, delivered after the old one's end", []Entry{moved(entry("a", Active), func(e *Entry) { e.NotAfter = t0 }), entry("b", Issuing)}, Observed{SecretFingerprint: "fp-b"}, t0, StepActivate, "", []string{"b"}, time.Time{}},
		{"rotation, Secret gone, key held", []Entry{entry("a", Active), entry("b", Issuing)}, Observed{HeldFingerprint: "fp-b"}, t0, StepRevoke, CauseSecretGone, nil, time.Time{}},
		{"overlapping", []Entry{entry("b", Superseded), entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, t0, StepNone, "", []string{"b", "a"}, hours(1)},
		{"overlap run out", []Entry{entry("b", Superseded), entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, hours(1), StepPrune, "", []string{"a"}, time.Time{}},
		{"overlap run out, renewal due", []Entry{entry("b", Superseded), entry("a", Active)}, Observed{SecretFingerprint: "fp-a"}, hours(8), StepIssue, "", []string{"a"}, time.Time{}},

		{"own key, nothing yet", nil, Observed{PublicKeyHash: "k"}, t0, StepIssue, "", nil, time.Time{}},
		{"own key, settled, a foreign Secret does not matter", []Entry{own("a", Active, "k")}, Observed{PublicKeyHash: "k", SecretForeign: true}, t0, StepNone, "", []string{"a"}, hours(7)},
		{"own key, renewal due", []Entry{own("a", Active, "k")}, Observed{PublicKeyHash: "k"}, hours(7), StepIssue, "", []string{"a"}, time.Time{}},
		{"own key changed", []Entry{own("b", Superseded, "k"), own("a", Active, "k")}, Observed{PublicKeyHash: "l"}, t0, StepRevoke, CauseKeyChanged, nil, time.Time{}},
		{"from Secret to own key", []Entry{entry("a", Active)}, Observed{PublicKeyHash: "k", SecretFingerprint: "fp-a"}, t0, StepRevoke, CauseKeyChanged, nil, time.Time{}},
		{"from own key to Secret", []Entry{own("a", Active, "k")}, Observed{}, t0, StepRevoke, CauseKeyChanged, nil, time.Time{}},
		{"one entry of another key", []Entry{own("b", Superseded, "k"), own("a", Active, "l")}, Observed{PublicKeyHash: "l"}, t0, StepRevoke, CauseKeyChanged, []string{"a"}, time.Time{}},

		{"two Active", []Entry{entry("a", Active), entry("b", Active)}, Observed{SecretFingerprint: "fp-a"}, t0, StepRevoke, CauseMalformed, nil, time.Time{}},
		{"two Issuing", []Entry{entry("a", Issuing), entry("b", Issuing)}, Observed{}, t0, StepRevoke, CauseMalformed, nil, time.Time{}},
		{"unknown state", []Entry{entry("a", "Trusted")}, Observed{SecretFingerprint: "fp-a"}, t0, StepRevoke, CauseMalformed, nil, time.Time{}},
		{"no fingerprint", []Entry{moved(entry("a", Active), func(e *Entry) { e.Fingerprint = "" })}, Observed{}, t0, StepRevoke, CauseMalformed, nil, time.Time{}},
		{"one fingerprint twice", []Entry{entry("a", Active), moved(entry("b", Superseded), func(e *Entry) { e.Fingerprint = "fp-a" })}, Observed{SecretFingerprint: "fp-a"}, t0, StepRevoke, CauseMalformed, nil, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			before := append([]Entry(nil), c.ledger...)
			step := Next(c.ledger, c.observed, policy, uid, c.now)
			g.Expect(step.Action).To(Equal(c.action))
			g.Expect(step.Cause).To(Equal(c.cause))
			g.Expect(step.WakeAt).To(Equal(c.wake))
			g.Expect(ids(step.Ledger)).To(Equal(c.left))
			g.Expect(c.ledger).To(Equal(before), "the input is not changed")
			g.Expect(Next(c.ledger, c.observed, policy, uid, c.now)).To(Equal(step), "replaying gives the same step")
		})
	}
}

func TestAddWritesIntentFirst(t *testing.T) {
	g := NewWithT(t)
	step := Next(nil, Observed{}, policy, uid, t0.Add(123*time.Millisecond))
	g.Expect(step.NotBefore).To(Equal(t0.Add(-5 * time.Minute)))
	g.Expect(step.NotAfter).To(Equal(hours(10)))
	issued := Issued{Fingerprint: "fp", NotBefore: step.NotBefore, NotAfter: step.NotAfter, SecretNamespace: "koivu", SecretName: "c"}
	entries := step.Add(issued)
	g.Expect(entries).To(HaveLen(1))
	g.Expect(entries[0].State).To(Equal(Issuing))
	g.Expect(entries[0].SecretName).To(Equal("c"))
	g.Expect(Live(entries, t0)).To(BeEmpty(), "intent is not a right")
	g.Expect(step.Add(issued)).To(Equal(entries), "the same credential is the same entry")

	again := Next(nil, Observed{}, policy, "another-uid", t0).Add(issued)
	g.Expect(again[0].ID).NotTo(Equal(entries[0].ID))
}

func TestActivateOverlaps(t *testing.T) {
	g := NewWithT(t)
	ledger := []Entry{entry("a", Active), entry("b", Issuing)}
	seen := Observed{SecretFingerprint: "fp-b"}

	step := Next(ledger, seen, policy, uid, hours(7))
	g.Expect(step.EntryID).To(Equal("b"))
	g.Expect(step.Ledger[0]).To(And(HaveField("State", Superseded), HaveField("AcceptUntil", hours(7.25))))
	g.Expect(step.Ledger[1]).To(Equal(entry("b", Active)), "nothing but the state changes, the renewal point least of all")
	g.Expect(ids(Live(step.Ledger, hours(7.2)))).To(Equal([]string{"a", "b"}))
	g.Expect(ids(Live(step.Ledger, hours(7.25)))).To(Equal([]string{"b"}))

	step = Next(ledger, seen, policy, uid, hours(9.9))
	g.Expect(step.Ledger[0].AcceptUntil).To(Equal(hours(10)), "never past its own end")

	step = Next(ledger, seen, Policy{Lifetime: time.Hour}, uid, hours(7))
	g.Expect(ids(step.Ledger)).To(Equal([]string{"b"}), "no overlap, nothing to keep")
}

func TestOwnKeyIsActiveInOneWrite(t *testing.T) {
	g := NewWithT(t)
	step := Next(nil, Observed{PublicKeyHash: "k"}, policy, uid, t0)
	first := step.Add(Issued{ID: "5e71a1", Certificate: "PEM", Fingerprint: "1", NotBefore: step.NotBefore, NotAfter: step.NotAfter, PublicKeyHash: "k"})
	g.Expect(first[0]).To(And(HaveField("State", Active), HaveField("ID", "5e71a1"), HaveField("Certificate", "PEM")))
	g.Expect(Next(first, Observed{PublicKeyHash: "k"}, policy, uid, t0).Action).To(Equal(StepNone))

	renewed := Next(first, Observed{PublicKeyHash: "k"}, policy, uid, first[0].RenewAt)
	second := renewed.Add(Issued{Fingerprint: "2", NotBefore: renewed.NotBefore, NotAfter: renewed.NotAfter, PublicKeyHash: "k"})
	g.Expect(second[0].State).To(Equal(Superseded))
	g.Expect(second[0].AcceptUntil).To(Equal(first[0].RenewAt.Add(policy.Overlap)))
	g.Expect(second[1].State).To(Equal(Active))
}

func TestRevokeHasNoGrace(t *testing.T) {
	NewWithT(t).Expect(Revoke([]Entry{entry("b", Superseded), entry("a", Active)})).To(BeEmpty())
}

func TestLedgerIsBounded(t *testing.T) {
	g := NewWithT(t)
	var entries []Entry
	for i := range MaxEntries - 1 {
		entries = append(entries, entry(string(rune('p'+i)), Superseded))
	}
	entries = append(entries, entry("a", Active))
	step := Next(entries, Observed{SecretFingerprint: "fp-a"}, policy, uid, hours(-2))
	g.Expect(step.Action).To(Equal(StepIssue), "the clock has stepped back")
	added := step.Add(Issued{Fingerprint: "new", NotBefore: step.NotBefore, NotAfter: step.NotAfter})
	g.Expect(added).To(HaveLen(MaxEntries))
	g.Expect(ids(added)[:2]).To(Equal([]string{"q", "r"}), "the oldest goes first")
	g.Expect(added[MaxEntries-2].State).To(Equal(Active), "never the current one")
	g.Expect(added[MaxEntries-1].Fingerprint).To(Equal("new"))
}

func TestLiveAndNextExpiry(t *testing.T) {
	g := NewWithT(t)
	ledger := []Entry{entry("b", Superseded), entry("a", Active), entry("c", Issuing)}
	g.Expect(ids(Live(ledger, t0))).To(Equal([]string{"b", "a"}))
	g.Expect(ids(Live(ledger, hours(1)))).To(Equal([]string{"a"}))
	g.Expect(Live(ledger, hours(10))).To(BeEmpty(), "the end is not within")
	g.Expect(Live(ledger, hours(-1))).To(BeEmpty(), "nor is what was before")
	g.Expect(NextExpiry(ledger, t0)).To(Equal(hours(1)))
	g.Expect(NextExpiry(ledger, hours(1))).To(Equal(hours(10)))
	g.Expect(NextExpiry(ledger, hours(10))).To(BeZero())
	current, ok := Current(ledger)
	g.Expect(ok).To(BeTrue())
	g.Expect(current.ID).To(Equal("a"))
	_, ok = Current(nil)
	g.Expect(ok).To(BeFalse())
}

func ids(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.ID)
	}
	return out
}

// TestAnEntryOfAnAuthorityThatIsNotTrustedIsReplaced: nobody would accept it. One of which the authority is not known stays.
func TestAnEntryOfAnAuthorityThatIsNotTrustedIsReplaced(t *testing.T) {
	g := NewWithT(t)
	entry := Entry{
		ID: "1", State: Active, Fingerprint: "fp", NotBefore: t0, NotAfter: t0.Add(8 * time.Hour), RenewAt: t0.Add(5 * time.Hour), Authority: "old",
	}
	ask := func(trusted ...string) Action {
		p := policy
		p.Authorities = trusted
		return Next([]Entry{entry}, Observed{SecretFingerprint: "fp"}, p, uid, t0.Add(time.Hour)).Action
	}
	g.Expect(ask("old", "new")).To(Equal(StepNone))
	g.Expect(ask("new")).To(Equal(StepIssue))
	g.Expect(ask()).To(Equal(StepNone))
	entry.Authority = ""
	g.Expect(ask("new")).To(Equal(StepNone))
}

// TestACredentialEndsWithItsAuthority: an issuer signs nothing that outlives it.
func TestACredentialEndsWithItsAuthority(t *testing.T) {
	g := NewWithT(t)
	p := policy
	p.Until = t0.Add(time.Minute)
	g.Expect(Next(nil, Observed{}, p, uid, t0).NotAfter).To(Equal(t0.Add(time.Minute)))
	p.Until = t0.Add(1000 * time.Hour)
	g.Expect(Next(nil, Observed{}, p, uid, t0).NotAfter).To(Equal(t0.Add(p.Lifetime)))
}
