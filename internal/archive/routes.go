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
	const client = registry + "/clients/{id}"
	const document = registry + "/documents/{id}"
	type methods = map[string]http.Handler
	post := func(op operation, h handler) methods { return methods{"POST": s.serve(op, h)} }
	get := func(op operation, h handler) methods {
		served := s.serve(op, h)
		return methods{"GET": served, "HEAD": served}
	}
	with := func(served methods, method string, op operation, h handler) methods {
		served[method] = s.serve(op, h)
		return served
	}
	mux := http.NewServeMux()
	for _, r := range []route{
		{registry + "/clients", post(opRegisterClient, (*exchange).registerClient)},
		{registry + "/clients/_search", post(opFindClient, (*exchange).findClient)},
		{client, methods{"GET": s.serve(opReadClient, (*exchange).readClient)}},
		{client + "/basic-data", methods{"PUT": s.serve(opUpdateClient, (*exchange).updateClient)}},
		{client + "/identity", post(opSetIdentity, (*exchange).replaceIdentity)},
		{registry + "/documents", post(opStore, (*exchange).storeDocument)},
		{registry + "/documents/_search", post(opSearch, (*exchange).searchDocuments)},
		{document, with(get(opRead, (*exchange).readDocument), "PUT", opStore, (*exchange).putDocument)},
		{document + "/metadata", get(opReadMetadata, (*exchange).readMetadata)},
		{document + "/versions", with(methods{"GET": s.serve(opListVersions, (*exchange).listVersions)}, "POST", opNewVersion, (*exchange).addVersion)},
		{document + "/versions/{version}", get(opRead, (*exchange).readDocument)},
		{document + "/versions/{version}/signature", get(opReadSignature, (*exchange).readSignature)},
		{document + "/corrections", post(opCorrect, (*exchange).correctDocument)},
		{document + "/annulment", post(opAnnul, (*exchange).annulDocument)},
		{registry + "/matters", post(opOpenMatter, (*exchange).addMatter)},
		{registry + "/matters/_search", post(opSearchMatters, (*exchange).searchMatters)},
		{registry + "/matters/{id}", get(opReadMatter, (*exchange).readMatter)},
		{registry + "/matters/{id}/closure", post(opCloseMatter, (*exchange).closeMatter)},
		{registry + "/matters/{id}/reopening", post(opReopenMatter, (*exchange).reopenMatter)},
		{registry + "/relationships/_history", post(opRelationshipHistory, (*exchange).relationshipHistory)},
		{registry + "/relationships/_review", post(opRelationshipReview, (*exchange).reviewRelationships)},
		{registry + "/summary", post(opSummary, (*exchange).summarize)},
		{registry + "/explain", post(opExplain, (*exchange).explain)},
		{registry + "/log/_search", post(opSearchLog, (*exchange).searchLog)},
		{registry + "/log/_unusual", post(opUnusualUse, (*exchange).unusualUse)},
		{registry + "/log/_report", post(opReportLog, (*exchange).reportLog)},
		{registry + "/log/withholdings", post(opWithholdLog, (*exchange).withholdLog)},
		{registry + "/log/withholdings/_search", post(opListWithheld, (*exchange).listWithheld)},
		{registry + "/log/withholdings/{id}/lifting", post(opLiftWithholding, (*exchange).liftWithholding)},
		{registry + "/log/_extract", post(opExtractLog, (*exchange).extractLog)},
		{registry + "/catalog", methods{"GET": s.serveOpenly((*exchange).readCatalog)}},
		{registry + "/catalog/schemas/{type}/{version}", methods{"GET": s.serveOpenly((*exchange).readSchema)}},
		{"/openapi.json", methods{"GET": description, "HEAD": description}},
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
	for _, m := range []string{"GET", "HEAD", "POST", "PUT"} {
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
