// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archiveclient"
)

// stepped is a wall clock that a hand can step. It gives no monotonic reading, as after a suspension of the machine,
// so that nothing but the wall tells how time passed.
type stepped struct {
	clock.RealClock
	offset atomic.Int64
}

func (c *stepped) Now() time.Time {
	return time.Now().Round(0).Add(time.Duration(c.offset.Load()))
}

func (c *stepped) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (c *stepped) step(to time.Duration) { c.offset.Store(int64(to)) }

// TestInvariant5_AClockStepOpensNothing steps the archive's clock by hours, back and forth. What has ended stays ended,
// what was never granted stays closed, and each step leaves no view believed that was proven before it.
func TestInvariant5_AClockStepOpensNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	hand, hold := &stepped{}, &holdUp{}
	s := shared.of(t).begin(t, settings{clock: hand, cluster: func(cfg *rest.Config) { cfg.Wrap(hold.wrap) }})
	kept, ended, deleted := s.open(s.North, nil), s.open(s.North, nil), s.open(s.North, nil)
	suspended := s.open(s.South, nil)
	g.Expect(s.Delete(background, deleted.relationship)).To(Succeed())
	g.Expect(ended.end(time.Now().Add(-30 * time.Minute))).To(Succeed())
	g.Expect(change(s, s.grantOf(s.South), suspend)).To(Succeed())
	g.Eventually(ended.access, soon).Should(Equal("relationship-ended"))
	g.Eventually(deleted.access, soon).Should(Equal("no-relationship"))
	g.Eventually(suspended.access, soon).ShouldNot(Equal(allowed))
	for _, c := range []*care{kept, ended, deleted, suspended} {
		c.caller = s.atClock(g, c.caller, s.UnitSecret(s.North), hand)
	}

	// unproven steps the clock while no proof can come, and expects that the view from before is not believed.
	unproven := func(to time.Duration) {
		hold.begin()
		defer hold.end()
		hand.step(to)
		g.Expect(kept.access()).To(Equal("view-stale"))
	}
	// Forward, by less than the credential lives.
	unproven(2 * time.Hour)
	g.Eventually(kept.access).Should(Equal(allowed))
	closed := func(c *care) string { return c.access() }
	g.Expect(closed(ended)).To(Equal("relationship-ended"))
	g.Expect(closed(deleted)).To(Equal("no-relationship"))

	// Back again: proofs from the future prove nothing.
	unproven(0)
	g.Eventually(kept.access).Should(Equal(allowed))
	g.Expect(closed(ended)).To(Equal("relationship-ended"))

	// Back by minutes, to before the credential's time but after the relationship's end.
	hand.step(-10 * time.Minute)
	g.Eventually(kept.access).Should(Equal("credential-not-yet-valid"))
	for _, c := range []*care{kept, ended, deleted} {
		g.Consistently(func() string { return closed(c) }, "300ms").Should(BeElementOf("view-stale", "credential-not-yet-valid"))
	}

	// Forward by more than the credential lives.
	hand.step(9 * time.Hour)
	for _, c := range []*care{kept, ended, deleted} {
		g.Eventually(func() string { return closed(c) }).Should(Equal("credential-expired"))
	}
	hand.step(0)
	g.Eventually(kept.access).Should(Equal(allowed))
	g.Expect(closed(ended)).To(Equal("relationship-ended"))
	g.Expect(closed(deleted)).To(Equal("no-relationship"))
	fresh := s.atClock(g, suspended.caller, s.UnitSecret(s.North), hand)
	_, err := fresh.FindClient(background, suspended.code)
	g.Expect(reasonOf(err)).To(Equal("no-relationship"), "the south's client is none of the north's")
}

// TestInvariant5_AStuckStreamIsNoticedAcrossAClockStep: while one kind's stream is stuck, the others prove on. A clock
// that steps back puts the stuck one's last proof into the future, where it must not count as the freshest of all.
func TestInvariant5_AStuckStreamIsNoticedAcrossAClockStep(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	hand, hold := &stepped{}, &holdUp{path: "/servicerelationships"}
	s := shared.of(t).begin(t, settings{
		clock: hand, world: producersBound(int32(shortBound/time.Second), 3600),
		cluster: func(cfg *rest.Config) { cfg.Wrap(hold.wrap) },
	})
	c := s.open(s.North, nil)
	c.caller = s.atClock(g, c.caller, s.UnitSecret(s.North), hand)
	g.Eventually(c.access).Should(Equal(allowed))
	hold.begin()
	defer hold.end()
	g.Expect(c.end(time.Now().Add(-time.Minute))).To(Succeed())
	hand.step(-2 * time.Minute)
	cut := time.Now()
	for time.Since(cut) < shortBound+3*time.Second {
		g.Expect(c.access()).To(Equal("view-stale"))
		time.Sleep(50 * time.Millisecond)
	}
	hold.end()
	g.Eventually(c.access).ShouldNot(Equal("view-stale"))
	hand.step(0)
	g.Eventually(c.access).Should(Equal("relationship-ended"))
}

func suspend(o *v1alpha1.RegistryAccessGrant) {
	yes := true
	o.Spec.Suspend = &yes
}

// atClock makes a caller like another one whose professional's card and assertions follow the hand, on the
// connection that is open: a step must not have to open another.
func (s *scene) atClock(g Gomega, like *archiveclient.Client, secret client.ObjectKey, hand clock.PassiveClock) *archiveclient.Client {
	card, err := s.Cards.Issue("1001", time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	credential, err := s.Credential(background, secret)
	g.Expect(err).NotTo(HaveOccurred())
	c := archiveclient.New(s.archive.Endpoint, string(s.Registry.Spec.OID), credential, professional(card))
	c.Clock, c.OnAnswer = hand, like.OnAnswer
	s.t.Cleanup(c.Close)
	g.Expect(believed(g, func() string { _, err := c.FindClient(background, newCode()); return reasonOf(err) })).To(Equal("no-relationship"))
	return c
}

func professional(card testcard.Card) archiveclient.Professional {
	return archiveclient.Professional{ID: "1001", Role: "social-worker", Key: card.Key, Chain: card.Chain}
}

// holdUp holds up the requests whose path ends so, and what comes of those that are under way.
type holdUp struct {
	path string
	gate sync.RWMutex
	held atomic.Bool
}

func (h *holdUp) begin() {
	h.gate.Lock()
	h.held.Store(true)
}

func (h *holdUp) end() {
	if h.held.CompareAndSwap(true, false) {
		h.gate.Unlock()
	}
}

func (h *holdUp) wait() {
	h.gate.RLock()
	defer h.gate.RUnlock()
}

func (h *holdUp) wrap(inner http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, h.path) {
			return inner.RoundTrip(r)
		}
		h.wait()
		response, err := inner.RoundTrip(r)
		if err == nil {
			response.Body = &heldBody{ReadCloser: response.Body, hold: h}
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type heldBody struct {
	io.ReadCloser
	hold *holdUp
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.hold.wait()
	return n, err
}
