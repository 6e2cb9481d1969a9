// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

const (
	lifetime = time.Hour       // of credentials in the tests
	overlap  = 4 * time.Minute // longer than a mount takes
	slowest  = 150 * time.Second
)

// held is what a process has: its certificate, by whom it was issued, and whom it trusts.
type held struct {
	issuer              string
	issued, ends, renew time.Time
	bundle              []string
}

// mount shows what was written with a delay, as a kubelet does.
type mount struct {
	written, shown held
	at             time.Time // when shown becomes what is written; zero when it is
	gone           bool      // the Secret was lost: what is shown stays as it is
	cut            bool      // and is not what is written, until it is written anew
}

func (m *mount) lose() { m.gone, m.cut, m.at = true, true, time.Time{} }

func (m *mount) write(h held, now time.Time, delay time.Duration) {
	if m.written, m.gone = h, false; m.at.IsZero() {
		m.at = now.Add(delay)
	}
}

func (m *mount) look(now time.Time) {
	if !m.at.IsZero() && !now.Before(m.at) {
		m.shown, m.at, m.cut = m.written, time.Time{}, false
	}
}

// party is a holder of a credential: a ledger of two lines at most, and its Secret or its status.
type party struct {
	mount
	ownKey      bool
	knows       []string // what its status says it was given
	former      held     // superseded
	acceptUntil time.Time
}

// world is an archive with its authorities, the server and some holders, around the state that is persisted.
type world struct {
	t *rapid.T
	g *WithT

	now          time.Time
	state, stale State // stale is what a cache may still have
	changed      time.Time
	asked        int32
	main, spare  Slot
	server       mount
	parties      []*party
	serial       int
	lossy        bool
}

func fingerprints(bundle []Certificate) (out []string) {
	for _, c := range bundle {
		out = append(out, c.Fingerprint)
	}
	return out
}

func (w *world) delay() time.Duration {
	return time.Duration(rapid.IntRange(0, int(slowest/time.Second)).Draw(w.t, "delay")) * time.Second
}

func (w *world) observe() Observed {
	o := Observed{Settle: Settle, Asked: w.asked, Main: w.main, Spare: w.spare, SecretsCarry: true, OwnKeysKnow: true, ReplicasTrust: true}
	bundle := fingerprints(w.state.Bundle)
	server := w.server.written
	o.ServerGone = w.server.gone || server.issuer == ""
	o.SecretsCarry = o.ServerGone || slices.Equal(server.bundle, bundle)
	o.ReplicasTrust = w.state.Next == "" || slices.Contains(w.server.shown.bundle, w.state.Next)
	o.Served = !o.ServerGone && server.issuer == w.state.Issuing && w.now.Before(server.ends) && !w.now.Before(server.issued.Add(Settle))
	for _, p := range w.parties {
		if w.now.Before(p.acceptUntil) && w.now.Before(p.former.ends) && p.former.issuer != w.state.Issuing {
			o.FormerInUse = true
		}
		if !w.now.Before(p.written.ends) {
			continue
		}
		if p.written.issuer != w.state.Issuing {
			o.FormerInUse = true
		}
		if p.ownKey && !p.written.issued.After(w.state.Since) {
			o.OwnKeysKnow = false
		}
		if !p.ownKey && !slices.Equal(p.knows, bundle) {
			o.SecretsCarry = false
		}
	}
	return o
}

// archive lets the archive's controller take steps, of which a crash leaves out all from one write on.
func (w *world) archive(writes int) {
	for range 6 {
		step := Next(w.state, w.observe(), w.now)
		if step.Action == None || step.Action == Lost || step.Action == Conflict {
			w.g.Expect(step.Action).NotTo(Equal(Conflict))
			break
		}
		if writes--; writes < 0 {
			return
		}
		switch step.Action {
		case Make:
			w.serial++
			slot := Slot{Present: true, Holds: Certificate{fmt.Sprintf("ca-%d", w.serial), w.now, w.now.Add(40 * lifetime)}}
			if step.Spare {
				w.g.Expect(w.state.Issuing != "" && w.spare.holds(w.state.Issuing) && !w.main.holds(w.state.Issuing) && !w.state.certificate(w.state.Issuing).expired(w.now)).
					To(BeFalse(), "the key that issues is never overwritten")
				w.spare = slot
			} else {
				w.g.Expect(w.main.Present).To(BeFalse())
				w.main = slot
			}
		case Move:
			w.g.Expect(w.spare.holds(w.state.Issuing)).To(BeTrue())
			w.main = w.spare
		case Drop:
			w.g.Expect(w.main).To(Equal(w.spare), "no key goes that is not kept elsewhere")
			w.spare = Slot{}
		case Write:
			w.stale, w.state, w.changed = w.state, step.State, w.now
		}
	}
	if writes > 0 {
		w.serve()
	}
}

func (w *world) issuer(s State) (string, bool) {
	return s.Issuing, s.Issuing != "" && (w.main.holds(s.Issuing) || w.spare.holds(s.Issuing)) && !s.certificate(s.Issuing).expired(w.now)
}

func (w *world) issue(by string, bundle []string) held {
	share := time.Duration(rapid.IntRange(60, 80).Draw(w.t, "renewal"))
	return held{by, w.now, w.now.Add(lifetime), w.now.Add(lifetime / 100 * share), bundle}
}

// serve keeps the server's Secret.
func (w *world) serve() {
	h, bundle := w.server.written, fingerprints(w.state.Bundle)
	present := h.issuer != "" && !w.server.gone
	by, ok := w.issuer(w.state)
	switch NextOfServer(ServerSeen{
		Present: present, Serves: present && h.issuer == w.state.Issuing && w.now.Before(h.renew), Told: slices.Equal(h.bundle, bundle), CanIssue: ok,
	}) {
	case ServerIssue:
		w.server.write(w.issue(by, bundle), w.now, w.delay())
	case ServerTell:
		h.bundle = bundle
		w.server.write(h, w.now, w.delay())
	case ServerLeave:
	}
}

// hold lets the controller of a holder do its work, perhaps by what the cache had a moment ago.
func (w *world) hold(p *party, stale bool) {
	state := w.state
	if stale && w.changed.Equal(w.now) && w.stale.Stage != "" {
		state = w.stale
	}
	bundle := fingerprints(state.Bundle)
	if p.written.issuer != "" && !slices.Equal(p.knows, bundle) {
		p.knows = bundle
		if !p.ownKey && !p.gone {
			h := p.written
			h.bundle = bundle
			p.write(h, w.now, w.delay())
		}
	}
	by, ok := w.issuer(state)
	if !ok || (p.written.issuer != "" && !p.gone && w.now.Before(p.written.renew) && slices.Contains(bundle, p.written.issuer)) {
		return
	}
	p.former, p.acceptUntil = p.written, w.now.Add(overlap)
	p.knows = bundle
	// The holder of a key of its own fetches what its status says then.
	p.write(w.issue(by, bundle), w.now, w.delay())
}

func (w *world) pass(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(10 * time.Second)
		w.server.look(w.now)
		for _, p := range w.parties {
			p.look(w.now)
		}
		w.handshakes()
	}
}

// handshakes is the oracle: whoever holds a credential that the ledger accepts reaches the server, and believes it.
func (w *world) handshakes() {
	server := w.server.shown
	if server.issuer == "" || !w.now.Before(server.ends) || w.server.cut {
		return
	}
	for i, p := range w.parties {
		client := p.shown
		accepted := client.issued.Equal(p.written.issued) || (client.issued.Equal(p.former.issued) && w.now.Before(p.acceptUntil))
		if client.issuer == "" || !w.now.Before(client.ends) || !accepted || p.cut || (p.ownKey && w.lossy) {
			continue
		}
		w.g.Expect(server.bundle).To(ContainElement(client.issuer), "the server refuses party %d, in %s since %s", i, w.state.Stage, w.now.Sub(w.state.Since))
		w.g.Expect(client.bundle).To(ContainElement(server.issuer), "party %d refuses the server, in %s since %s", i, w.state.Stage, w.now.Sub(w.state.Since))
	}
}

// all lets everything work for a while.
func (w *world) all(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); w.pass(30 * time.Second) {
		w.archive(9)
		for _, p := range w.parties {
			w.hold(p, false)
		}
	}
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, g: NewWithT(t), now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	for i := range 3 {
		w.parties = append(w.parties, &party{ownKey: i == 2})
	}
	w.all(10 * time.Minute)
	return w
}

func (w *world) expectSettled() {
	w.g.Expect(w.state.Stage).To(Equal(Stable))
	w.g.Expect(w.state.Rotation).To(Equal(w.asked))
	w.g.Expect(fingerprints(w.state.Bundle)).To(Equal([]string{w.state.Issuing}))
	w.g.Expect(w.main.holds(w.state.Issuing)).To(BeTrue())
	server := w.server.shown
	w.g.Expect(w.now.Before(server.ends)).To(BeTrue(), "it serves")
	w.g.Expect(server.issuer).To(Equal(w.state.Issuing))
	w.g.Expect(server.bundle).To(Equal([]string{w.state.Issuing}))
	for _, p := range w.parties {
		w.g.Expect(p.gone || p.cut).To(BeFalse())
		w.g.Expect(p.written.issuer).To(Equal(w.state.Issuing))
		w.g.Expect(p.knows).To(Equal([]string{w.state.Issuing}))
	}
	before := w.state
	w.archive(9)
	w.g.Expect(w.state).To(Equal(before), "a settled archive is left alone")
}

// TestNobodyNoticesAReplacement draws histories of replacements, crashes between any two writes, controllers that come
// late or see what a cache had a moment ago, lost keys and lost Secrets of servers and holders. At every moment each credential that the ledger accepts
// reaches the server, and its holder believes the server, unless what one of them has mounted was lost; and each history
// comes to a server that serves.
func TestNobodyNoticesAReplacement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		var lost []func()
		t.Repeat(map[string]func(*rapid.T){
			"archive": func(t *rapid.T) { w.archive(rapid.IntRange(0, 6).Draw(t, "writes")) },
			"holder": func(t *rapid.T) {
				w.hold(rapid.SampledFrom(w.parties).Draw(t, "party"), rapid.Bool().Draw(t, "stale"))
			},
			"pass": func(t *rapid.T) {
				w.pass(time.Duration(rapid.IntRange(1, 40).Draw(t, "of ten seconds")) * 10 * time.Second)
			},
			"work":   func(t *rapid.T) { w.all(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute) },
			"rotate": func(*rapid.T) { w.asked++ },
			"lose": func(t *rapid.T) {
				slot := &w.main
				if rapid.Bool().Draw(t, "spare") {
					slot = &w.spare
				}
				kept := *slot
				if !kept.Present || kept.Holds.Fingerprint == "" {
					return
				}
				w.lossy = true
				if *slot = (Slot{}); rapid.Bool().Draw(t, "damaged") {
					slot.Present = true
				}
				lost = append(lost, func() {
					if slot.Holds.Fingerprint == "" && slices.Contains(fingerprints(w.state.Bundle), kept.Holds.Fingerprint) {
						*slot = kept
					}
				})
			},
			"lose the server's": func(*rapid.T) { w.server.lose() },
			"lose a holder's": func(t *rapid.T) {
				if p := rapid.SampledFrom(w.parties).Draw(t, "party"); !p.ownKey && p.written.issuer != "" {
					p.lose()
				}
			},
			"restore": func(*rapid.T) {
				for _, bring := range lost {
					bring()
				}
				lost = nil
			},
		})
		if rapid.Bool().Draw(t, "restored at last") {
			for _, bring := range lost {
				bring()
			}
		}
		w.asked++ // the way on, whatever was lost
		w.all(14 * time.Hour)
		w.expectSettled()
	})
}

// TestAnExpiredAuthorityIsReplacedUnasked: the controllers were away for longer than the authority lived.
func TestAnExpiredAuthorityIsReplacedUnasked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		if rapid.Bool().Draw(t, "in the middle of another replacement") {
			w.asked++
			w.all(time.Duration(rapid.IntRange(0, 100).Draw(t, "minutes")) * time.Minute)
		}
		before := w.state.Issuing
		w.pass(45 * lifetime)
		w.all(2 * time.Minute)
		w.g.Expect(w.state.Stage).To(BeElementOf(Replacing, Retiring, Stable), "it issues at once: there is nobody to wait for")
		w.g.Expect(w.state.Issuing).NotTo(Equal(before))
		w.g.Expect(fingerprints(w.state.Bundle)).NotTo(ContainElement(before))
		w.all(3 * time.Hour)
		w.expectSettled()
	})
}

// TestAnAuthorityIsReplacedBeforeItExpires holds that it happens by itself, and once.
func TestAnAuthorityIsReplacedBeforeItExpires(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		first := w.state.Issuing
		due := w.state.certificate(first).DueAt()
		w.all(due.Sub(w.now) - time.Minute)
		w.g.Expect(w.state.Issuing).To(Equal(first))
		w.g.Expect(w.serial).To(Equal(1))
		w.all(5 * time.Hour)
		w.g.Expect(w.now).To(BeTemporally("<", due.Add(8*lifetime)), "before the first expires")
		w.g.Expect(w.state.Issuing).NotTo(Equal(first))
		w.g.Expect(w.serial).To(Equal(2))
		w.expectSettled()
	})
}
