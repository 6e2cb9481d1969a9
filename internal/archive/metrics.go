// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// Metrics are the archive's Prometheus metrics. No label holds anything of a person, a client or a
// document: operations, outcomes and reasons are fixed sets.
type Metrics struct {
	registerer prometheus.Registerer
	requests   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	decision   prometheus.Histogram
	record     prometheus.Histogram
	commit     prometheus.Histogram
	batch      prometheus.Histogram
}

const metricPrefix = "valtuus_archive_"

// NewMetrics makes and registers the metrics. Give ObserveCommit to the store.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: metricPrefix + name, Help: help, Buckets: buckets})
	}
	m := &Metrics{
		registerer: registerer,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricPrefix + "requests_total",
			Help: "Requests by operation, outcome in the use log, and reason.",
		}, []string{"operation", "outcome", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: metricPrefix + "request_duration_seconds", Help: "Time from the request's header to the answer's last byte.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}, []string{"operation"}),
		decision: histogram("decision_duration_seconds", "Time of one access decision.", prometheus.ExponentialBuckets(2.5e-7, 2, 16)),
		record:   histogram("use_log_duration_seconds", "Time until a row of the use log was durable.", prometheus.ExponentialBuckets(0.0001, 2, 16)),
		commit:   histogram("commit_duration_seconds", "Time of one durable commit.", prometheus.ExponentialBuckets(0.00005, 2, 16)),
		batch:    histogram("commit_operations", "Operations that shared one commit.", prometheus.ExponentialBuckets(1, 2, 8)),
	}
	for _, c := range []prometheus.Collector{m.requests, m.duration, m.decision, m.record, m.commit, m.batch} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ObserveCommit takes in one durable commit of the store.
func (m *Metrics) ObserveCommit(operations int, took time.Duration) {
	m.batch.Observe(float64(operations))
	m.commit.Observe(took.Seconds())
}

// watchView shows the view's age at each scrape: +Inf while it is incomplete or not proven.
func (m *Metrics) watchView(view View, c clock.PassiveClock) {
	// A second server over the same metrics, as after a restart in one process, keeps the first gauge.
	_ = m.registerer.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: metricPrefix + "view_age_seconds", Help: "Age of the view of the rights; +Inf while it proves nothing.",
	}, func() float64 {
		f := view.Freshness()
		if !f.Complete || f.ProvenAt.IsZero() {
			return math.Inf(1)
		}
		return c.Since(f.ProvenAt).Seconds()
	}))
}

func (m *Metrics) decided(took time.Duration) { m.decision.Observe(took.Seconds()) }

func (m *Metrics) recorded(took time.Duration) { m.record.Observe(took.Seconds()) }

func (m *Metrics) answered(op operation, kind store.Outcome, reason string, took time.Duration) {
	m.requests.WithLabelValues(op.String(), string(kind), reason).Inc()
	m.duration.WithLabelValues(op.String()).Observe(took.Seconds())
}
