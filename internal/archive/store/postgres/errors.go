// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/groupcommit"
)

// The server's codes that decide something.
const (
	codeSerialization   = "40001"
	codeDeadlock        = "40P01"
	codeUniqueViolation = "23505"
	codeReadOnly        = "25006"
	codeNoTable         = "42P01"
	codeDivision        = "22012"
)

// unavailable are the codes, or their classes of two characters, of what a later try may mend.
var unavailable = map[string]string{
	"08":         "the connection failed",
	"0A000":      "the schema changed meanwhile", // a cached plan; the next try makes another
	codeReadOnly: "the server is read-only",
	"25P03":      "the transaction was idle for too long",
	"28":         "the server refuses the user or the password",
	"3D000":      "there is no such database",
	"42501":      "the user lacks a permission",
	"53":         "the server lacks resources",
	"53100":      "the server's disk is full",
	"53300":      "the server has too many connections",
	"55P03":      "a lock was not to be had in time",
	"57":         "the server was told to stop",
	"57014":      "the statement took too long",
	"57P03":      "the server does not take connections now",
	"58":         "the server's system failed",
	"XX":         "the server failed",
	"40003":      "the outcome is not known",
	"25P02":      "the transaction had failed before",
	"55000":      "the server is not in the state for it",
	"F0":         "the server's configuration is broken",
	"54":         "a limit of the server was reached",
}

// failure is what is told of an error of the server: the code, and names of the schema where they help. The
// server's message, detail and hint stay out: they may quote values.
type failure struct {
	code, constraint, text string
}

func (f *failure) Error() string {
	text := f.text
	if text == "" {
		text = "the server refused it"
	}
	if f.code != "" {
		text += " (SQLSTATE " + f.code + ")"
	}
	if f.constraint != "" {
		text += ", constraint " + f.constraint
	}
	return text
}

// classify says what an error means to a caller, in the errors of the package store; doing tells in English what
// was being done.
func classify(doing string, err error) error {
	var (
		pgErr      *pgconn.PgError
		connectErr *pgconn.ConnectError
		serverErr  serverError
	)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, groupcommit.ErrConflict):
		return err
	case closed(err):
		return store.ErrClosed
	case errors.As(err, &serverErr):
		return store.Unavailable(doing, serverErr)
	case errors.As(err, &pgErr):
		return classifyCode(doing, pgErr)
	case errors.As(err, &connectErr):
		return store.Unavailable(doing, &failure{text: unreachable(connectErr)})
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", doing, context.DeadlineExceeded)
	case lostConnection(err):
		return store.Unavailable(doing, &failure{text: "the connection was lost"})
	default: // its text may quote a value
		return fmt.Errorf("%s: unexpected %T", doing, err)
	}
}

func classifyCode(doing string, err *pgconn.PgError) error {
	f := describe(err)
	switch {
	case err.Code == codeSerialization, err.Code == codeDeadlock, err.Code == codeUniqueViolation:
		return fmt.Errorf("%s: %w: %w", doing, groupcommit.ErrConflict, f)
	case f.text != "":
		return store.Unavailable(doing, f)
	default:
		return fmt.Errorf("%s: %w", doing, f)
	}
}

// describe tells of the server's error what may be told.
func describe(err *pgconn.PgError) *failure {
	f := &failure{code: err.Code, constraint: err.ConstraintName, text: unavailable[err.Code]}
	if f.text == "" && len(err.Code) == 5 {
		f.text = unavailable[err.Code[:2]]
	}
	return f
}

// unreachable says why there is no connection, without the address.
func unreachable(err error) string {
	var (
		name    *net.DNSError
		cert    *tls.CertificateVerificationError
		timeout net.Error
	)
	switch {
	case errors.As(err, &name):
		return "the server's host name cannot be resolved"
	case errors.As(err, &cert):
		return "the server's certificate is not trusted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the server refuses connections"
	case errors.Is(err, pgconn.ErrStandbyConnection), errors.Is(err, pgconn.ErrReadOnlyConnection):
		return "the server takes no writes"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "the server did not answer in time"
	default:
		return "the server cannot be reached, or does not take TLS as asked"
	}
}

// lostConnection says whether the error is of the way to the server.
func lostConnection(err error) bool {
	var netErr net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.As(err, &netErr) ||
		pgconn.SafeToRetry(err)
}
