// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/archive/serving"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// Limits of a connection. An assertion may take 16 KiB of the header, and so may each of two signatures.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// Server serves the archive's HTTP API.
type Server struct {
	opts Options
	hash func(identitycode.Identifier) store.IdentityHash
	// documentID gives the id of the document that a caller stores in a registry under an Idempotency-Key.
	documentID func(caller, registry, key string) uuid.UUID
	// cursors are those of the history of relationships.
	cursors *cursor.Codec
	// telling puts what the sink of relationships is told into an order.
	telling sync.Mutex
	replay  *assertion.ReplayCache
	cards   *card.Ways // of cards that were used to log in
	// signatures remembers the cards that sign documents.
	signatures signature.Verifier
	handler    http.Handler
	draining   atomic.Bool
}

// NewServer makes a server. It reads from the use log which assertions were used lately, so that none
// serves again after a restart.
func NewServer(ctx context.Context, opts Options) (*Server, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	hash, err := opts.IdentityKey.hasher()
	if err != nil {
		return nil, err
	}
	documentID, err := opts.IdentityKey.documentIDs()
	if err != nil {
		return nil, err
	}
	cursorKey, err := opts.IdentityKey.CursorKey()
	if err != nil {
		return nil, err
	}
	cursors, err := cursor.NewCodec(cursorKey)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, hash: hash, documentID: documentID, cursors: cursors, replay: assertion.NewReplayCache(opts.ReplayLimit), cards: assertion.NewWays()}
	if err := s.rememberAssertions(ctx); err != nil {
		return nil, err
	}
	if s.handler, err = s.routes(); err != nil {
		return nil, err
	}
	opts.Metrics.watchView(opts.View, opts.Clock)
	return s, nil
}

// replayMemory is longer than any assertion that still holds can have been in use.
const replayMemory = assertion.MaxLifetime + 2*assertion.ClockSkew

func (s *Server) rememberAssertions(ctx context.Context) error {
	now := s.opts.Clock.Now()
	seen, err := s.opts.Store.RecentAssertionIDs(ctx, now.Add(-replayMemory))
	if err != nil {
		return fmt.Errorf("reading the assertions used lately: %w", err)
	}
	known := map[string]bool{}
	for _, one := range seen {
		if known[one.Key] || !now.Before(one.Expires) {
			continue
		}
		known[one.Key] = true
		if !s.replay.Claim(one.Key, one.Expires, now) {
			return errors.New("more assertions were used lately than the server can remember")
		}
	}
	return nil
}

// Handler gives the API without its connections; a request needs TLS with a verified client certificate.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on the listener until ctx ends, then lets running requests finish. It closes the listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := s.http()
	return serving.Until(ctx, server, func() error { return server.ServeTLS(listener, "", "") })
}

func (s *Server) http() *http.Server {
	return &http.Server{
		Handler:           s.partingFrom(s.handler),
		TLSConfig:         s.tlsConfig(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          serving.ConnectionLog(s.opts.Log),
	}
}

// requestLog writes the line of a request. Nothing of a person may be among its values.
func requestLog(log logr.Logger, x *exchange, reason string, status int) {
	log.Info("request", "requestID", x.id, "operation", x.operation.String(), "reason", reason,
		"status", status, "duration", x.elapsed().String())
}
