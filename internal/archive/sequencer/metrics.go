// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// Metrics tell how far the access log is provable. A nil one tells nothing.
type Metrics struct {
	unproven, oldest, size, made, leads prometheus.Gauge
	lag                                 prometheus.Histogram
	failures                            prometheus.Counter
	witnessTime                         *prometheus.GaugeVec
	witnessFailures                     *prometheus.CounterVec

	mu sync.Mutex
	// times are those of rows that have a leaf since the last checkpoint.
	times []time.Time
}

// maxTimes bounds what is remembered for the histogram.
const maxTimes = 100_000

// NewMetrics makes and registers the metrics.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	const prefix = "valtuus_archive_log_"
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + name, Help: help})
	}
	m := &Metrics{
		unproven: gauge("unproven_rows", "Rows of the access log that no checkpoint covers yet."),
		oldest:   gauge("oldest_unproven_seconds", "Age of the oldest row that waits for its leaf; 0 when none does."),
		size:     gauge("checkpoint_size", "Leaves that the newest checkpoint covers, in the tree of its month."),
		made:     gauge("checkpoint_timestamp_seconds", "When the newest checkpoint was made."),
		leads:    gauge("leads", "1 where this replica gives rows their leaves and signs; 0 where another one does, or none."),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "lag_seconds", Help: "Time from a row to the checkpoint that covers it.",
			Buckets: []float64{1, 2.5, 5, 7.5, 10, 15, 30, 60, 300, 3600},
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "failures_total", Help: "What could not be done to make the log provable, and was tried again.",
		}),
		witnessTime: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "witness_timestamp_seconds", Help: "When a witness cosigned last, by its own clock; 0 while that is not known.",
		}, []string{"witness"}),
		witnessFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "witness_failures_total", Help: "Checkpoints that a witness has not cosigned.",
		}, []string{"witness"}),
	}
	for _, c := range []prometheus.Collector{m.unproven, m.oldest, m.size, m.made, m.leads, m.lag, m.failures, m.witnessTime, m.witnessFailures} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Metrics) failed() {
	if m != nil {
		m.failures.Inc()
	}
}

func (m *Metrics) sequenced(row time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.times) < maxTimes {
		m.times = append(m.times, row)
	}
}

func (m *Metrics) checkpointed(size int64, at time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, row := range m.times {
		m.lag.Observe(at.Sub(row).Seconds())
	}
	m.times = m.times[:0]
	m.size.Set(float64(size))
	m.made.Set(float64(at.UnixMilli()) / 1000)
}

// leading says whether this replica gives leaves.
func (m *Metrics) leading(leads bool) {
	if m == nil {
		return
	}
	m.leads.Set(0)
	if leads {
		m.leads.Set(1)
	}
}

// asks names a witness that is asked, so that one that never answers is seen.
func (m *Metrics) asks(witness string) {
	if m != nil {
		m.witnessTime.WithLabelValues(witness)
		m.witnessFailures.WithLabelValues(witness)
	}
}

// cosigned tells of a cosignature on the newest checkpoint, whichever replica got it.
func (m *Metrics) cosigned(witness string, at time.Time) {
	if m != nil {
		m.witnessTime.WithLabelValues(witness).Set(float64(at.UnixMilli()) / 1000)
	}
}

func (m *Metrics) witnessFailed(witness string) {
	if m != nil {
		m.witnessFailures.WithLabelValues(witness).Inc()
	}
}

func (m *Metrics) measured(waiting int, oldest time.Time, state store.LogState, last store.LogCheckpoint, now time.Time) {
	if m == nil {
		return
	}
	m.unproven.Set(float64(int64(waiting) + max(0, state.Size-last.Size)))
	m.oldest.Set(0)
	if waiting > 0 {
		m.oldest.Set(max(0, now.Sub(oldest).Seconds()))
	}
	if last.Size > 0 {
		m.size.Set(float64(last.Size))
		m.made.Set(float64(last.Made.UnixMilli()) / 1000)
	}
}
