// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

const keptErrors = 20

// underWay is how many requests of a load are at most: one more would only wait, on a node that cannot keep up, and in
// the end for longer than a request may take.
const underWay = 128

// load sends requests at a steady rate, whether or not those before have been answered, as long as they are not too many.
type load struct {
	client *archiveclient.Client
	rate   int
	work   []wire.Order
	stop   context.CancelFunc
	idle   sync.WaitGroup

	mutex   sync.Mutex
	started time.Time
	ended   time.Time
	mark    time.Time
	sent    []sent
	stored  []uuid.UUID
	errors  []string
	lost    int
}

type sent struct {
	at      time.Time
	took    time.Duration
	outcome string
}

func (s *system) doLoad(ctx context.Context, order wire.Order) wire.Answer {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	l := s.loads[order.Name]
	if order.Do == wire.StartLoad {
		client := s.once
		if order.Patient {
			client = s.patient
		}
		l = &load{client: client, rate: order.Rate, work: order.Work, started: time.Now(), mark: time.Now()}
		s.loads[order.Name] = l
		l.start()
	}
	if l == nil {
		return wire.Answer{Outcome: wire.NoAnswer, Detail: "there is no load " + order.Name}
	}
	switch order.Do {
	case wire.MarkLoad:
		l.mutex.Lock()
		l.mark = time.Now()
		l.mutex.Unlock()
	case wire.StopLoad:
		l.end()
	case wire.CheckLoad:
		l.check(ctx)
	}
	return wire.Answer{Outcome: wire.Allowed, Load: l.tell(order.Within)}
}

func (l *load) start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.idle.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(l.rate))
		defer ticker.Stop()
		room := make(chan struct{}, underWay)
		for n := 0; ; {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			// What a busy machine was late for is sent now.
			for due := int(time.Since(l.started).Seconds() * float64(l.rate)); n < due; n++ {
				select {
				case room <- struct{}{}:
				default:
					continue // it is left out
				}
				order := l.work[n%len(l.work)]
				l.idle.Go(func() {
					defer func() { <-room }()
					l.send(order)
				})
			}
		}
	})
}

func (l *load) send(order wire.Order) {
	at := time.Now()
	answer := request(context.Background(), l.client, order)
	took := time.Since(at)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.sent = append(l.sent, sent{at, took, answer.Outcome})
	if answer.Outcome == wire.Allowed && order.Do == wire.Store {
		l.stored = append(l.stored, answer.Document)
	}
	if answer.Outcome != wire.Allowed && len(l.errors) < keptErrors {
		l.errors = append(l.errors, at.UTC().Format(time.RFC3339Nano)+" "+order.Do+": "+answer.Outcome+": "+answer.Detail)
	}
}

// end waits for what is on its way.
func (l *load) end() {
	l.stop()
	l.idle.Wait()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.ended.IsZero() {
		l.ended = time.Now()
	}
}

// check reads what was acknowledged.
func (l *load) check(ctx context.Context) {
	l.mutex.Lock()
	stored := slices.Clone(l.stored)
	l.mutex.Unlock()
	lost := 0
	for _, id := range stored {
		if _, err := l.client.Read(ctx, id, archiveclient.ReadOptions{}); err != nil {
			lost++
		}
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.lost = lost
}

func (l *load) tell(within time.Duration) *wire.Load {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	end := l.ended
	if end.IsZero() {
		end = time.Now()
	}
	last := end
	if within > 0 && l.mark.Add(within).Before(last) {
		last = l.mark.Add(within)
	}
	return &wire.Load{
		All: l.tally(l.started, end), Marked: l.tally(l.mark, last),
		Stored: len(l.stored), Lost: l.lost, Errors: slices.Clone(l.errors),
	}
}

func (l *load) tally(from, to time.Time) wire.Tally {
	t := wire.Tally{Seconds: to.Sub(from).Seconds(), Outcomes: map[string]int{}}
	var took []time.Duration
	for _, one := range l.sent {
		if one.at.Before(from) || one.at.After(to) {
			continue
		}
		t.Requests++
		t.Outcomes[one.outcome]++
		took = append(took, one.took)
	}
	if len(took) == 0 {
		return t
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[min(int(share*float64(len(took))), len(took)-1)].Microseconds()) / 1000
	}
	t.Median, t.P99, t.Longest = at(.5), at(.99), at(1)
	return t
}
