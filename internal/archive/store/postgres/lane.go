// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

const (
	// flightTimeout bounds one exchange with the server from this side, where the server's own bounds do not
	// reach: a server that is gone without a word, a commit that waits for a standby.
	flightTimeout = 30 * time.Second
	// restTimeout is after how long at rest a connection is tried before it is used.
	restTimeout = time.Second
)

// lanes are the writing connections. One that breaks is made anew when it is next needed.
type lanes struct {
	free chan *lane
	// program is the schema version of this program, which each transaction is held to; 0 holds it to none.
	program int64

	mu   sync.Mutex // held while closing
	shut bool
}

// lane is one writing connection, used by one transaction at a time.
type lane struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn // nil while there is none
	rested time.Time // when it was last used
	warned bool      // the server has sent a warning since this was last cleared
}

func newLanes(config *pgx.ConnConfig, n int) *lanes {
	if n <= 0 {
		n = defaultLanes
	}
	l := &lanes{free: make(chan *lane, n)}
	for range n {
		one := &lane{config: config.Copy()}
		one.config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
			one.warned = one.warned || notice.SeverityUnlocalized == "WARNING"
		}
		l.free <- one
	}
	return l
}

// begin opens a transaction on a free lane. Nothing is sent yet.
func (l *lanes) begin() (sqlstore.Tx, error) {
	one, open := <-l.free
	if !open {
		return nil, store.ErrClosed
	}
	if err := one.ready(); err != nil {
		l.free <- one
		return nil, err
	}
	return newTx(l, one), nil
}

// close closes the lanes, each once its transaction has ended. Calling it again is harmless.
func (l *lanes) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return nil
	}
	l.shut = true
	var errs []error
	for range cap(l.free) {
		one := <-l.free
		errs = append(errs, one.disconnect())
	}
	close(l.free)
	return errors.Join(errs...)
}

// ready makes sure of a connection that works as far as one can tell.
func (l *lane) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), flightTimeout)
	defer cancel()
	if l.conn != nil && time.Since(l.rested) > restTimeout {
		ping, cancelPing := context.WithTimeout(ctx, connectTimeout)
		defer cancelPing()
		if l.conn.Ping(ping) != nil {
			_ = l.disconnect()
		}
	}
	if l.conn != nil && !l.conn.IsClosed() {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		l.conn = nil
		return classify("opening a connection for writing", inTime(err))
	}
	l.conn = conn
	return nil
}

// disconnect gives the connection up.
func (l *lane) disconnect() error {
	if l.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	err := l.conn.Close(ctx)
	l.conn = nil
	return classify("closing a connection", inTime(err))
}

// inTime says of an error that a bound set here made what it is to the caller, whose own context it is not.
func inTime(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &serverFailure{text: "the server did not answer in time", reason: failure.DatabaseUnreachable}
	}
	return err
}
