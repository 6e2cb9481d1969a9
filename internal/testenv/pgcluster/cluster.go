// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pgcluster runs private PostgreSQL clusters for tests, the demo and the benchmarks, from server
// binaries that are installed. A cluster is durable (fsync is on), reachable on the loopback interface and a
// socket with a random password only, and can be stopped, killed and started again with its data kept. It ends
// with the program, however that ends.
//
// A test calls Shared or ForTest; a program calls Start and Close.
package pgcluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/valtuus/valtuus/internal/testenv/child"
)

const (
	startTimeout = 3 * time.Minute
	// endTimeout is how long it may take until processes of the server that were ended are gone.
	endTimeout = time.Minute
	// codeInUse is the server's word for a database with sessions.
	codeInUse = "55006"
	superuser = "postgres"
	dirPrefix = "valtuus-postgres-"
)

// Options for Start; the zero value suits most.
type Options struct {
	// Settings are added to postgresql.conf, e.g. "shared_buffers": "256MB".
	Settings map[string]string
	// Dir is where the cluster's directory is made; the directory for temporary files unless it is set.
	Dir string
}

// Cluster is one PostgreSQL cluster with its server. Its methods may be called from any goroutine.
type Cluster struct {
	server    *server
	dir       *directory
	port      *child.Port
	password  string
	databases atomic.Int64
}

// Start makes a cluster and starts its server. When it returns an error nothing is left; ErrNoServer says that
// no server is installed.
func Start(ctx context.Context, opts Options) (_ *Cluster, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	bin, err := findBinaries(ctx)
	if err != nil {
		return nil, err
	}
	who, err := serverAccount()
	if err != nil {
		return nil, err
	}
	if opts.Dir == "" {
		opts.Dir = os.TempDir()
	}
	removeLeftovers(opts.Dir)
	c := &Cluster{password: rand.Text()}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("private PostgreSQL cluster: %w", err), c.Close())
		}
	}()
	if c.dir, err = makeDirectory(opts.Dir, who); err != nil {
		return nil, err
	}
	if c.port, err = child.ReservePort(); err != nil {
		return nil, err
	}
	if err := c.initialize(ctx, bin, who, opts.Settings); err != nil {
		return nil, err
	}
	c.server = &server{
		path: filepath.Join(bin, "postgres"), args: []string{"-D", c.dir.data()},
		dir: c.dir.data(), log: c.dir.log(), account: who, ready: c.ready,
	}
	if err := c.server.start(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// initialize makes the data directory. The password goes through a file, which no other account can read.
func (c *Cluster) initialize(ctx context.Context, bin string, who *account, settings map[string]string) error {
	passwordFile := filepath.Join(c.dir.run(), "password")
	if err := os.WriteFile(passwordFile, []byte(c.password), 0o600); err != nil {
		return err
	}
	defer func() { _ = os.Remove(passwordFile) }()
	if err := who.own(passwordFile); err != nil {
		return err
	}
	// Not synced: a power cut before the first use leaves nothing that anyone needs.
	initdb := command(filepath.Join(bin, "initdb"), who, c.dir.data(), "-D", c.dir.data(), "-U", superuser,
		"--auth=scram-sha-256", "--pwfile="+passwordFile, "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := runBounded(ctx, initdb); err != nil {
		return fmt.Errorf("initdb: %w:\n%s", err, out)
	}
	all := map[string]string{
		"listen_addresses": "127.0.0.1", "port": strconv.Itoa(c.port.Number), "unix_socket_directories": c.dir.run(),
		// Many tests run at once, each with archives of its own, which take 20 each.
		"max_connections": "500",

		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"log_line_prefix": "%m [%p] ", "log_parameter_max_length": "0", "log_parameter_max_length_on_error": "0",
	}
	maps.Copy(all, settings)
	return c.writeSettings(all)
}

func (c *Cluster) writeSettings(settings map[string]string) error {
	f, err := os.OpenFile(filepath.Join(c.dir.data(), "postgresql.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if _, err := fmt.Fprintf(f, "%s = '%s'\n", key, strings.ReplaceAll(settings[key], "'", "''")); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// URI is how a client reaches a database of the cluster. It holds the password.
func (c *Cluster) URI(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, c.password),
		Host: "127.0.0.1:" + strconv.Itoa(c.port.Number), Path: "/" + database, RawQuery: "sslmode=disable&connect_timeout=60",
	}
	return u.String()
}

// socketURI reaches the database through the socket, also where the loopback interface is shut.
func (c *Cluster) socketURI(database string) string {
	query := url.Values{"host": {c.dir.run()}, "port": {strconv.Itoa(c.port.Number)}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, c.password), Path: "/" + database, RawQuery: query.Encode()}
	return u.String()
}

func (c *Cluster) ready(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.socketURI("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Exec runs one statement as the superuser, in the database.
func (c *Cluster) Exec(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, c.socketURI(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// NewDatabase makes an empty database and gives its name. The clauses, which may be empty, are those of CREATE
// DATABASE.
func (c *Cluster) NewDatabase(ctx context.Context, clauses string) (string, error) {
	name := "db" + strconv.FormatInt(c.databases.Add(1), 10)
	return name, c.Exec(ctx, "postgres", "CREATE DATABASE "+name+" TEMPLATE template0 "+clauses)
}

// DropDatabase removes a database that NewDatabase made, with the connections to it. The server itself waits no longer
// than 5 s until those that it has ended are gone.
func (c *Cluster) DropDatabase(ctx context.Context, name string) error {
	for deadline := time.Now().Add(endTimeout); ; {
		err := c.Exec(ctx, "postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != codeInUse || time.Now().After(deadline) {
			return err
		}
	}
}

// Quiet waits until no session is left in the database that a URI reaches: what a program that was killed had sent may
// go on for a moment.
func (c *Cluster) Quiet(ctx context.Context, uri string) error {
	config, err := pgx.ParseConfig(uri)
	if err != nil {
		return errors.New("this is no URI of a database")
	}
	conn, err := pgx.Connect(ctx, c.socketURI("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for {
		sessions := 0
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'", config.Database).Scan(&sessions); err != nil {
			return err
		}
		if sessions == 0 {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Stop ends the server in an orderly way: open connections are closed, open transactions undone. Stopping what
// does not run is no error.
func (c *Cluster) Stop() error { return c.server.stop() }

// Kill ends the server and all its processes at once, as a crash of its machine would.
func (c *Cluster) Kill() error { return c.server.killAll() }

// Restart stops the server if it runs, and starts it on its port and data again.
func (c *Cluster) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.server.stop(); err != nil {
		return err
	}
	return c.server.start(ctx)
}

// PID is the process id of the running server, for measuring; 0 when it does not run.
func (c *Cluster) PID() int { return c.server.pid() }

// LogTail gives the end of the server's log.
func (c *Cluster) LogTail(lines int) string { return child.Tail(c.dir.log(), lines) }

// KeepLog copies the server's log to where Close leaves it, and gives its path.
func (c *Cluster) KeepLog() (string, error) {
	content, err := os.ReadFile(c.dir.log())
	if err != nil {
		return "", err
	}
	kept, err := os.CreateTemp("", "valtuus-postgres-*.log")
	if err != nil {
		return "", err
	}
	_, err = kept.Write(content)
	return kept.Name(), errors.Join(err, kept.Close())
}

// Close ends the server and removes the cluster.
func (c *Cluster) Close() error {
	var errs []error
	if c.server != nil {
		errs = append(errs, c.server.stop())
	}
	if c.dir != nil {
		errs = append(errs, c.dir.remove())
	}
	if c.port != nil {
		c.port.Release()
	}
	return errors.Join(errs...)
}
