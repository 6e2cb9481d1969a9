// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import "github.com/prometheus/client_golang/prometheus"

// Register makes the writer's metrics known. They hold nothing of a person or a relationship.
func (w *Writer) Register(registerer prometheus.Registerer) error {
	const prefix = "valtuus_archive_relationship_history_"
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: prefix + "waiting", Help: "States of relationships that wait to be recorded.",
	}, func() float64 {
		states, _ := w.Waiting()
		return float64(states)
	})
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: prefix + "lag_seconds", Help: "How long the first of them has waited; 0 while none does.",
	}, func() float64 {
		states, since := w.Waiting()
		if states == 0 {
			return 0
		}
		return w.Clock.Since(since).Seconds()
	})
	for _, c := range []prometheus.Collector{waiting, lag} {
		if err := registerer.Register(c); err != nil {
			return err
		}
	}
	return nil
}
