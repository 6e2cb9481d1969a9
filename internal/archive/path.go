// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/valtuus/valtuus/internal/archive/problem"
)

// serve makes the operation's handler an http.Handler: the path that every request for data takes.
func (s *Server) serve(op operation, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := s.newExchange(w, r, op)
		x.finish(x.run(h, x.checkURL, x.identify, x.addressRegistry, x.refuseOver, x.authenticate))
	})
}

// serveNothing answers a request that is for no operation. It is recorded as well, but nobody has to
// be known for it.
func (s *Server) serveNothing(out outcome) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := s.newExchange(w, r, opUnknown)
		x.finish(x.run(func(*exchange) outcome { return out }, x.checkURL, x.identify))
	})
}

// run goes the path up to the answer: the steps, then the handler unless a step ends it. A panic becomes an error of the archive, told without its value,
// which may hold data.
func (x *exchange) run(h handler, steps ...func() *outcome) (out outcome) {
	defer func() {
		if r := recover(); r != nil {
			x.server.opts.Log.Error(nil, "panic in a request", "requestID", x.id, "operation", x.operation.String(),
				"type", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
			out = failed(problem.Of(problem.InternalError))
		}
	}()
	for _, step := range steps {
		if ended := step(); ended != nil {
			return *ended
		}
	}
	return h(x)
}

// ended makes an outcome one that ends the path.
func ended(o outcome) *outcome { return &o }
