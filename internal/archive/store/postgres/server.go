// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/valtuus/valtuus/internal/archive/failure"
)

// oldestServer is the oldest server version that is supported, as the server numbers it.
const oldestServer = 150000

// serverError says why a server cannot keep the archive, and what to set. It holds no value of anyone.
type serverError string

func (e serverError) Error() string { return string(e) }

// FailureReason implements what failure.Of looks for.
func (serverError) FailureReason() failure.Reason { return failure.DatabaseUnfit }

// checkServer refuses a server that does not promise that a commit lasts, on every new connection: after a
// failover it is another server. It also pins synchronous_commit, so that a later change of the server's
// configuration does not weaken a connection that is in use.
func checkServer(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, `SELECT current_setting('server_version_num'), current_setting('server_encoding'),
		current_setting('fsync'), current_setting('synchronous_commit'),
		set_config('synchronous_commit', current_setting('synchronous_commit'), false)`).ReadAll()
	if err != nil {
		return err
	}
	row := results[0].Rows[0]
	return judgeServer(string(row[0]), string(row[1]), string(row[2]), string(row[3]))
}

func judgeServer(version, encoding, fsync, synchronousCommit string) error {
	if n, err := strconv.Atoi(version); err != nil || n < oldestServer {
		return serverError(fmt.Sprintf("the PostgreSQL server is older than version %d", oldestServer/10000))
	}
	switch {
	case encoding != "UTF8":
		return serverError("the database does not keep every text: make it with ENCODING 'UTF8'")
	case fsync != "on":
		return serverError("the PostgreSQL server does not promise that a commit survives a power cut: set fsync = on in its configuration")
	case synchronousCommit == "off":
		return serverError("the PostgreSQL server does not promise that a commit survives a power cut: set synchronous_commit = on in its configuration, and for the database and the role")
	}
	return nil
}
