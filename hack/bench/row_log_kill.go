// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/storetest/crashtest"
)

// logKillRow is whether crashes under load leave the access log whole and provable.
type logKillRow struct{}

func (logKillRow) name() string { return "log-kill" }
func (logKillRow) measures() string {
	return "500 rounds on each engine in which a process that stores documents, logs and makes the log provable is killed with SIGKILL, " +
		"in every tenth round on PostgreSQL its server before it; each time all is looked for, and a witness follows over all rounds"
}
func (logKillRow) floor() string { return "" }
func (logKillRow) goal() string {
	return "no acknowledged write without its row, no row without its leaf after recovery, no gap in a client's chain, no checkpoint that does not hold"
}

func (logKillRow) run(ctx context.Context, b *bench) ([]figure, error) {
	return b.eachEngine(ctx, func(e engine) ([]figure, error) { return logKillsOn(ctx, b, e) })
}

func logKillsOn(ctx context.Context, b *bench, e engine) ([]figure, error) {
	at, err := e.storage(ctx)
	if err != nil {
		return nil, err
	}
	opts := crashtest.Options{Open: openToKill, Place: placeToKill(at), Dir: filepath.Join(at.DataDir, "witness")}
	if err := os.Mkdir(opts.Dir, 0o700); err != nil {
		return nil, err
	}
	if e, ok := e.(*postgresEngine); ok {
		opts.Server = e.cluster
	}
	rounds, err := crashtest.New(opts)
	if err != nil {
		return nil, err
	}
	defer rounds.Close()
	n := b.size(500, 10)
	for round := range n {
		server := opts.Server != nil && round%10 == 9
		if err := rounds.Round(ctx, 20+rand.IntN(200), server); err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
		if (round+1)%max(1, n/10) == 0 {
			b.progress("%s: %d of %d rounds, %d writes acknowledged, %s", e, round+1, n, rounds.Acknowledged, foundSoFar(&rounds.Tally))
		}
	}
	if err := rounds.Finish(ctx); err != nil {
		return nil, err
	}
	return logKillFigures(e, &rounds.Tally), nil
}

func foundSoFar(t *crashtest.Tally) string {
	if t.First == nil {
		return "nothing found"
	}
	return "found: " + t.First.Error()
}

func logKillFigures(e engine, t *crashtest.Tally) []figure {
	of := func(what string, n int) figure {
		return figure{What: fmt.Sprintf("%s: %s", e, what), Value: float64(n)}.want(n == 0, "0")
	}
	lost := of("acknowledged writes without their row, and rows without what they tell of", t.Lost).
		noted("%d rounds, %d of them with the server killed too; %d writes acknowledged, %d rows, %d checkpoints shown before a kill", t.Rounds, t.Servers, t.Acknowledged, t.Rows, t.Checkpoints)
	if t.First != nil {
		lost = lost.noted("the first that was found: %v", t.First)
	}
	return []figure{
		lost,
		of("rows without their leaf after recovery", t.Unproven),
		of("gaps in clients' chains", t.Gaps),
		of("checkpoints that do not hold after a kill, or for the witness", t.Forked),
	}
}

// A place is a directory, or the URI of a database.
func placeToKill(at replica.Storage) string {
	if at.PostgresURI != "" {
		return at.PostgresURI
	}
	return at.DataDir
}

// openToKill opens a place. The cursors of these stores are never used.
func openToKill(ctx context.Context, place string) (crashtest.Storage, error) {
	key := make([]byte, 32)
	if filepath.IsAbs(place) {
		s, err := sqlite.Open(ctx, sqlite.Options{Dir: place, CursorKey: key})
		return crashtest.Storage{Store: s}, err
	}
	s, err := postgres.Open(ctx, postgres.Options{URI: place, CursorKey: key})
	return crashtest.Storage{Store: s}, err
}
