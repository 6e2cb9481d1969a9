// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"net/http"
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archiveclient"
)

// several are replicas of one archive, in processes of their own on one database, behind a balancer.
type several struct {
	*scene
	shares   *database
	balancer *balancer
}

func beginSeveral(t *testing.T, shares *database) *several {
	t.Helper()
	// The replica in this process opens the scene, and is not behind the balancer.
	return &several{scene: shared.of(t).begin(t, settings{database: shares}), shares: shares, balancer: newBalancer(t)}
}

// grow starts another replica and waits until the balancer sends connections there.
func (s *several) grow(name string, flags ...string) *binary {
	s.t.Helper()
	g := NewWithT(s.t)
	b := s.binary(name, s.shares, flags...)
	had := s.balancer.sends()
	g.Expect(b.start(s.t)).To(Succeed())
	s.balancer.add(&b.Replica)
	g.Eventually(s.balancer.sends).Should(Equal(had + 1))
	return b
}

// holdLoad holds that what was acknowledged under the load is there, and each answer that was no failure has its row.
func (s *several) holdLoad(l *load) {
	s.t.Helper()
	g := NewWithT(s.t)
	organizer := s.caller(s.balancer.replica(), s.OrganizerSecret())
	for id, body := range l.acknowledged {
		g.Expect(organizer.Read(background, id)).To(Equal(body))
	}
	s.journal.unanswered = true // what the load was at when it was stopped
	good := slices.DeleteFunc(s.journal.at(s.balancer.replica().Endpoint), func(a archiveclient.Answer) bool { return a.Status == http.StatusServiceUnavailable })
	s.journal.holdAgainst(s.t, s.shares.useLog(s.t), good)
	s.journal.drop(s.balancer.replica().Endpoint)
}
