// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// query tells what an expression gives an hour after the series began: lines in the notation of Prometheus's own tests
// of rules, with a value each minute.
func query(t testing.TB, series, expression string) promql.Vector {
	t.Helper()
	var all []storage.Series
	parse := parser.NewParser(parser.Options{})
	for line := range strings.Lines(series) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, values, err := parse.ParseSeriesDesc(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var samples []chunks.Sample
		for i, one := range values {
			samples = append(samples, sample{int64(i) * time.Minute.Milliseconds(), one.Value})
		}
		all = append(all, storage.NewListSeries(name, samples))
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 10_000, Timeout: time.Minute, NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		Parser: parse,
	})
	defer func() { _ = engine.Close() }()
	asked, err := engine.NewInstantQuery(t.Context(), &storage.MockQueryable{MockQuerier: &storage.MockQuerier{
		SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
			return &matching{all: slices.DeleteFunc(slices.Clone(all), func(one storage.Series) bool {
				return slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(one.Labels().Get(m.Name)) })
			})}
		},
	}}, nil, expression, time.Unix(3600, 0))
	if err != nil {
		t.Fatal(err)
	}
	vector, err := asked.Exec(t.Context()).Vector()
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return vector
}

// matching are the series that a query selects.
type matching struct {
	all []storage.Series
	at  storage.Series
}

func (m *matching) Next() bool {
	if len(m.all) == 0 {
		return false
	}
	m.at, m.all = m.all[0], m.all[1:]
	return true
}

func (m *matching) At() storage.Series                { return m.at }
func (m *matching) Err() error                        { return nil }
func (m *matching) Warnings() annotations.Annotations { return nil }

// sample is a value at a time.
type sample struct {
	ms    int64
	value float64
}

func (s sample) T() int64                      { return s.ms }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }
