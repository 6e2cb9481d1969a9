// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import "net/http"

// Drain makes the server not ready, and has each caller connect anew after its next answer, to whoever takes over:
// HTTP/1.1 callers are told to close the connection, HTTP/2 callers get GOAWAY. The server goes on answering.
func (s *Server) Drain() { s.draining.Store(true) }

// partingFrom lets callers go while the server drains.
func (s *Server) partingFrom(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close") // for HTTP/2 net/http makes a GOAWAY of it
		}
		handler.ServeHTTP(w, r)
	})
}
