// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	product "github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// engine is what an archive can keep its documents in.
type engine interface {
	// String is its name.
	String() string
	// storage gives an empty place, with a key of its own.
	storage(ctx context.Context) (replica.Storage, error)
	// open opens the store in such a place, whether or not an archive has it open as well.
	open(ctx context.Context, at replica.Storage) (store.Store, error)
	// plain makes a plain table on the same disk.
	plain(ctx context.Context) (*plainTable, error)
	// inMemory gives the engine with its data in a directory of a file system in memory, and what ends it.
	inMemory(ctx context.Context, dir string) (engine, func() error, error)
}

// plainTable is one table of ids and bytes, without the product.
type plainTable struct {
	// writers insert rows in one durable transaction. There are as many as the archive has for the engine.
	writers []func(ctx context.Context, rows []plainRow) error
	close   func()
}

type plainRow struct {
	id   uuid.UUID
	body []byte
}

// batch is how many rows go into a transaction of a plain table.
const batch = 64

// fill inserts the rows in batches.
func (t *plainTable) fill(ctx context.Context, n int, body func(i int) []byte) (tally, error) {
	n = (n + batch - 1) / batch * batch
	took, err := eachBy(ctx, len(t.writers), n/batch, func(ctx context.Context, worker, i int) error {
		rows := make([]plainRow, batch)
		for k := range rows {
			rows[k] = plainRow{uuid.New(), body(i*batch + k)}
		}
		return t.writers[worker](ctx, rows)
	})
	return tally{n: n, took: took}, err
}

// engines are those that can be measured here.
func (b *bench) engines(ctx context.Context) ([]engine, error) {
	all := []engine{&sqliteEngine{b, b.dir}}
	if b.postgres == nil {
		cluster, err := pgcluster.Start(ctx, pgcluster.Options{})
		if errors.Is(err, pgcluster.ErrNoServer) {
			fmt.Printf("  PostgreSQL is left out: %s\n", err)
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		b.postgres = cluster
	}
	return append(all, &postgresEngine{b, b.postgres}), nil
}

// newStorage makes a new directory with the keys of a store.
func (b *bench) newStorage(in string) (replica.Storage, error) {
	dir := filepath.Join(in, fmt.Sprintf("data-%d", children.Add(1)))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return replica.Storage{}, err
	}
	secret := make([]byte, product.IdentityKeySize)
	if _, err := rand.Read(secret); err != nil {
		return replica.Storage{}, err
	}
	clientKey, err := clientkey.NewFile()
	if err != nil {
		return replica.Storage{}, err
	}
	at := replica.Storage{
		DataDir: dir, IdentityKeyFile: filepath.Join(dir, "identity.key"), ClientKeyFile: filepath.Join(dir, "client.key"),
	}
	return at, errors.Join(os.WriteFile(at.IdentityKeyFile, secret, 0o600), os.WriteFile(at.ClientKeyFile, clientKey, 0o600))
}

// onEach measures on each engine, with the cluster of one unit.
func (b *bench) onEach(ctx context.Context, measure func(*cluster, engine) ([]figure, error)) ([]figure, error) {
	c, err := b.oneUnit(ctx)
	if err != nil {
		return nil, err
	}
	return b.eachEngine(ctx, func(e engine) ([]figure, error) { return measure(c, e) })
}

// eachEngine measures on each engine.
func (b *bench) eachEngine(ctx context.Context, measure func(engine) ([]figure, error)) ([]figure, error) {
	engines, err := b.engines(ctx)
	if err != nil {
		return nil, err
	}
	var out []figure
	for _, e := range engines {
		figures, err := measure(e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		out = append(out, figures...)
	}
	return out, nil
}

// clientKeys reads the keys that a store's clients are sealed under.
func clientKeys(at replica.Storage) (clientkey.Keyring, error) {
	text, err := os.ReadFile(at.ClientKeyFile)
	if err != nil {
		return clientkey.Keyring{}, err
	}
	return clientkey.Parse(text)
}

// cursorKey derives what a store signs its cursors with, as the archive does.
func cursorKey(at replica.Storage) ([]byte, error) {
	secret, err := os.ReadFile(at.IdentityKeyFile)
	if err != nil {
		return nil, err
	}
	key, err := product.NewIdentityKey(secret)
	if err != nil {
		return nil, err
	}
	return key.CursorKey()
}

// logRow is a row as the archive writes it, about a client.
func logRow(registry string, client uuid.UUID) store.LogRow {
	return store.LogRow{
		Time: time.Now(), RequestID: uuid.NewString(), Registry: registry, Operation: "Store", Outcome: store.OutcomeAllowed, ClientID: client,
		Caller: "spiffe://archive.example/registry/" + registry + "/unit/1.2.246.10.1.30.1", Organization: "1.2.246.10.1.20.0",
		Unit: "1.2.246.10.1.30.1", Professional: "1001", Role: "social-worker",
	}
}
