// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// postgresWriters is how many writing connections an archive has.
const postgresWriters = 4

type postgresEngine struct {
	bench   *bench
	cluster *pgcluster.Cluster
}

func (*postgresEngine) String() string { return "PostgreSQL" }

func (e *postgresEngine) storage(ctx context.Context) (replica.Storage, error) {
	at, err := e.bench.newStorage(e.bench.dir)
	if err != nil {
		return replica.Storage{}, err
	}
	database, err := e.cluster.NewDatabase(ctx, "")
	at.PostgresURI = e.cluster.URI(database)
	return at, err
}

func (*postgresEngine) open(ctx context.Context, at replica.Storage) (store.Store, error) {
	key, err := cursorKey(at)
	if err != nil {
		return nil, err
	}
	return postgres.Open(ctx, postgres.Options{URI: at.PostgresURI, CursorKey: key})
}

func (e *postgresEngine) plain(ctx context.Context) (*plainTable, error) {
	database, err := e.cluster.NewDatabase(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := e.cluster.Exec(ctx, database, "CREATE TABLE plain (id BYTEA NOT NULL PRIMARY KEY, body BYTEA NOT NULL)"); err != nil {
		return nil, err
	}
	var connections []*pgx.Conn
	t := &plainTable{close: func() {
		for _, c := range connections {
			_ = c.Close(context.WithoutCancel(ctx))
		}
	}}
	for range postgresWriters {
		c, err := pgx.Connect(ctx, e.cluster.URI(database))
		if err != nil {
			t.close()
			return nil, err
		}
		connections = append(connections, c)
		t.writers = append(t.writers, func(ctx context.Context, rows []plainRow) error {
			flight := &pgx.Batch{}
			flight.Queue("BEGIN")
			for i := range rows {
				flight.Queue("INSERT INTO plain VALUES ($1, $2)", rows[i].id[:], rows[i].body)
			}
			flight.Queue("COMMIT")
			return c.SendBatch(ctx, flight).Close()
		})
	}
	return t, nil
}
