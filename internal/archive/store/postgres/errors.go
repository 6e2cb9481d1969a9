// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/valtuus/valtuus/internal/archive/failure"
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

// cause is what a code of the server means.
type cause struct {
	text   string
	reason failure.Reason
}

// unavailable are the codes, or their classes of two characters, of what a later try may mend.
var unavailable = map[string]cause{
	"08":         {"the connection failed", failure.DatabaseUnreachable},
	"0A000":      {"the schema changed meanwhile", failure.StoreUnavailable}, // a cached plan; the next try makes another
	codeReadOnly: {"the server is read-only", failure.DatabaseReadOnly},
	"25P03":      {"the transaction was idle for too long", failure.StoreUnavailable},
	"28":         {"the server refuses the user or the password", failure.DatabaseAuthenticationFailed},
	"3D000":      {"there is no such database", failure.DatabaseUnknown},
	"42501":      {"the user lacks a permission", failure.DatabaseForbidden},
	"53":         {"the server lacks resources", failure.StoreUnavailable},
	"53100":      {"the server's disk is full", failure.DatabaseFull},
	"53300":      {"the server has too many connections", failure.DatabaseUnreachable},
	"55P03":      {"a lock was not to be had in time", failure.StoreUnavailable},
	"57":         {"the server was told to stop", failure.DatabaseUnreachable},
	"57014":      {"the statement took too long", failure.StoreUnavailable},
	"57P03":      {"the server does not take connections now", failure.DatabaseUnreachable},
	"58":         {"the server's system failed", failure.StoreUnavailable},
	"XX":         {"the server failed", failure.StoreUnavailable},
	"40003":      {"the outcome is not known", failure.StoreUnavailable},
	"25P02":      {"the transaction had failed before", failure.StoreUnavailable},
	"55000":      {"the server is not in the state for it", failure.StoreUnavailable},
	"F0":         {"the server's configuration is broken", failure.StoreUnavailable},
	"54":         {"a limit of the server was reached", failure.StoreUnavailable},
}

// serverFailure is what is told of an error of the server: the code, and names of the schema where they help. The
// server's message, detail and hint stay out: they may quote values.
type serverFailure struct {
	code, constraint, text string
	reason                 failure.Reason
}

// FailureReason implements what failure.Of looks for.
func (f *serverFailure) FailureReason() failure.Reason { return cmp.Or(f.reason, failure.Unknown) }

func (f *serverFailure) Error() string {
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
		return store.Unavailable(doing, unreachable(connectErr))
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", doing, context.DeadlineExceeded)
	case lostConnection(err):
		return store.Unavailable(doing, &serverFailure{text: "the connection was lost", reason: failure.DatabaseUnreachable})
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
func describe(err *pgconn.PgError) *serverFailure {
	known, ok := unavailable[err.Code]
	if !ok && len(err.Code) == 5 {
		known = unavailable[err.Code[:2]]
	}
	return &serverFailure{code: err.Code, constraint: err.ConstraintName, text: known.text, reason: known.reason}
}

// unreachable says why there is no connection, without the address.
func unreachable(err error) *serverFailure {
	var (
		name    *net.DNSError
		cert    *tls.CertificateVerificationError
		timeout net.Error
	)
	out := &serverFailure{reason: failure.DatabaseUnreachable}
	switch {
	case errors.As(err, &name):
		out.text = "the server's host name cannot be resolved"
	case errors.As(err, &cert):
		out.text = "the server's certificate is not trusted"
	case errors.Is(err, pgconn.ErrStandbyConnection), errors.Is(err, pgconn.ErrReadOnlyConnection):
		out.text, out.reason = "the server takes no writes", failure.DatabaseReadOnly
	case errors.Is(err, syscall.ECONNREFUSED):
		out.text = "the server refuses connections"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		out.text = "the server did not answer in time"
	default:
		out.text = "the server cannot be reached, or does not take TLS as asked"
	}
	return out
}

// lostConnection says whether the error is of the way to the server.
func lostConnection(err error) bool {
	var netErr net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.As(err, &netErr) ||
		pgconn.SafeToRetry(err)
}
