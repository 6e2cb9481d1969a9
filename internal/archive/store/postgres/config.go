// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/valtuus/valtuus/internal/archive/failure"
)

const (
	// connectTimeout bounds how long one host may take to answer; pgx's own default is two minutes.
	connectTimeout = 5 * time.Second
	pgxTimeout     = 2 * time.Minute
)

// sessionDefaults are what each connection asks of the server, unless the URI says otherwise. The server ends
// by itself what takes too long, so that the connection stays usable; and a replica that froze half-way through
// a transaction does not hold its locks for long.
var sessionDefaults = map[string]string{
	"application_name":                    "valtuus-archive",
	"statement_timeout":                   "20s",
	"lock_timeout":                        "10s",
	"idle_in_transaction_session_timeout": "60s",
	// Nothing in the store needs more, and less would let two replicas decide on what the other changes.
	"default_transaction_isolation": "repeatable read",
	"timezone":                      "UTC",
}

// parse reads the URI. Its errors tell nothing of it.
func parse(uri string) (*pgxpool.Config, error) {
	if uri == "" {
		return nil, failure.New(failure.DatabaseURIInvalid, "the PostgreSQL URI is missing")
	}
	config, err := pgxpool.ParseConfig(uri)
	if err != nil {
		return nil, failure.New(failure.DatabaseURIInvalid, "the PostgreSQL URI cannot be read; it should look like postgres://user:password@host:5432/database?sslmode=verify-full")
	}
	c := config.ConnConfig
	for name, value := range sessionDefaults {
		if _, said := c.RuntimeParams[name]; !said {
			c.RuntimeParams[name] = value
		}
	}
	if c.ConnectTimeout == pgxTimeout {
		c.ConnectTimeout = connectTimeout
	}
	if c.ValidateConnect == nil { // with several hosts, the one that takes writes
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	c.AfterConnect = checkServer
	return config, nil
}
