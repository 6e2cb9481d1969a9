// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metrics holds what the manager measures of its work: what a person would alert on.
// No label carries a client, a person or a document.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
)

const namespace = "valtuus"

// Manager holds the manager's own metrics. Its methods work on a nil Manager, and then measure nothing.
type Manager struct {
	registry prometheus.Registerer
	issued   prometheus.Counter
	enforced prometheus.Histogram
}

// NewManager registers the manager's metrics.
func NewManager(registry prometheus.Registerer) *Manager {
	m := &Manager{
		registry: registry,
		issued: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "credentials_issued_total", Help: "Credentials issued since the manager started.",
		}),
		enforced: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "end_to_enforced_seconds",
			Help:    "Time from when the manager saw an end to when every live archive replica had applied it.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
	}
	registry.MustRegister(m.issued, m.enforced)
	return m
}

// CredentialsIssued counts issued credentials.
func (m *Manager) CredentialsIssued(n int) {
	if m != nil {
		m.issued.Add(float64(n))
	}
}

// Enforced records how long an end took to be enforced.
func (m *Manager) Enforced(took time.Duration) {
	if m != nil {
		m.enforced.Observe(took.Seconds())
	}
}

// OldestUnenforced exports the age of the oldest end that the archive has not confirmed; oldest returns
// the instant from which it waits, or zero.
func (m *Manager) OldestUnenforced(oldest func() time.Time, clock clock.PassiveClock) {
	if m == nil {
		return
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "oldest_unenforced_end_seconds",
		Help: "Age of the oldest end of a relationship that the archive has not confirmed; 0 when there is none.",
	}, func() float64 {
		if since := oldest(); !since.IsZero() {
			return clock.Since(since).Seconds()
		}
		return 0
	}))
}
