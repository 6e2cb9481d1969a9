// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/groupcommit"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

func TestClassify(t *testing.T) {
	const secret = "010190-999X"
	code := func(code string) error {
		return fmt.Errorf("query: %w", &pgconn.PgError{
			Severity: "ERROR", Code: code, Message: secret, Detail: secret, Hint: secret, Where: secret, InternalQuery: secret, ConstraintName: "clients_pkey",
		})
	}
	for name, c := range map[string]struct {
		err  error
		want error // nil: none that the package store knows
	}{
		"conflict":            {code("40001"), groupcommit.ErrConflict},
		"deadlock":            {code("40P01"), groupcommit.ErrConflict},
		"taken key":           {code("23505"), groupcommit.ErrConflict},
		"connection failure":  {code("08006"), store.ErrUnavailable},
		"admin shutdown":      {code("57P01"), store.ErrUnavailable},
		"crash shutdown":      {code("57P02"), store.ErrUnavailable},
		"cannot connect now":  {code("57P03"), store.ErrUnavailable},
		"too many":            {code("53300"), store.ErrUnavailable},
		"disk full":           {code("53100"), store.ErrUnavailable},
		"out of memory":       {code("53200"), store.ErrUnavailable},
		"read-only":           {code("25006"), store.ErrUnavailable},
		"statement timeout":   {code("57014"), store.ErrUnavailable},
		"lock timeout":        {code("55P03"), store.ErrUnavailable},
		"I/O error":           {code("58030"), store.ErrUnavailable},
		"corrupt":             {code("XX001"), store.ErrUnavailable},
		"password":            {code("28P01"), store.ErrUnavailable},
		"no table":            {code("42P01"), nil},
		"bad text":            {code("22021"), nil},
		"lost connection":     {fmt.Errorf("%w: %s", io.ErrUnexpectedEOF, secret), store.ErrUnavailable},
		"network":             {&net.OpError{Op: "dial", Err: errors.New(secret)}, store.ErrUnavailable},
		"closed connection":   {fmt.Errorf("%s: %w", secret, pgconn.ErrConnClosed), store.ErrUnavailable},
		"this store":          {errors.New("sql: database is closed"), store.ErrClosed},
		"pool":                {errors.New("closed pool"), store.ErrClosed},
		"caller's end":        {fmt.Errorf("%s: %w", secret, context.Canceled), context.Canceled},
		"caller's time":       {fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), context.DeadlineExceeded},
		"what nobody foresaw": {errors.New(secret), nil},
	} {
		got := classify("doing", c.err)
		if c.want != nil && !errors.Is(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if c.want == nil && (errors.Is(got, store.ErrUnavailable) || errors.Is(got, groupcommit.ErrConflict)) {
			t.Errorf("%s: got %v", name, got)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", got, got, got), secret) {
			t.Errorf("%s: the error quotes a value: %v", name, got)
		}
		if again := classify("again", got); c.want != nil && !errors.Is(again, c.want) {
			t.Errorf("%s: classified twice it is %v", name, again)
		}
	}
	if classify("doing", nil) != nil {
		t.Error("an error out of none")
	}
}

// TestErrorsDoNotTellTheURI opens what cannot be opened, in every way there is.
func TestErrorsDoNotTellTheURI(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	for name, bad := range map[string]string{
		"wrong password": strings.Replace(uri, "//postgres:", "//postgres:secret-word", 1),
		"no such user":   strings.Replace(uri, "//postgres:", "//secret-word:", 1),
		"no database":    strings.Replace(uri, "/db", "/secret-word", 1),
		"no server":      "postgres://user:secret-word@127.0.0.1:1/secret-word?sslmode=disable",
		"no host":        "postgres://user:secret-word@secret-word.invalid/x?connect_timeout=1",
		"no TLS":         strings.Replace(uri, "sslmode=disable", "sslmode=require", 1),
		"not a URI":      "postgres://user:secret-word@:::/%zz",
		"bad option":     uri + "&secret-word=1",
		"no scheme":      "secret-word",
		"bad pool":       uri + "&pool_max_conns=secret-word",
	} {
		err := tryOpen(t, bad)
		if err == nil {
			t.Errorf("%s: opened", name)
			continue
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "secret-word") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("%s: the error tells of the URI: %v", name, err)
		}
		t.Logf("%s: %v", name, err)
	}
}

// TestAFailureOfTheServerQuotesNoValue provokes real errors whose message or detail holds the value.
func TestAFailureOfTheServerQuotesNoValue(t *testing.T) {
	config, err := parse(pgcluster.Shared(t).Database(t))
	if err != nil {
		t.Fatal(err)
	}
	lanes := newLanes(config.ConnConfig, 1)
	defer func() { _ = lanes.close() }()
	const secret = "010190-999X"
	for _, query := range []string{
		`SELECT CAST($1 AS TEXT)::BIGINT`, `SELECT * FROM no_table WHERE x = $1`, `SELECT CAST($1 AS TEXT)::TIMESTAMPTZ`,
	} {
		tx, err := lanes.begin()
		if err != nil {
			t.Fatal(err)
		}
		var dest int
		_, err = tx.Get("asking", query, []any{secret}, &dest)
		tx.Rollback()
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", query, err)
		}
	}
	tx, err := lanes.begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var dest int
	if _, err = tx.Get("asking", `SELECT CAST($1 AS TEXT)`, []any{secret}, &dest); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("scanning: %v", err)
	}
}
