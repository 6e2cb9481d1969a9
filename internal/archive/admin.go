// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/serving"
)

const probeTimeout = 2 * time.Second

// AdminHandler serves /healthz, /readyz and /metrics, without TLS and without any data of a person, for
// a port of its own.
func (s *Server) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.opts.Gatherer, promhttp.HandlerOpts{}))
	return mux
}

// ServeAdmin serves AdminHandler on the listener until ctx ends. It closes the listener.
func (s *Server) ServeAdmin(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: s.AdminHandler(), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, ErrorLog: serving.ConnectionLog(s.opts.Log),
	}
	return serving.Until(ctx, server, func() error { return server.Serve(listener) })
}

// ready answers 200 if a producer's request could be answered now, else 503 with what stands in the way.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	var missing []string
	for _, check := range []struct {
		name string
		err  error
	}{
		{"view", s.viewReady()},
		{"client authority", present(s.opts.ClientCAs() != nil)},
		{"trust anchors", present(s.opts.TrustAnchors() != nil)},
		{"store", s.opts.Store.Probe(ctx, s.opts.Clock.Now())},
	} {
		if check.err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", check.name, check.err))
		}
	}
	if len(missing) > 0 {
		http.Error(w, strings.Join(missing, "\n"), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

func present(ok bool) error {
	if !ok {
		return fmt.Errorf("not known yet")
	}
	return nil
}

func (s *Server) viewReady() error {
	f := s.opts.View.Freshness()
	switch {
	case !f.Complete:
		return fmt.Errorf("not complete")
	case f.ProvenAt.IsZero():
		return fmt.Errorf("not proven")
	}
	// A registry may set another bound; this is the one that holds without one.
	if age := s.opts.Clock.Since(f.ProvenAt); age > access.DefaultProducerBound {
		return fmt.Errorf("%s old", age.Round(time.Second))
	}
	return nil
}
