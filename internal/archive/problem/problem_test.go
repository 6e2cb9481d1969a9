// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package problem_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
)

func TestEveryKindIsToldInEveryLanguage(t *testing.T) {
	codes := map[string]bool{}
	for _, reason := range access.Reasons() {
		codes[reason.Code()] = true
	}
	for _, kind := range problem.Kinds() {
		if codes[kind.Code()] {
			t.Errorf("the code %q is taken", kind.Code())
		}
		codes[kind.Code()] = true
		if http.StatusText(kind.Status()) == "" || !strings.HasSuffix(kind.Type(), "/"+kind.Code()) {
			t.Errorf("%v: status %d, type %q", kind, kind.Status(), kind.Type())
		}
		seen := map[string]bool{}
		for _, lang := range []access.Lang{access.Finnish, access.Swedish, access.English} {
			text := kind.Text(lang)
			if text.Title == "" || text.Detail == "" || seen[text.Title] || seen[text.Detail] {
				t.Errorf("%v in %v is missing or not translated", kind, lang)
			}
			seen[text.Title], seen[text.Detail] = true, true
		}
	}
}

func TestWhatIsNoKindIsAnInternalError(t *testing.T) {
	for _, kind := range []problem.Kind{0, 255} {
		if kind.Status() != http.StatusInternalServerError || kind.Text(access.Finnish).Title == "" {
			t.Errorf("%d: %d", kind, kind.Status())
		}
	}
}

func TestBodyTellsWhatIsKnown(t *testing.T) {
	starts := time.Date(2026, 3, 1, 0, 0, 0, 0, time.FixedZone("EET", 7200))
	p := problem.OfDecision(access.Decision{Reason: access.ReasonRelationshipNotStarted, StartsAt: starts})
	var got map[string]any
	if err := json.Unmarshal(p.Body(access.English, "r-1"), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": access.ReasonRelationshipNotStarted.Type(), "status": 403.0, "reason": "relationship-not-started",
		"requestId": "r-1", "startsAt": "2026-02-28T22:00:00Z",
		"title":  access.ReasonRelationshipNotStarted.Text(access.English).Title,
		"detail": access.ReasonRelationshipNotStarted.Text(access.English).Detail,
	}
	if len(got) != len(want) {
		t.Errorf("members %v", got)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
}
