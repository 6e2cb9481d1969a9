// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/enforcement"
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

// holdLoad holds that what was acknowledged under the load is there.
func (s *several) holdLoad(l *load) {
	s.t.Helper()
	g := NewWithT(s.t)
	for id, body := range l.acknowledged {
		g.Expect(s.organizer.Read(background, id)).To(Equal(body))
	}
}

// TestReplacingAReplicaFailsNoRequest replaces one of two replicas under a steady load, as a rolling update does: no
// request fails, none is done twice, and the replica leaves nothing behind that others would wait for.
func TestReplacingAReplicaFailsNoRequest(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := beginSeveral(t, newDatabase(t))
	person := s.open(s.North, nil)
	leaving := s.grow("leaving", "--drain-delay", "2s")
	s.grow("staying")
	l := s.loadOn(s.balancer.replica(), person, 3, 10*time.Millisecond)
	g.Eventually(func() int { good, _ := l.counts(); return good }).Should(BeNumerically(">", 100))

	s.grow("coming")
	asked := time.Now()
	g.Expect(leaving.running.Process.Signal(syscall.SIGTERM)).To(Succeed())
	g.Expect(leaving.running.Wait()).To(Succeed(), "it ends well")
	took := time.Since(asked)
	before, _ := l.counts()
	g.Eventually(func() int { good, _ := l.counts(); return good }).Should(BeNumerically(">", before+50))
	l.stop()
	good, failed := l.counts()
	t.Logf("%d requests answered, %d failed; the replica ended %s after it was asked to", good, len(failed), took.Round(time.Millisecond))
	for _, f := range failed {
		t.Errorf("%s after it was asked to end: %v", f.at.Sub(asked).Round(time.Millisecond), f.err)
	}
	s.holdLoad(l)
	s.journal.unanswered = true // what the load was at when it was stopped

	key := client.ObjectKey{Namespace: s.Platform, Name: enforcement.LeaseName(s.Archive.Name, "leaving")}
	err := s.Get(background, key, &coordinationv1.Lease{})
	g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "its Lease: %v", err)
}
