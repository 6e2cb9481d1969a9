// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	shortBound = 5 * time.Second  // of producers, the shortest that the API allows
	longBound  = 10 * time.Second // of the organizer
)

// TestInvariant5_AStaleViewCloses takes the API server away: frozen with every connection open, and killed.
func TestInvariant5_AStaleViewCloses(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := disturbed.toItself(t)
	s := c.begin(t, settings{world: producersBound(int32(shortBound/time.Second), 3600)})
	kept := s.open(s.North, nil)
	opened, rhythm := time.Now(), &rhythm{}
	for _, outage := range []struct {
		name        string
		begin, over func() error
	}{
		{"frozen", c.APIServer.Pause, c.APIServer.Resume},
		{"killed", func() error { c.APIServer.Kill(); return nil }, func() error { return c.APIServer.Start(background) }},
	} {
		t.Run(outage.name, func(t *testing.T) {
			g := NewWithT(t)
			ended := s.open(s.North, nil)
			g.Eventually(kept.access).Should(Equal(allowed))
			rhythm.begin()
			g.Expect(ended.end(time.Now())).To(Succeed())
			g.Expect(outage.begin()).To(Succeed())
			resumed := false
			defer func() {
				if !resumed {
					_ = outage.over()
				}
			}()
			cut := time.Now()
			for ; time.Since(cut) < shortBound+time.Second; rhythm.beat() {
				_, err := s.organizer.Read(background, kept.note)
				g.Expect(err).NotTo(HaveOccurred(), "the organizer's work goes on")
				g.Expect(kept.access()).To(BeElementOf(allowed, "view-stale"))
				time.Sleep(20 * time.Millisecond)
			}
			expectStale(g, kept)
			g.Expect(ended.access()).To(BeElementOf("view-stale"))
			_, err := s.organizer.Read(background, kept.note)
			g.Expect(err).NotTo(HaveOccurred(), "the organizer's work goes on")
			g.Expect(outage.over()).To(Succeed())
			resumed = true
			// It was committed before the outage, so it is in whatever view is believed again.
			g.Eventually(func() string {
				g.Expect(ended.access()).To(BeElementOf("view-stale", "relationship-ended"))
				return kept.access()
			}).Should(Equal(allowed), "service resumes by itself")
			g.Expect(believed(g, ended.access)).To(Equal("relationship-ended"))
			g.Eventually(seen(s, ended.relationship)).Should(WithTransform(
				func(r *v1alpha1.ServiceRelationship) string { return enforced(r) }, Equal(v1alpha1.AppliedReason)))
		})
	}
	oldest := s.expectBounds(g, opened, shortBound, time.Hour)
	g.Expect(oldest[true]).To(BeNumerically(">", shortBound-rhythm.slack()), "the unit was served up to the bound")
	g.Expect(oldest[false]).To(BeNumerically(">", shortBound), "the organizer was served beyond it")
}

// TestInvariant5_WhatIsMissedIsNotServed cuts the archive off, ends a relationship meanwhile, and waits for both bounds.
func TestInvariant5_WhatIsMissedIsNotServed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := shared.of(t)
	line := newWire(t, c.Config.Host)
	s := c.begin(t, settings{
		world:   producersBound(int32(shortBound/time.Second), int32(longBound/time.Second)),
		cluster: func(cfg *rest.Config) { line.through(cfg) },
	})
	kept, ended := s.open(s.North, nil), s.open(s.North, nil)
	opened, rhythm := time.Now(), &rhythm{}
	g.Eventually(kept.access).Should(Equal(allowed))
	rhythm.begin()
	line.freeze()
	cut := time.Now()
	g.Expect(ended.end(time.Now().Add(-time.Minute))).To(Succeed())
	for ; time.Since(cut) < longBound+time.Second; rhythm.beat() {
		_, err := s.organizer.Read(background, kept.note)
		g.Expect(reasonOf(err)).To(BeElementOf(allowed, "view-stale"))
		g.Expect(kept.access()).To(BeElementOf(allowed, "view-stale"))
		time.Sleep(50 * time.Millisecond)
	}
	expectStale(g, kept)
	_, err := s.organizer.Read(background, kept.note)
	g.Expect(reasonOf(err)).To(Equal("view-stale"))
	line.thaw()
	g.Eventually(func() string {
		g.Expect(ended.access()).To(BeElementOf("view-stale", "relationship-ended"))
		return kept.access()
	}).Should(Equal(allowed))
	g.Expect(believed(g, ended.access)).To(Equal("relationship-ended"))
	oldest := s.expectBounds(g, opened, shortBound, longBound)
	g.Expect(oldest[true]).To(BeNumerically(">", shortBound-rhythm.slack()), "the unit was served up to the bound")
	g.Expect(oldest[false]).To(BeNumerically(">", longBound-rhythm.slack()), "the organizer was served up to its own")
}

// rhythm is how often a loop came to ask.
type rhythm struct {
	last    time.Time
	longest time.Duration
}

func (r *rhythm) begin() { r.last = time.Now() }

func (r *rhythm) beat() {
	now := time.Now()
	r.longest, r.last = max(r.longest, now.Sub(r.last)), now
}

// slack is how far from a bound the last answer within it may have been: two questions of a loop came in between at most,
// however busy the machine was.
func (r *rhythm) slack() time.Duration { return time.Second + 2*r.longest }

// expectStale expects the refusal of a stale view, in full.
func expectStale(g Gomega, c *care) {
	header, _, err := c.caller.Do(background, http.MethodGet, "/documents/"+c.note, "", nil)
	g.Expect(reasonOf(err)).To(Equal("view-stale"))
	g.Expect(err).To(HaveField("Status", http.StatusServiceUnavailable))
	g.Expect(header.Get("Retry-After")).NotTo(BeEmpty())
}

// expectBounds holds the use log against the bounds: each row tells the view's age, nothing was served past its
// bound, and nothing was called stale within it. It gives the age of the oldest view that a unit was served from since the
// time, and the organizer.
func (s *scene) expectBounds(g Gomega, since time.Time, producers, organizer time.Duration) map[bool]time.Duration {
	oldest := map[bool]time.Duration{}
	for _, row := range s.stopForLog(s.archive) {
		if row.Time.Before(since) { // it may not have known the bounds
			continue
		}
		unit := row.Unit != ""
		bound := organizer
		if unit {
			bound = producers
		}
		switch {
		case row.Outcome == store.OutcomeAllowed:
			g.Expect(row.ViewAge).To(BeNumerically("<=", bound), "%+v", row)
			oldest[unit] = max(oldest[unit], row.ViewAge)
		case row.Reason == "view-stale":
			g.Expect(row.ViewAge).To(BeNumerically(">", bound-time.Millisecond), "%+v", row)
		}
	}
	s.t.Logf("oldest view served from: %s to the unit, %s to the organizer", oldest[true], oldest[false])
	return oldest
}
