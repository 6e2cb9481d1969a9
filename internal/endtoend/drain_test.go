// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/enforcement"
)

// TestReplacingAReplicaFailsNoRequest replaces one of two replicas under a steady load, as a rolling update does: no
// request fails, none is done twice, and the replica leaves nothing behind that others would wait for.
func TestReplacingAReplicaFailsNoRequest(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := beginSeveral(t, newDatabase(t))
	person := s.open(s.North, nil)
	leaving := s.grow("leaving", "--drain-delay", "15s") // longer than the balancer takes, on a busy machine, too
	s.grow("staying")
	l := s.loadOn(s.balancer.replica(), person, 3, 10*time.Millisecond)
	g.Eventually(func() int { good, _ := l.counts(); return good }).Should(BeNumerically(">", 100))

	s.grow("coming")
	asked := time.Now()
	g.Expect(leaving.stop()).To(Succeed(), "it ends well")
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

	key := client.ObjectKey{Namespace: s.Platform, Name: enforcement.LeaseName(s.Archive.Name, "leaving")}
	err := s.Get(background, key, &coordinationv1.Lease{})
	g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "its Lease: %v", err)
}
