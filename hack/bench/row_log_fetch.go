// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// logFetchRow is what the durability of the access log costs whoever fetches a document.
type logFetchRow struct{}

func (logFetchRow) name() string { return "log-fetch" }
func (logFetchRow) measures() string {
	return "the time of a fetch of 10 kB over mTLS, 400 a second by 16 clients, each logged durably before its answer; " +
		"beside it, in turns, an archive whose data are on a file system in memory: the same log is written there, and flushing it costs nothing"
}
func (logFetchRow) floor() string { return "the fetch from the archive in memory" }
func (logFetchRow) goal() string  { return "at most 5 ms more (p99)" }

const (
	pacedClients = 16
	pacedRate    = 400
	inMemory     = "/dev/shm"
)

func (logFetchRow) run(ctx context.Context, b *bench) (_ []figure, err error) {
	if info, err := os.Stat(inMemory); err != nil || !info.IsDir() {
		fmt.Printf("  left out: there is no file system in memory at %s\n", inMemory)
		return []figure{{What: "not measured: there is no file system in memory", Value: 0}}, nil
	}
	dir, err := os.MkdirTemp(inMemory, "valtuus-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return b.onEach(ctx, func(c *cluster, e engine) ([]figure, error) { return fetchesOn(ctx, c, e, dir) })
}

// fetchesOn measures with one archive on the disk and one in a directory in memory.
func fetchesOn(ctx context.Context, c *cluster, e engine, dir string) (_ []figure, err error) {
	durable, err := c.newFetching(ctx, e, "bench-0")
	if err != nil {
		return nil, err
	}
	defer durable.stop()
	twin, endTwin, err := e.inMemory(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, endTwin()) }()
	unflushed, err := c.newFetching(ctx, twin, "bench-1")
	if err != nil {
		return nil, err
	}
	defer unflushed.stop()
	for _, f := range []*fetching{durable, unflushed} { // warm
		if err := f.turn(ctx, c.bench.duration(2)); err != nil {
			return nil, err
		}
		f.took = samples{}
	}
	flushes, end, err := c.bench.bareFlushes()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	for turn := range 5 {
		for _, f := range []*fetching{unflushed, durable} {
			if err := f.turn(ctx, c.bench.duration(5)); err != nil {
				return nil, err
			}
		}
		c.bench.progress("%s, turn %d: p99 %s ms, in memory %s ms", e, turn+1, number(durable.took.at(.99)), number(unflushed.took.at(.99)))
	}
	fetch := func(what string, share float64) figure {
		return figure{What: e.String() + ": a logged fetch, " + what, Value: durable.took.at(share), Unit: "ms"}.over(unflushed.took.at(share))
	}
	p99 := fetch("p99", .99)
	added := p99.Value - p99.Floor
	return []figure{
		p99.want(added <= 5, "≤ 5 ms more").noted("%s ms more, of %d fetches each; a bare flush of 4 kB on the same disk meanwhile: median %s ms, p99 %s ms",
			number(added), durable.took.count(), number(flushes.at(.5)), number(flushes.at(.99))),
		fetch("median", .5),
	}, nil
}

// bareFlushes flushes 4 kB twenty times a second until it is ended, to show what the disk takes for it.
func (b *bench) bareFlushes() (took *samples, end func() error, err error) {
	f, err := os.CreateTemp(b.dir, "flush-")
	if err != nil {
		return nil, nil, err
	}
	took = &samples{}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		block := make([]byte, 4096)
		for every := time.NewTicker(50 * time.Millisecond); ; {
			select {
			case <-stop:
				every.Stop()
				ended <- f.Close()
				return
			case <-every.C:
			}
			begun := time.Now()
			if _, err := f.WriteAt(block, 0); err == nil && f.Sync() == nil {
				took.add(time.Since(begun))
			}
		}
	}()
	return took, func() error { close(stop); return <-ended }, nil
}

// fetching is an archive with documents that are fetched.
type fetching struct {
	archive  *archive
	producer *producer
	ids      []uuid.UUID
	took     samples
}

func (c *cluster) newFetching(ctx context.Context, e engine, name string) (f *fetching, err error) {
	at, err := e.storage(ctx)
	if err != nil {
		return nil, err
	}
	f = &fetching{}
	if f.archive, err = c.startReplica(ctx, name, at); err != nil {
		return nil, err
	}
	if f.producer, err = f.archive.newProducer(ctx, pacedClients, newNotes(noteSize)); err != nil {
		f.archive.stop()
		return nil, err
	}
	for range c.bench.size(2000, 100) {
		f.ids = append(f.ids, uuid.New())
	}
	_, err = eachBy(ctx, pacedClients, len(f.ids), func(ctx context.Context, worker, i int) error {
		return f.producer.store(ctx, worker, "", f.ids[i], f.producer.notes.note(i))
	})
	if err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

func (f *fetching) stop() {
	f.producer.stop()
	f.archive.stop()
}

// turn fetches at the rate for a while.
func (f *fetching) turn(ctx context.Context, d time.Duration) error {
	n := int(pacedRate * d.Seconds())
	tokens, err := sign(ctx, f.producer.callers, n)
	if err != nil {
		return err
	}
	begun := time.Now()
	_, err = eachBy(ctx, pacedClients, n, func(ctx context.Context, worker, i int) error {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / pacedRate)))
		sent := time.Now()
		body, err := f.producer.read(ctx, worker, tokens[i], f.ids[i*7%len(f.ids)])
		if err == nil && len(body) != noteSize {
			err = fmt.Errorf("fetched %d bytes", len(body))
		}
		f.took.add(time.Since(sent))
		return err
	})
	return err
}

// inMemory gives the engine on a directory in memory.
func (e *sqliteEngine) inMemory(_ context.Context, dir string) (engine, func() error, error) {
	return &sqliteEngine{e.bench, dir}, func() error { return nil }, nil
}

func (e *postgresEngine) inMemory(ctx context.Context, dir string) (engine, func() error, error) {
	if err := os.Chmod(dir, 0o711); err != nil { // the server's account must pass
		return nil, nil, err
	}
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{Dir: dir})
	if err != nil {
		return nil, nil, err
	}
	return &postgresEngine{e.bench, cluster}, cluster.Close, nil
}
