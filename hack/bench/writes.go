// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"net/http"
	"strings"
	"sync"
)

// refusedWrites are counted apart: they wrote nothing. Most are conflicts, which are looked at again.
const refusedWrites = "refused"

// writes counts what a client writes to the API server, by kind of write.
type writes struct {
	mutex  sync.Mutex
	byKind map[string]int
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// count wraps a client's transport.
func (w *writes) count(inner http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := inner.RoundTrip(r)
		if r.Method == http.MethodGet || err != nil {
			return response, err
		}
		kind := kindOfWrite(r)
		if response.StatusCode >= http.StatusBadRequest {
			kind = refusedWrites
		}
		w.mutex.Lock()
		defer w.mutex.Unlock()
		if w.byKind == nil {
			w.byKind = map[string]int{}
		}
		w.byKind[kind]++
		return response, nil
	})
}

// kindOfWrite is the method, the resource and the subresource.
func kindOfWrite(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	skip := 2 // api/v1
	if parts[0] == "apis" {
		skip = 3
	}
	parts = parts[min(skip, len(parts)):]
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	kind := strings.ToLower(r.Method) + " " + parts[0]
	if len(parts) > 2 {
		kind += "/" + parts[2]
	}
	return kind
}

func (w *writes) counts() map[string]int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return maps.Clone(w.byKind)
}

func (w *writes) reset() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.byKind = nil
}

func (w *writes) total() int { return sum(w.counts()) }

// sum is the number of writes that were accepted.
func sum(counts map[string]int) int {
	n := 0
	for kind, count := range counts {
		if kind != refusedWrites {
			n += count
		}
	}
	return n
}
