// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

// world is what surrounds a ledger: the status and the Secret as the API server
// keeps them, and the memory of one controller, which a crash empties.
type world struct {
	g *WithT
	t *rapid.T

	now    time.Time
	status []Entry
	secret string // fingerprint of the certificate in our Secret
	alien  bool   // a Secret with our name that is not ours
	ownKey string
	held   string // fingerprint whose key is in memory

	serial   int
	listed   map[string]bool // every fingerprint that the status ever held
	gone     map[string]bool // those that have left it
	usedOnce map[string]bool // keys handed out for delivery
}

func newWorld(t *rapid.T) *world {
	return &world{
		t: t, g: NewWithT(t), now: t0,
		listed: map[string]bool{}, gone: map[string]bool{}, usedOnce: map[string]bool{},
	}
}

func (w *world) observe() Observed {
	return Observed{PublicKeyHash: w.ownKey, SecretFingerprint: w.secret, SecretForeign: w.alien, HeldFingerprint: w.held}
}

func (w *world) next() Step { return Next(w.status, w.observe(), policy, uid, w.now) }

// crash is where a controller dies during a step.
type crash int

const (
	noCrash crash = iota
	beforeWrite
	afterWrite
)

func (w *world) do(step Step, c crash) {
	switch step.Action {
	case StepIssue, StepReissue:
		w.serial++
		issued := Issued{Fingerprint: fmt.Sprintf("fp-%d", w.serial), NotBefore: step.NotBefore, NotAfter: step.NotAfter, PublicKeyHash: w.ownKey}
		if w.ownKey == "" {
			issued.SecretNamespace, issued.SecretName = "koivu", "c"
			w.held = issued.Fingerprint
		}
		if c != beforeWrite {
			w.write(step.Add(issued))
		}
	case StepActivate, StepRevoke, StepPrune:
		if c != beforeWrite {
			w.write(step.Ledger)
		}
	case StepDeliver:
		w.g.Expect(w.alien).To(BeFalse(), "a foreign Secret is never overwritten")
		w.g.Expect(w.held).NotTo(BeEmpty())
		w.g.Expect(w.usedOnce[w.held]).To(BeFalse(), "a key is delivered once")
		w.usedOnce[w.held] = true
		entry := w.status[find(w.status, Issuing)]
		w.g.Expect(entry.Fingerprint).To(Equal(w.held), "intent is persisted before the key is out")
		w.g.Expect(entry.ID).To(Equal(step.EntryID))
		if c != beforeWrite {
			w.secret = w.held
			w.g.Expect(w.usable(w.secret)).To(BeFalse(), "a delivered key opens nothing before its entry is Active")
		}
		w.held = ""
	}
	if c != noCrash {
		w.held = ""
	}
}

func (w *world) write(entries []Entry) {
	now := map[string]bool{}
	for _, e := range entries {
		w.g.Expect(w.gone[e.Fingerprint]).To(BeFalse(), "what has left the ledger never comes back")
		now[e.Fingerprint], w.listed[e.Fingerprint] = true, true
		for _, t := range []time.Time{e.NotBefore, e.NotAfter, e.RenewAt, e.AcceptUntil} {
			w.g.Expect(t.Nanosecond()).To(BeZero(), "a status keeps whole seconds")
		}
	}
	for f := range w.listed {
		if !now[f] {
			w.gone[f] = true
		}
	}
	w.status = entries
}

func (w *world) usable(fingerprint string) bool {
	for _, e := range Live(w.status, w.now) {
		if e.Fingerprint == fingerprint {
			return true
		}
	}
	return false
}

// invariants hold at every instant, whatever happened.
func (w *world) invariants() {
	count := map[State]int{}
	for _, e := range w.status {
		count[e.State]++
		if e.State == Superseded {
			w.g.Expect(e.AcceptUntil.After(e.NotAfter)).To(BeFalse())
		}
	}
	w.g.Expect(count[Issuing]).To(BeNumerically("<=", 1))
	w.g.Expect(count[Active]).To(BeNumerically("<=", 1))
	w.g.Expect(len(w.status)).To(BeNumerically("<=", MaxEntries))
	for _, e := range Live(w.status, w.now) {
		w.g.Expect(e.State).NotTo(Equal(Issuing))
	}
}

// settle runs steps without faults until nothing is due, and checks what must
// hold then.
func (w *world) settle() {
	stolen := w.disturbed()
	for n := 0; ; n++ {
		w.g.Expect(n).To(BeNumerically("<", 8), "settles in a few steps")
		step := w.next()
		if step.Action == StepNone || step.Action == StepConflict {
			break
		}
		w.do(step, noCrash)
		w.invariants()
	}
	for _, f := range stolen {
		w.g.Expect(w.usable(f)).To(BeFalse(), "%s was taken away with its Secret or key", f)
	}

	w.held = "" // a restart
	step := w.next()
	w.g.Expect(step.WritesStatus()).To(BeFalse(), "a restart writes nothing")
	if w.alien && w.ownKey == "" {
		w.g.Expect(step.Action).To(Equal(StepConflict))
		w.g.Expect(w.status).To(BeEmpty())
		return
	}
	w.g.Expect(step.Action).To(Equal(StepNone))
	current, ok := Current(w.status)
	w.g.Expect(ok).To(BeTrue())
	w.g.Expect(current.PublicKeyHash).To(Equal(w.ownKey))
	w.g.Expect(find(w.status, Issuing)).To(Equal(-1))
	if w.now.After(current.NotBefore) { // else within the issuer's skew
		w.g.Expect(w.usable(current.Fingerprint)).To(BeTrue())
	}
	if w.ownKey == "" {
		w.g.Expect(w.secret).To(Equal(current.Fingerprint), "the Secret holds the Active credential")
	}
	w.g.Expect(step.WakeAt.After(w.now)).To(BeTrue())
	w.g.Expect(Next(w.status, w.observe(), policy, uid, step.WakeAt.Add(-1)).Action).To(Equal(StepNone), "not late")
	w.g.Expect(Next(w.status, w.observe(), policy, uid, step.WakeAt).Action).NotTo(Equal(StepNone), "not for nothing")
}

// disturbed lists the live fingerprints that must go because the Secret, or the
// key, of the Active entry is not what it was.
func (w *world) disturbed() []string {
	current, ok := Current(w.status)
	if !ok {
		return nil
	}
	issuing := ""
	if i := find(w.status, Issuing); i >= 0 {
		issuing = w.status[i].Fingerprint
	}
	intact := w.ownKey == current.PublicKeyHash &&
		(w.ownKey != "" || !w.alien && (w.secret == current.Fingerprint || w.secret != "" && w.secret == issuing))
	if intact {
		return nil
	}
	var out []string
	for _, e := range w.status {
		out = append(out, e.Fingerprint)
	}
	return out
}

func TestRandomHistories(t *testing.T) {
	actions := map[Action]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"step": func(t *rapid.T) {
				step := w.next()
				actions[step.Action]++
				w.do(step, rapid.SampledFrom([]crash{noCrash, noCrash, beforeWrite, afterWrite}).Draw(t, "crash"))
			},
			"steps": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "n") {
					step := w.next()
					actions[step.Action]++
					w.do(step, noCrash)
				}
			},
			"replay": func(t *rapid.T) { // a stale queue item: the same step, decided again
				w.g.Expect(w.next()).To(Equal(w.next()))
			},
			"restart": func(*rapid.T) { w.held = "" },
			"settle":  func(*rapid.T) { w.settle() },
			"lose right": func(t *rapid.T) {
				if seldom(t) {
					w.write(Revoke(w.status))
				}
			},
			"delete Secret": func(t *rapid.T) {
				if w.alien || seldom(t) {
					w.secret, w.alien = "", false
				}
			},
			"put back an old Secret": func(t *rapid.T) {
				if w.serial > 0 && !w.alien && seldom(t) {
					w.secret = fmt.Sprintf("fp-%d", rapid.IntRange(1, w.serial).Draw(t, "which"))
				}
			},
			"foreign Secret": func(t *rapid.T) {
				if seldom(t) {
					w.secret, w.alien = "", true
				}
			},
			"own key": func(t *rapid.T) {
				if !seldom(t) {
					return
				}
				w.ownKey = rapid.SampledFrom([]string{"", "", "k", "l"}).Draw(t, "key")
			},
			"time passes": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.Int64Range(1, int64(6*time.Hour)).Draw(t, "by")))
			},
			"clock steps": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.Int64Range(-int64(30*time.Hour), int64(30*time.Hour)).Draw(t, "by")))
			},
			"wake": func(*rapid.T) {
				if step := w.next(); step.Action == StepNone {
					w.now = step.WakeAt
				}
			},
			"": func(*rapid.T) { w.invariants() },
		})
		w.settle()
	})
	t.Logf("steps taken: %v", actions)
}

// seldom keeps the events that wipe a ledger from drowning all others.
func seldom(t *rapid.T) bool { return rapid.IntRange(0, 4).Draw(t, "seldom") == 3 }

// With no faults, a client that reads its Secret when a step has settled is never
// refused, over many rotations, and each costs two status writes and one Secret.
func TestRotationNeverLocksOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.settle()
		for range 10 {
			step := w.next()
			w.g.Expect(step.Action).To(Equal(StepNone))
			w.now = step.WakeAt.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "late")))
			clients := w.secret
			writes := 0
			for w.next().Action != StepNone {
				step := w.next()
				w.g.Expect(w.usable(clients)).To(BeTrue(), "what a client holds works during the rotation")
				w.do(step, noCrash)
				if step.WritesStatus() {
					writes++
				}
			}
			w.g.Expect(writes).To(BeNumerically("<=", 2))
			w.g.Expect(w.usable(clients)).To(BeTrue(), "and after it, until the overlap ends")
		}
	})
}

// Every prefix of the first issue can be replayed by another process.
func TestCrashAtEachWriteOfIssuing(t *testing.T) {
	for at := range 3 {
		for _, c := range []crash{beforeWrite, afterWrite} {
			t.Run(fmt.Sprintf("write %d, crash %d", at, c), func(t *testing.T) {
				w := &world{g: NewWithT(t), now: t0, listed: map[string]bool{}, gone: map[string]bool{}, usedOnce: map[string]bool{}}
				for range at {
					w.do(w.next(), noCrash)
				}
				w.do(w.next(), c)
				for _, e := range Live(w.status, w.now) {
					w.g.Expect(e.Fingerprint).To(Equal(w.secret))
				}
				w.settle()
			})
		}
	}
}
