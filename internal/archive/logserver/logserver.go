// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logserver serves the Merkle trees of the access log to anybody, in the layout of
// https://c2sp.org/tlog-tiles: one tree below the prefix of each month. There is nothing of a person in them.
package logserver

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/serving"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Options are what a server is made of.
type Options struct {
	// Store keeps the log.
	Store store.LogProofs
	// Verifier tells by which key the log signs.
	Verifier logproof.Verifier
	// Certificate gives the server's certificate at each handshake.
	Certificate func() (*tls.Certificate, error)
	Log         logr.Logger
}

// months is the list of the trees.
type months struct {
	// Key is the verifier key of the log.
	Key   string  `json:"key"`
	Trees []month `json:"trees"`
}

type month struct {
	// Prefix is where the tree is served below this server's root.
	Prefix string `json:"prefix"`
	Origin string `json:"origin"`
	// Key is the verifier key of this tree, for programs that know no months.
	Key string `json:"key"`
}

// Handler answers GET /months, /{month}/checkpoint and /{month}/tile/….
func Handler(opts Options) http.Handler {
	mux := http.NewServeMux()
	opts.Store = newTurns(opts.Store)
	s := server{opts}
	mux.HandleFunc("GET /months", s.months)
	mux.HandleFunc("GET /{month}/checkpoint", s.checkpoint)
	mux.HandleFunc("GET /{month}/tile/{path...}", s.tile)
	return mux
}

// Serve answers on the listener over TLS, to clients with and without a certificate, until ctx ends. It closes the
// listener.
func Serve(ctx context.Context, listener net.Listener, opts Options) error {
	server := &http.Server{
		Handler: Handler(opts), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return opts.Certificate() },
		},
		ErrorLog: serving.ConnectionLog(opts.Log),
	}
	return serving.Until(ctx, server, func() error { return server.ServeTLS(listener, "", "") })
}

type server struct{ opts Options }

func (s server) months(w http.ResponseWriter, r *http.Request) {
	there, err := s.opts.Store.LogTrees(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	list := months{Key: s.opts.Verifier.String(), Trees: []month{}}
	for _, one := range there {
		name := logproof.Month(one.Month)
		list.Trees = append(list.Trees, month{Prefix: one.Month, Origin: s.opts.Verifier.Origin(name), Key: s.opts.Verifier.MonthKey(name)})
	}
	body, err := json.Marshal(list)
	if err != nil {
		s.fail(w, err)
		return
	}
	answer(w, "application/json", passing, append(body, '\n'))
}

func (s server) checkpoint(w http.ResponseWriter, r *http.Request) {
	name, err := logproof.ParseMonth(r.PathValue("month"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	last, err := s.opts.Store.LogCheckpoint(r.Context(), string(name))
	if err != nil {
		s.fail(w, err)
		return
	}
	answer(w, "text/plain; charset=utf-8", passing, last.Note)
}

func (s server) tile(w http.ResponseWriter, r *http.Request) {
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	name, err := logproof.ParseMonth(r.PathValue("month"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	id, width, err := logproof.ParsePath(path)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	hashes, err := s.opts.Store.LogTile(r.Context(), string(name), id.Level, id.Index)
	size := width * logproof.HashSize
	switch {
	case err != nil:
		s.fail(w, err)
		return
	case len(hashes) < size:
		http.NotFound(w, r)
		return
	}
	body := hashes[:size]
	if id.Level == logproof.Entries {
		body = logproof.Bundle(body)
	}
	answer(w, "application/octet-stream", forever, body)
}

// How long an answer may be kept by those that it passes.
const (
	passing = "no-cache"
	forever = "public, max-age=31536000, immutable"
)

func answer(w http.ResponseWriter, contentType, caching string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", caching)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}

func (s server) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, store.ErrNotFound) {
		http.Error(w, "404 not found", http.StatusNotFound)
		return
	}
	if !errors.Is(err, context.Canceled) {
		s.opts.Log.Error(err, "The log cannot be served")
	}
	w.Header().Set("Retry-After", "5")
	http.Error(w, "503 the log cannot be read now", http.StatusServiceUnavailable)
}
