// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/failure"
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

// ready answers 200 if a producer's request could be answered now, else 503 with what stands in the way: one line for each
// reason, "Reason: message".
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	var missing []string
	for _, err := range []error{
		s.drainReady(),
		s.viewReady(),
		s.certificateReady(),
		present(s.opts.ClientCAs() != nil, failure.ClientAuthorityMissing, "the authority of clients is not known yet"),
		present(s.opts.TrustAnchors() != nil, failure.TrustAnchorsMissing, "the authorities of professionals' cards are not known"),
		s.storeReady(ctx),
	} {
		if err != nil {
			missing = append(missing, failure.Tell(err).String())
		}
	}
	if len(missing) > 0 {
		http.Error(w, strings.Join(missing, "\n"), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

func present(ok bool, reason failure.Reason, text string) error {
	if !ok {
		return failure.New(reason, text)
	}
	return nil
}

func (s *Server) drainReady() error {
	return present(!s.draining.Load(), failure.Draining, "it was asked to end, and finishes what it has")
}

func (s *Server) storeReady(ctx context.Context) error {
	err := s.opts.Store.Probe(ctx, s.opts.Clock.Now())
	if err != nil && failure.Of(err) == failure.Unknown {
		return failure.As(failure.StoreUnavailable, err)
	}
	return err
}

func (s *Server) certificateReady() error {
	current, err := s.opts.Certificate()
	if err != nil {
		return failure.As(failure.CertificateInvalid, err)
	}
	return CheckCertificate(current, s.opts.Clock.Now())
}

func (s *Server) viewReady() error {
	f := s.opts.View.Freshness()
	switch {
	case !f.Complete:
		return failure.New(failure.ViewIncomplete, "the view is not complete")
	case f.ProvenAt.IsZero():
		return failure.New(failure.ViewIncomplete, "the view is not proven")
	}
	// A registry may set another bound; this is the one that holds without one.
	if age := s.opts.Clock.Since(f.ProvenAt); age > access.DefaultProducerBound {
		return failure.New(failure.ViewStale, "the view is "+age.Round(time.Second).String()+" old")
	}
	return nil
}
