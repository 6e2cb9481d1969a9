// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestADrainingServerIsNotReadyAndPartsFromItsCallers(t *testing.T) {
	a := newArena(t)
	handler := a.server.partingFrom(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	told := func() string {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		return recorder.Header().Get("Connection")
	}
	if got := told(); got != "" {
		t.Errorf("before: Connection: %s", got)
	}
	a.server.Drain()
	if got := a.scrape("/readyz"); got.status != http.StatusServiceUnavailable || !strings.HasPrefix(got.body, "Draining: ") {
		t.Errorf("readyz: %+v", got)
	}
	if got := a.scrape("/healthz"); got.status != http.StatusOK {
		t.Errorf("healthz: %+v", got)
	}
	if got := told(); got != "close" {
		t.Errorf("Connection: %s", got)
	}
	a.put(a.unit, note("it answers on"), task)
}
