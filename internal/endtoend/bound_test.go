// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// TestEnforcedNeverLiesAboutAnOlderBound: a replica that was cut off before the bound was shortened still holds to the
// longer one. An end must not count as enforced while it does.
func TestEnforcedNeverLiesAboutAnOlderBound(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := shared.of(t)
	line := newWire(t, c.Config.Host)
	s := c.begin(t, settings{world: producersBound(60, 3600), cluster: func(cfg *rest.Config) { line.through(cfg) }})
	one := s.open(s.North, nil)
	line.freeze()
	defer line.thaw()
	g.Expect(change(s, s.Registry, func(r *v1alpha1.Registry) {
		r.Spec.Policies.Staleness.ProducersSeconds = ptr.To(int32(shortBound / time.Second))
	})).To(Succeed())
	g.Expect(one.end(time.Now())).To(Succeed())
	for began := time.Now(); time.Since(began) < 35*time.Second; time.Sleep(50 * time.Millisecond) {
		r, err := seen(s, one.relationship)()
		g.Expect(err).NotTo(HaveOccurred())
		if reason := enforced(r); reason != "" {
			g.Expect(one.access()).NotTo(Equal(allowed), "it is called enforced (%s) after %s", reason, time.Since(began))
			return
		}
	}
}
