// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/valtuus/valtuus/internal/testenv/child"
)

// standbyName is how the standby calls itself to its primary.
const standbyName = "standby"

// StartStandby copies the cluster, which must run, and starts the copy as its synchronous standby: from then on a commit
// lasts on both before it is told. The standby is a cluster of its own, with the same databases and the same password.
// When it returns an error nothing is left of it.
func (c *Cluster) StartStandby(ctx context.Context) (_ *Cluster, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s := &Cluster{password: c.password}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("standby of a private PostgreSQL cluster: %w", err), s.Close())
		}
	}()
	if s.dir, err = makeDirectory(os.TempDir(), c.server.account); err != nil {
		return nil, err
	}
	if s.port, err = child.ReservePort(); err != nil {
		return nil, err
	}
	copying := command(filepath.Join(filepath.Dir(c.server.path), "pg_basebackup"), c.server.account, s.dir.data(),
		"-D", s.dir.data(), "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync",
		"-d", c.socketURI("postgres")+"&application_name="+standbyName)
	if out, err := runBounded(ctx, copying); err != nil {
		return nil, fmt.Errorf("pg_basebackup: %w:\n%s", err, out)
	}
	if err := s.writeSettings(map[string]string{
		"port": strconv.Itoa(s.port.Number), "unix_socket_directories": s.dir.run(),
		"wal_retrieve_retry_interval": "100ms", // one that looks for its lost primary for 5 s is sometimes promoted after that only
	}); err != nil {
		return nil, err
	}
	s.server = &server{
		path: c.server.path, args: []string{"-D", s.dir.data()},
		dir: s.dir.data(), log: s.dir.log(), account: c.server.account, ready: s.ready,
	}
	if err := s.server.start(ctx); err != nil {
		return nil, err
	}
	return s, c.waitForStandby(ctx)
}

func (c *Cluster) waitForStandby(ctx context.Context) error {
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + standbyName + "'", "SELECT pg_reload_conf()"} {
		if err := c.Exec(ctx, "postgres", statement); err != nil {
			return err
		}
	}
	for {
		synchronous, err := c.hasStandby(ctx)
		if err != nil {
			return err
		}
		if synchronous {
			// Commits wait once the checkpointer has read the setting too, which it does before it does anything else.
			return c.Exec(ctx, "postgres", "CHECKPOINT")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *Cluster) hasStandby(ctx context.Context) (synchronous bool, err error) {
	conn, err := pgx.Connect(ctx, c.socketURI("postgres"))
	if err != nil {
		return false, err
	}
	err = conn.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&synchronous)
	return synchronous, errors.Join(err, conn.Close(ctx))
}

// Promote makes a standby take writes, and waits until it does.
func (c *Cluster) Promote(ctx context.Context) error {
	return c.Exec(ctx, "postgres", "SELECT pg_promote()")
}

// EitherURI is how a client reaches a database on this cluster or on the other, whichever takes writes.
func (c *Cluster) EitherURI(other *Cluster, database string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d,127.0.0.1:%d/%s?sslmode=disable&connect_timeout=60&target_session_attrs=read-write",
		superuser, c.password, c.port.Number, other.port.Number, database)
}
