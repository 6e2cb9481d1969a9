// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// failoverRow is how long nothing is answered when a standby takes the database over.
type failoverRow struct{}

func (failoverRow) name() string { return "failover" }
func (failoverRow) measures() string {
	return "documents stored by 8 clients over HTTP while the PostgreSQL primary is killed with SIGKILL and its synchronous standby promoted at once: " +
		"how long none is acknowledged, and whether each that was is on the new primary"
}
func (failoverRow) floor() string { return "" }
func (failoverRow) goal() string  { return "none lost" }

// failoverClients store at once.
const failoverClients = 8

func (failoverRow) run(ctx context.Context, b *bench) ([]figure, error) {
	c, err := b.oneUnit(ctx)
	if err != nil {
		return nil, err
	}
	var gaps, promotions, after samples
	acknowledged, lost, rounds := 0, 0, b.size(10, 1)
	for round := range rounds {
		one, err := failoverOf(ctx, c)
		if errors.Is(err, pgcluster.ErrNoServer) {
			fmt.Printf("  left out: %s\n", err)
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
		gaps.add(one.gap)
		promotions.add(one.promotion)
		after.add(one.afterPromotion)
		acknowledged, lost = acknowledged+one.acknowledged, lost+one.lost
		b.progress("round %d: none acknowledged for %s", round+1, one.gap.Round(time.Millisecond))
	}
	return []figure{
		figure{What: "fail-over gap p99", Value: gaps.at(0.99), Unit: "ms"}.
			noted("of %d rounds, from the last document acknowledged before the kill to the first after it; median %s ms. The server took %s ms of it to be promoted, at most %s ms. "+
				"Whoever promotes a standby has to notice first: that comes on top", rounds, number(gaps.at(0.5)), number(promotions.at(0.5)), number(promotions.longest())),
		figure{What: "from the promotion to the first document, p99", Value: after.at(0.99), Unit: "ms"}.noted("median %s ms", number(after.at(0.5))),
		figure{What: "acknowledged documents lost", Value: float64(lost)}.want(lost == 0, "0").noted("of %d", acknowledged),
	}, nil
}

// failover is what came of one round.
type failover struct {
	gap, promotion, afterPromotion time.Duration
	acknowledged, lost             int
}

func failoverOf(ctx context.Context, c *cluster) (one failover, err error) {
	primary, err := pgcluster.Start(ctx, pgcluster.Options{})
	if err != nil {
		return failover{}, err
	}
	defer func() { err = errors.Join(err, primary.Close()) }()
	standby, err := primary.StartStandby(ctx)
	if err != nil {
		return failover{}, err
	}
	defer func() { err = errors.Join(err, standby.Close()) }()
	at, err := c.bench.newStorage(c.bench.dir)
	if err != nil {
		return failover{}, err
	}
	database, err := primary.NewDatabase(ctx, "")
	if err != nil {
		return failover{}, err
	}
	at.PostgresURI = primary.EitherURI(standby, database)
	a, err := c.startArchive(ctx, at)
	if err != nil {
		return failover{}, err
	}
	defer a.stop()
	p, err := a.newProducer(ctx, failoverClients, newNotes(noteSize))
	if err != nil {
		return failover{}, err
	}
	defer p.stop()

	s := storing{producer: p}
	end := s.begin(ctx)
	time.Sleep(c.bench.loadBeforeKill())
	err = primary.Kill()
	killed := time.Now()
	if err == nil {
		err = standby.Promote(ctx)
	}
	promoted := time.Now()
	if err == nil {
		err = until(ctx, "documents to be acknowledged again", time.Millisecond, func() (bool, error) { return !s.first(promoted).IsZero(), nil })
	}
	if err = errors.Join(err, end()); err != nil {
		return failover{}, err
	}
	one = failover{gap: s.gap(killed), promotion: promoted.Sub(killed), afterPromotion: s.first(promoted).Sub(promoted), acknowledged: len(s.acknowledged)}
	for _, d := range s.acknowledged {
		if _, err := p.read(ctx, 0, "", d.id); err != nil {
			one.lost++
		}
	}
	return one, nil
}

// storing stores documents all the time, whatever becomes of them.
type storing struct {
	producer *producer

	mutex        sync.Mutex
	acknowledged []stored
}

type stored struct {
	id uuid.UUID
	at time.Time
}

// begin begins to store; end ends it.
func (s *storing) begin(ctx context.Context) (end func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var group errgroup.Group
	for w := range failoverClients {
		group.Go(func() error {
			for ctx.Err() == nil {
				id := uuid.New()
				if err := s.producer.store(ctx, w, "", id, s.producer.notes.note(w)); err != nil {
					time.Sleep(2 * time.Millisecond)
					continue
				}
				s.mutex.Lock()
				s.acknowledged = append(s.acknowledged, stored{id, time.Now()})
				s.mutex.Unlock()
			}
			return nil
		})
	}
	return func() error { cancel(); return group.Wait() }
}

// first is when the first document after the time was acknowledged; zero while none was.
func (s *storing) first(after time.Time) time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, d := range s.acknowledged {
		if d.at.After(after) {
			return d.at
		}
	}
	return time.Time{}
}

// gap is the longest time without an acknowledged document that the time lies in, or that begins after it.
func (s *storing) gap(since time.Time) (longest time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for i := 1; i < len(s.acknowledged); i++ {
		if s.acknowledged[i].at.After(since) {
			longest = max(longest, s.acknowledged[i].at.Sub(s.acknowledged[i-1].at))
		}
	}
	return longest
}
