// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package serving runs HTTP servers until their context ends.
package serving

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Grace is the time that a server takes to end.
type Grace struct {
	// Answers is how long running requests may take to finish. Then their connections are closed.
	Answers time.Duration
	// Records is how long handlers may then take to write down what came of their requests.
	Records time.Duration
}

// grace fits into the time that a pod has to end.
var grace = Grace{Answers: 20 * time.Second, Records: 8 * time.Second}

// Until runs serve until it fails or ctx ends; then it shuts the server down gracefully.
func Until(ctx context.Context, server *http.Server, serve func() error) error {
	return grace.Until(ctx, server, serve)
}

// Until runs serve until it fails or ctx ends; then it shuts the server down. It waits for handlers whose connection is
// gone already, too: what they leave behind is on the disk when it returns.
func (g Grace) Until(ctx context.Context, server *http.Server, serve func() error) error {
	handlers := &running{handler: server.Handler}
	server.Handler = handlers
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	answers, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.Answers)
	defer cancel()
	if err := server.Shutdown(answers); err != nil {
		return errors.Join(fmt.Errorf("shutting down: %w", err), server.Close(), handlers.wait(g.Records))
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return handlers.wait(g.Records)
}

// running knows when no handler runs any more. Each holds the lock shared.
type running struct {
	handler http.Handler
	lock    sync.RWMutex
}

// ServeHTTP implements http.Handler.
func (r *running) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.lock.RLock()
	defer r.lock.RUnlock()
	r.handler.ServeHTTP(w, request)
}

func (r *running) wait(most time.Duration) error {
	none := make(chan struct{})
	go func() {
		defer close(none)
		r.lock.Lock()
		defer r.lock.Unlock()
	}()
	select {
	case <-none:
		return nil
	case <-time.After(most):
		return errors.New("requests were still running at the end")
	}
}
