// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
)

type adminReply struct {
	status int
	body   string
}

func (a *arena) scrape(path string) adminReply {
	recorder := httptest.NewRecorder()
	a.admin.ServeHTTP(recorder, httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, path, nil))
	return adminReply{recorder.Code, recorder.Body.String()}
}

type brokenProbe struct{ store.Store }

func (brokenProbe) Probe(context.Context, time.Time) error {
	return store.Unavailable("probing", errors.New("disk full"))
}

func TestReadinessNamesWhatStandsInTheWay(t *testing.T) {
	a := newArena(t)
	if got := a.scrape("/healthz"); got.status != http.StatusOK {
		t.Errorf("healthz: %+v", got)
	}
	if got := a.scrape("/readyz"); got.status != http.StatusOK {
		t.Fatalf("readyz: %+v", got)
	}
	a.advance(access.DefaultProducerBound + time.Second)
	if got := a.scrape("/readyz"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "ViewStale: the view is 11s old\n") {
		t.Errorf("stale view: %+v", got)
	}
	a.index.SetFreshness(a.clock.Now())
	a.anchors.SetPEM("")
	if got := a.scrape("/readyz"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "TrustAnchorsMissing: ") {
		t.Errorf("no anchors: %+v", got)
	}
	a.anchors.SetPEM(string(a.cards.AnchorsPEM()))
	engine := a.store.Store
	a.server.opts.Store = brokenProbe{engine}
	if got := a.scrape("/readyz"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "StoreUnavailable: ") {
		t.Errorf("broken store: %+v", got)
	}
	a.server.opts.Store = engine
	a.server.opts.View = index.New()
	if got := a.scrape("/readyz"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "ViewIncomplete: ") {
		t.Errorf("empty view: %+v", got)
	}
}

func TestMetricsCountByOperationOutcomeAndReason(t *testing.T) {
	a := newArena(t)
	a.put(a.unit, note("x"), task)
	a.otherUnit.search(map[string]any{})
	a.advance(3 * time.Second)
	got := a.scrape("/metrics").body
	for _, line := range []string{
		`valtuus_archive_requests_total{operation="Store",outcome="allowed",reason="allowed"} 1`,
		`valtuus_archive_requests_total{operation="Search",outcome="refused",reason="no-relationship"} 1`,
		`valtuus_archive_request_duration_seconds_count{operation="RegisterClient"} 1`,
		`valtuus_archive_view_age_seconds 3`,
		`valtuus_archive_commit_operations_count`, `valtuus_archive_commit_duration_seconds_count`,
		`valtuus_archive_use_log_duration_seconds_count`, `valtuus_archive_decision_duration_seconds_count`,
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %s", line)
		}
	}
}
