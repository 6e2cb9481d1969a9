// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// logRecordsRow is how fast the access log takes records, and how soon they are provable.
type logRecordsRow struct{}

func (logRecordsRow) name() string { return "log" }
func (logRecordsRow) measures() string {
	return "rows of the access log made durable for 32 callers, each waiting for its own, while a sequencer makes them provable at its usual pace; " +
		"and the time from a row to the checkpoint that covers it"
}

func (logRecordsRow) floor() string {
	return "inserts of as many bytes into one plain table of the same engine, 64 a transaction; the time to the checkpoint with ten rows a second"
}

func (logRecordsRow) goal() string {
	return "at least 2,000/s; provable within 15 s (p99) at 2,000 rows a second"
}

// wantedRate is how many rows a second the log is to take, on two cores.
const wantedRate = 2000

func (logRecordsRow) run(ctx context.Context, b *bench) ([]figure, error) {
	return b.eachEngine(ctx, func(e engine) ([]figure, error) { return logRecordsOn(ctx, b, e) })
}

// newLogKey makes a key for a log of no store in particular.
func newLogKey() (logproof.Key, error) {
	text, err := logproof.NewKey(rand.Reader)
	if err != nil {
		return logproof.Key{}, err
	}
	return logproof.ParseKey(text, uuid.Nil)
}

func logRecordsOn(ctx context.Context, b *bench, e engine) (_ []figure, err error) {
	at, err := e.storage(ctx)
	if err != nil {
		return nil, err
	}
	s, err := e.open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	plain, err := e.plain(ctx)
	if err != nil {
		return nil, err
	}
	defer plain.close()
	key, err := newLogKey()
	if err != nil {
		return nil, err
	}
	w := &loggers{store: s, meter: &lagMeter{LogProofs: s}}
	sequencing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- sequencer.New(sequencer.Options{Store: w.meter, Key: key, Clock: clock.RealClock{}, Log: logr.Discard()}).Run(sequencing)
	}()
	defer func() { stop(); err = errors.Join(err, <-ended) }()

	few, err := w.atRate(ctx, 10, b.duration(15))
	if err != nil {
		return nil, err
	}
	b.progress("%s: ten rows a second provable after %s s (p99)", e, number(few.at(.99)/1000))
	many, err := w.atRate(ctx, wantedRate, b.duration(30))
	if err != nil {
		return nil, err
	}
	b.progress("%s: %d rows a second provable after %s s (p99)", e, wantedRate, number(many.at(.99)/1000))
	var inserted, logged tally
	for range 3 { // in turns
		one, err := plain.fill(ctx, b.size(20_000, 1000), func(int) []byte { return make([]byte, plainRowSize) })
		if err != nil {
			return nil, err
		}
		inserted.add(one.n, one.took)
		worked := processorTime()
		n, took, err := during(ctx, writers, b.duration(5), func(ctx context.Context, _ int) error { return s.AppendLog(ctx, w.row()) })
		if err != nil {
			return nil, err
		}
		logged.add(n, took)
		logged.busy += processorTime() - worked
		b.progress("%s: inserted %s/s, logged %s/s", e, number(inserted.rate()), number(logged.rate()))
	}
	behind, _, err := s.LogBacklog(ctx)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if _, err := w.provable(ctx); err != nil {
		return nil, err
	}
	rate := figure{What: e.String() + ": durable rows of the log, 32 callers", Value: logged.rate(), Unit: "/s"}.over(inserted.rate())
	lag := figure{What: fmt.Sprintf("%s: from a row to its checkpoint, %d rows/s, p99", e, wantedRate), Value: many.at(.99) / 1000, Unit: "s"}.over(few.at(.99) / 1000)
	return []figure{
		rate.want(rate.Value >= wantedRate, "≥ 2,000/s").
			noted("%d rows waited for their leaves when it ended, and all were provable %s s later; processor time of this side for each row and leaf: %s µs",
				behind, number(time.Since(begun).Seconds()), number(1e6/logged.ratePerProcessor())),
		lag.want(lag.Value <= 15, "≤ 15 s").noted("median %s s, at most %s s, of %d rows", number(many.at(.5)/1000), number(many.longest()/1000), many.count()),
	}, nil
}

// plainRowSize is about how many bytes a row of the log has.
const plainRowSize = 600

// duration is so many seconds, or a tenth for a short run.
func (b *bench) duration(seconds int) time.Duration {
	return time.Duration(b.size(seconds*10, seconds)) * time.Second / 10
}

// loggers log rows.
type loggers struct {
	store store.Store
	meter *lagMeter
}

// benchRegistry is the registry that rows are about where there is none in Kubernetes.
const benchRegistry = "1.2.246.10.1.19.0"

// row gives a row about one of a thousand clients.
func (w *loggers) row() store.LogRow {
	id := uuid.New()
	client := uuid.UUID{0: 1, 14: id[0] & 3, 15: id[1]}
	row := logRow(benchRegistry, client)
	row.DocumentIDs, row.DocumentCount = []uuid.UUID{id}, 1
	return row
}

// atRate logs so many rows a second for a while, waits until all are provable, and gives how long that took for each.
func (w *loggers) atRate(ctx context.Context, rate int, d time.Duration) (*samples, error) {
	n := int(float64(rate) * d.Seconds())
	begun := time.Now()
	if _, err := each(ctx, writers, n, func(ctx context.Context, i int) error {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		return w.store.AppendLog(ctx, w.row())
	}); err != nil {
		return nil, err
	}
	return w.provable(ctx)
}

// provable waits until all rows are, and gives how long it took for those since it was called last.
func (w *loggers) provable(ctx context.Context) (*samples, error) {
	err := until(ctx, "all rows to be provable", 50*time.Millisecond, func() (bool, error) {
		waiting, _, err := w.store.LogBacklog(ctx)
		return waiting == 0 && w.meter.uncovered() == 0, err
	})
	return w.meter.reset(), err
}

// lagMeter sees when rows get their leaves, and when a checkpoint that covers these is kept.
type lagMeter struct {
	store.LogProofs

	mu      sync.Mutex
	waiting []sequenced
	lags    *samples
}

// sequenced is a leaf that no checkpoint covers yet.
type sequenced struct {
	month string
	index int64
	row   time.Time
}

func (m *lagMeter) AppendLeaves(ctx context.Context, batch store.LeafBatch) error {
	if err := m.LogProofs.AppendLeaves(ctx, batch); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range batch.Leaves {
		m.waiting = append(m.waiting, sequenced{batch.Month, batch.Leaves[i].Index, batch.Leaves[i].Row.Time})
	}
	return nil
}

func (m *lagMeter) AddLogCheckpoint(ctx context.Context, checkpoint store.LogCheckpoint, older time.Time) error {
	if err := m.LogProofs.AddLogCheckpoint(ctx, checkpoint, older); err != nil {
		return err
	}
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	var left []sequenced
	for _, one := range m.waiting {
		if one.month != checkpoint.Month || one.index >= checkpoint.Size {
			left = append(left, one)
			continue
		}
		if m.lags == nil {
			m.lags = &samples{}
		}
		m.lags.add(now.Sub(one.row))
	}
	m.waiting = left
	return nil
}

func (m *lagMeter) uncovered() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiting)
}

// reset gives the lags so far, and begins anew.
func (m *lagMeter) reset() *samples {
	m.mu.Lock()
	defer m.mu.Unlock()
	lags := m.lags
	m.lags = &samples{}
	return lags
}
