// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/valtuus/valtuus/internal/archive/replica"
)

// killRow is whether a crash in the middle of the work loses anything that was acknowledged.
type killRow struct{}

func (killRow) name() string { return "kill" }
func (killRow) measures() string {
	return "documents stored by 32 clients while the archive, or its PostgreSQL server, is killed with SIGKILL and started again on its data: " +
		"every acknowledged one must be there with its bytes and its log row"
}
func (killRow) floor() string { return "" }
func (killRow) goal() string {
	return "none lost; what was not acknowledged is there as a whole, or not at all"
}

func (killRow) run(ctx context.Context, b *bench) ([]figure, error) {
	return b.onEach(ctx, func(c *cluster, e engine) ([]figure, error) {
		at, err := e.storage(ctx)
		if err != nil {
			return nil, err
		}
		return killsOn(ctx, c, e, at)
	})
}

func killsOn(ctx context.Context, c *cluster, e engine, at replica.Storage) ([]figure, error) {
	a, err := c.startArchive(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { a.stop() }() // the one that runs then
	p, err := a.newProducer(ctx, documentClients, newNotes(noteSize))
	if err != nil {
		return nil, err
	}
	defer p.stop()
	all := []*kills{{victim: "archive", producer: p, kill: a.restartKilled}}
	if e, ok := e.(*postgresEngine); ok {
		all = append(all, &kills{victim: "server", producer: p, kill: e.restartKilled})
	}
	for _, k := range all {
		for round := range c.bench.size(5, 1) {
			if err := k.round(ctx, c.bench); err != nil {
				return nil, fmt.Errorf("round %d with the %s killed: %w", round+1, k.victim, err)
			}
			c.bench.progress("%s, %s killed: %d acknowledged, %d not", e, k.victim, k.acknowledged(), len(k.sent)-k.acknowledged())
		}
	}
	a.stop()
	s, err := e.open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	rows, err := logRows(ctx, s, string(c.Registry.Spec.OID), p.client)
	if err != nil {
		return nil, err
	}
	var out []figure
	for _, k := range all {
		if err := k.check(ctx, s, rows); err != nil {
			return nil, err
		}
		out = append(out, k.figures(e)...)
	}
	return out, nil
}

func (k *kills) figures(e engine) []figure {
	what := fmt.Sprintf("%s, %s killed: ", e, k.victim)
	lost, half := k.lost(), k.half()
	return []figure{
		figure{What: what + "acknowledged documents lost", Value: float64(lost)}.want(lost == 0, "0").
			noted("%d rounds, %d acknowledged, %d others sent, of which %d are there; answering again after at most %s ms. "+
				"A kill proves what the processes promise; what was not yet on the disk would survive it", k.rounds, k.acknowledged(), len(k.sent)-k.acknowledged(),
				k.kept(), number(k.back.longest())),
		figure{What: what + "documents kept in part", Value: float64(half)}.want(half == 0, "0").
			noted("with other bytes, or without a log row, or a log row without them"),
	}
}

// restartKilled kills the archive, waits for the clients to see it, and starts it again.
func (a *archive) restartKilled(ctx context.Context, seen func() error) error {
	a.kill()
	if err := seen(); err != nil {
		return err
	}
	return a.run(ctx)
}

// restartKilled does the same with the server.
func (e *postgresEngine) restartKilled(ctx context.Context, seen func() error) error {
	if err := e.cluster.Kill(); err != nil {
		return err
	}
	if err := seen(); err != nil {
		return err
	}
	return e.cluster.Restart(ctx)
}

// loadBeforeKill is how long the clients have stored when the kill comes.
func (b *bench) loadBeforeKill() time.Duration {
	return time.Duration(b.size(1500, 300)) * time.Millisecond
}
