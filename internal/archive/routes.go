// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"
	"path"
	"strings"

	"github.com/valtuus/valtuus/internal/archive/problem"
)

// route is one address with the methods that it takes.
type route struct {
	path    string
	methods map[string]http.Handler
}

func (s *Server) routes() (http.Handler, error) {
	description, err := openAPIHandler()
	if err != nil {
		return nil, err
	}
	const registry = "/v1/registries/{oid}"
	read := s.serve(opRead, (*exchange).readDocument)
	mux := http.NewServeMux()
	for _, r := range []route{
		{registry + "/clients", map[string]http.Handler{"POST": s.serve(opRegisterClient, (*exchange).registerClient)}},
		{registry + "/clients/_search", map[string]http.Handler{"POST": s.serve(opFindClient, (*exchange).findClient)}},
		{registry + "/documents", map[string]http.Handler{"POST": s.serve(opStore, (*exchange).storeDocument)}},
		{registry + "/documents/_search", map[string]http.Handler{"POST": s.serve(opSearch, (*exchange).searchDocuments)}},
		{registry + "/documents/{id}", map[string]http.Handler{"GET": read, "HEAD": read}},
		{registry + "/explain", map[string]http.Handler{"POST": s.serve(opExplain, (*exchange).explain)}},
		{"/openapi.json", map[string]http.Handler{"GET": description, "HEAD": description}},
	} {
		mux.Handle(r.path, s.byMethod(r))
	}
	nothing := s.serveNothing(failed(problem.Of(problem.NotFound)))
	mux.Handle("/", nothing)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would answer an unclean path by a redirect that repeats it, unrecorded.
		if p := r.URL.Path; p != path.Clean(p) {
			nothing.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}), nil
}

func (s *Server) byMethod(r route) http.Handler {
	var methods []string
	for _, m := range []string{"GET", "HEAD", "POST"} {
		if r.methods[m] != nil {
			methods = append(methods, m)
		}
	}
	other := s.serveNothing(failed(problem.Of(problem.MethodNotAllowed)))
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if h := r.methods[req.Method]; h != nil {
			h.ServeHTTP(w, req)
			return
		}
		w.Header().Set("Allow", strings.Join(methods, ", "))
		other.ServeHTTP(w, req)
	})
}
