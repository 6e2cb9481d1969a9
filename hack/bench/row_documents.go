// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// documentsRow is how fast documents are stored and fetched.
type documentsRow struct{}

func (documentsRow) name() string { return "documents" }
func (documentsRow) measures() string {
	return "case notes of 10 kB stored by 32 keep-alive clients over mTLS, each validated, logged and durable before the answer, and fetched by id; on each engine"
}

func (documentsRow) floor() string {
	return "bare inserts of the same bytes into one plain table of the same engine, 64 a transaction, on as many connections as the archive writes on; " +
		"a bare mTLS handler that answers 10 kB from memory"
}

func (documentsRow) goal() string {
	return "stored: at least 0.5 of the inserts and 2,000/s; fetched: at least 0.7 of the handler"
}

const (
	noteSize        = 10_000
	documentClients = 32
)

func (documentsRow) run(ctx context.Context, b *bench) ([]figure, error) {
	c, err := b.oneUnit(ctx)
	if err != nil {
		return nil, err
	}
	bare, err := c.startBareServer(ctx, documentClients, noteSize)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	return b.eachEngine(ctx, func(e engine) ([]figure, error) { return documentsOn(ctx, c, e, bare) })
}

// documentTurns are what takes turns, each measured apart.
type documentTurns struct {
	bench    *bench
	producer *producer
	bare     *bareServer
	plain    *plainTable
	ids      []uuid.UUID // stored in measured turns

	stored, inserted, fetched, answered tally
	// archive is for how long the archive had a processor, client for how long this program had one.
	storing, fetching processors
}

type processors struct{ archive, client time.Duration }

func documentsOn(ctx context.Context, c *cluster, e engine, bare *bareServer) ([]figure, error) {
	at, err := e.storage(ctx)
	if err != nil {
		return nil, err
	}
	a, err := c.startArchive(ctx, at)
	if err != nil {
		return nil, err
	}
	defer a.stop()
	t := &documentTurns{bench: c.bench, bare: bare}
	if t.producer, err = a.newProducer(ctx, documentClients, newNotes(noteSize)); err != nil {
		return nil, err
	}
	defer t.producer.stop()
	if t.plain, err = e.plain(ctx); err != nil {
		return nil, err
	}
	defer t.plain.close()
	if err := t.run(ctx, e); err != nil {
		return nil, err
	}
	const ahead = "the clients' assertions are signed ahead of each turn: signing is the client systems' work, and would take the archive's two cores here"
	stored := figure{What: e.String() + ": documents stored, 32 clients", Value: t.stored.rate(), Unit: "/s"}
	over := stored.over(t.inserted.rate())
	fetched := figure{What: e.String() + ": documents fetched by id, 32 clients", Value: t.fetched.rate(), Unit: "/s"}.over(t.answered.rate())
	return []figure{
		over.want(over.Ratio >= .5, "≥ 0.5").noted("%s; %s", ahead, t.storing.perEach(t.stored.n)),
		stored.want(stored.Value >= 2000, "≥ 2,000/s"),
		fetched.want(fetched.Ratio >= .7, "≥ 0.7").noted("as above; each fetch is logged durably before its answer; %s", t.fetching.perEach(t.fetched.n)),
	}, nil
}

func (t *documentTurns) run(ctx context.Context, e engine) error {
	n := t.bench.size(6400, 320)
	if err := t.store(ctx, 4*documentClients, &tally{}, &processors{}); err != nil { // warm
		return err
	}
	t.ids = nil
	end, err := t.bench.profile(t.producer.archive.child, "documents-"+e.String())
	if err != nil {
		return err
	}
	defer end()
	for range 3 { // in turns
		one, err := t.plain.fill(ctx, n, t.producer.notes.note)
		if err != nil {
			return err
		}
		t.inserted.add(one.n, one.took)
		if err := t.store(ctx, n, &t.stored, &t.storing); err != nil {
			return err
		}
		t.bench.progress("%s: inserted %s/s, stored %s/s", e, number(t.inserted.rate()), number(t.stored.rate()))
	}
	for range 3 {
		took, err := eachBy(ctx, documentClients, n, func(ctx context.Context, worker, _ int) error { return t.bare.get(ctx, worker) })
		if err != nil {
			return err
		}
		t.answered.add(n, took)
		if err := t.fetch(ctx, n); err != nil {
			return err
		}
		t.bench.progress("%s: answered barely %s/s, fetched %s/s", e, number(t.answered.rate()), number(t.fetched.rate()))
	}
	return nil
}

// store stores n documents.
func (t *documentTurns) store(ctx context.Context, n int, into *tally, used *processors) error {
	first := len(t.ids)
	for range n {
		t.ids = append(t.ids, uuid.New())
	}
	return t.turn(ctx, n, into, used, func(ctx context.Context, worker, i int, token string) error {
		return t.producer.store(ctx, worker, token, t.ids[first+i], t.producer.notes.note(first+i))
	})
}

// fetch fetches n documents.
func (t *documentTurns) fetch(ctx context.Context, n int) error {
	return t.turn(ctx, n, &t.fetched, &t.fetching, func(ctx context.Context, worker, i int, token string) error {
		body, err := t.producer.read(ctx, worker, token, t.ids[i*len(t.ids)/n])
		if err == nil && len(body) != noteSize {
			err = fmt.Errorf("fetched %d bytes", len(body))
		}
		return err
	})
}

// turn does n requests with assertions made before.
func (t *documentTurns) turn(ctx context.Context, n int, into *tally, used *processors, do func(ctx context.Context, worker, i int, token string) error) error {
	tokens, err := sign(ctx, t.producer.callers, n)
	if err != nil {
		return err
	}
	before, err := t.producer.archive.processor()
	if err != nil {
		return err
	}
	own := processorTime()
	took, err := eachBy(ctx, documentClients, n, func(ctx context.Context, worker, i int) error { return do(ctx, worker, i, tokens[i]) })
	if err != nil {
		return err
	}
	own = processorTime() - own
	after, err := t.producer.archive.processor()
	into.add(n, took)
	used.archive, used.client = used.archive+after-before, used.client+own
	return err
}

func (p *processors) perEach(n int) string {
	return fmt.Sprintf("processor time of each: archive %s µs, clients %s µs",
		number(float64(p.archive.Microseconds())/float64(n)), number(float64(p.client.Microseconds())/float64(n)))
}
