// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// TestAKilledReplicaFailsOnlyWhatItWasAt kills one of two replicas under load: nothing that was acknowledged is lost, each
// caller loses one request at most, and the other replica makes the log provable in its place.
func TestAKilledReplicaFailsOnlyWhatItWasAt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := beginSeveral(t, newDatabase(t))
	s.balancer.triesNext = true
	person := s.open(s.North, nil)
	dying := s.grow("dying")
	s.grow("staying")
	l := s.loadOn(s.balancer.replica(), person, 4, 5*time.Millisecond)
	g.Eventually(func() int { good, _ := l.counts(); return good }).Should(BeNumerically(">", 200))
	asked := time.Now()
	g.Expect(dying.kill()).To(Succeed())
	killed := time.Now()
	before, _ := l.counts()
	g.Eventually(func() int { good, _ := l.counts(); return good }).Should(BeNumerically(">", before+200))
	l.stop()
	good, failed := l.counts()
	t.Logf("%d requests answered, %d failed, none answered for %s", good, len(failed), l.gap(killed).Round(time.Millisecond))
	lost := map[string]error{}
	for _, f := range failed {
		g.Expect(f.at).To(BeTemporally(">=", asked), "%v", f.err)
		if f.begun.Before(killed) { // a process that is ending takes connections to the last
			continue
		}
		g.Expect(lost).NotTo(HaveKey(f.caller), "each caller has one connection that has not heard of it: %v, after %v", f.err, lost[f.caller])
		lost[f.caller] = f.err
	}
	s.holdLoad(l)
	g.Eventually(func() int { return waitingForLeaves(g, s.shares.uri) }).Should(BeZero())
}

// waitingForLeaves counts the rows that have no leaf yet.
func waitingForLeaves(g Gomega, uri string) int {
	s, err := postgres.OpenReader(background, uri)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = s.Close() }()
	rows, _, err := s.LogBacklog(background)
	g.Expect(err).NotTo(HaveOccurred())
	return rows
}

// TestAFailoverOfTheDatabase kills the PostgreSQL server under two loaded replicas and promotes its synchronous standby.
// Callers get 503 meanwhile and no other failure; the replicas find the new server by themselves, with every document and
// row that was told.
func TestAFailoverOfTheDatabase(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	shared.of(t)
	primary, standby := pgcluster.PairForTest(t, pgcluster.Options{})
	name, err := primary.NewDatabase(background, "")
	g.Expect(err).NotTo(HaveOccurred())
	s := beginSeveral(t, newDatabaseAt(t, primary.EitherURI(standby, name)))
	person := s.open(s.North, nil)
	replicas := []*binary{s.grow("first"), s.grow("second")}
	l := s.loadOn(s.balancer.replica(), person, 4, 5*time.Millisecond)
	g.Eventually(func() int { good, _ := l.counts(); return good }).Should(BeNumerically(">", 200))
	g.Expect(primary.Kill()).To(Succeed())
	killed := time.Now()
	for _, r := range replicas {
		g.Eventually(func() string { return r.ask("/readyz") }).Should(Or(HavePrefix("DatabaseUnreachable: "), HavePrefix("DatabaseReadOnly: ")))
	}
	g.Expect(standby.Promote(background)).To(Succeed())
	promoted := time.Now()
	before, _ := l.counts()
	g.Eventually(func() int { good, _ := l.counts(); return good }).Should(BeNumerically(">", before+200))
	for _, r := range replicas {
		g.Eventually(func() string { return r.ask("/readyz") }).Should(Equal("ok\n"))
	}
	l.stop()
	good, failed := l.counts()
	first := l.firstAfter(promoted)
	t.Logf("%d requests answered, %d failed; none answered for %s; the first %s after the standby was promoted",
		good, len(failed), l.gap(killed).Round(time.Millisecond), first.Sub(promoted).Round(time.Millisecond))
	for _, f := range failed {
		var problem *archiveclient.Problem
		if !(errors.As(f.err, &problem) && problem.Status == http.StatusServiceUnavailable) && !strings.Contains(f.err.Error(), "503 ") {
			t.Errorf("%s after the kill: %v", f.at.Sub(killed).Round(time.Millisecond), f.err)
		}
	}
	s.holdLoad(l)
	g.Eventually(func() int { return waitingForLeaves(g, s.shares.uri) }).Should(BeZero())
	for _, r := range replicas {
		g.Expect(r.said(g)).NotTo(ContainSubstring("does not begin with what has been signed"))
	}
}
