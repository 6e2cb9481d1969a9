// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"net/http"
	"sync"
)

// refusals keeps the requests that the API server did not allow.
type refusals struct {
	mutex sync.Mutex
	found []string
}

func (r *refusals) over(inner http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		answer, err := inner.RoundTrip(request)
		if err == nil && answer.StatusCode == http.StatusForbidden {
			r.mutex.Lock()
			defer r.mutex.Unlock()
			r.found = append(r.found, request.Method+" "+request.URL.Path)
		}
		return answer, err
	})
}

func (r *refusals) list() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]string(nil), r.found...)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
