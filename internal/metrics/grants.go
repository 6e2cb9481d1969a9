// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/eligibility"
)

// scrapeLimit bounds the reading of the cache for one scrape.
const scrapeLimit = 5 * time.Second

// Grants tells at each scrape how the grants in the cache stand and when their credentials expire.
type Grants struct {
	reader  client.Reader
	states  *prometheus.Desc
	blocked *prometheus.Desc
	expires *prometheus.Desc
}

// NewGrants returns the collector; the reader must be a cache.
func NewGrants(reader client.Reader) *Grants {
	return &Grants{
		reader: reader,
		states: prometheus.NewDesc(namespace+"_grants", "Register access grants by readiness and reason.", []string{"ready", "reason"}, nil),
		blocked: prometheus.NewDesc(namespace+"_grants_blocked_by_test",
			"Register access grants that wait for a deployment test of their combination of client systems, by registry.", []string{"registry"}, nil),
		expires: prometheus.NewDesc(namespace+"_credential_expiry_timestamp_seconds",
			"When the active credential of a grant expires.", []string{"namespace", "grant"}, nil),
	}
}

// Describe sends the descriptions.
func (g *Grants) Describe(out chan<- *prometheus.Desc) {
	out <- g.states
	out <- g.blocked
	out <- g.expires
}

// Collect counts the grants in the cache.
func (g *Grants) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	var list v1alpha1.RegistryAccessGrantList
	if err := g.reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		out <- prometheus.NewInvalidMetric(g.states, err)
		return
	}
	type state struct{ ready, reason string }
	counts, blocked := map[state]int{}, map[v1alpha1.OID]int{}
	for i := range list.Items {
		grant := &list.Items[i]
		s := state{ready: "Unknown", reason: v1alpha1.ProgressingReason}
		if c := meta.FindStatusCondition(grant.Status.Conditions, v1alpha1.ReadyCondition); c != nil {
			s = state{ready: string(c.Status), reason: c.Reason}
		}
		counts[s]++
		if s.ready == string(metav1.ConditionFalse) && s.reason == eligibility.ReasonDeploymentTestMissing {
			blocked[grant.Status.RegistryOID]++
		}
		if expires := grant.Status.CredentialExpiresAt; expires != nil {
			out <- prometheus.MustNewConstMetric(g.expires, prometheus.GaugeValue, float64(expires.Unix()), grant.Namespace, grant.Name)
		}
	}
	for registry, n := range blocked {
		out <- prometheus.MustNewConstMetric(g.blocked, prometheus.GaugeValue, float64(n), string(registry))
	}
	for s, n := range counts {
		out <- prometheus.MustNewConstMetric(g.states, prometheus.GaugeValue, float64(n), s.ready, s.reason)
	}
}
