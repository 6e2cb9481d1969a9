// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
)

func TestProblemsAreToldInTheCallersLanguage(t *testing.T) {
	a := newArena(t)
	for acceptLanguage, lang := range map[string]access.Lang{
		"": access.Finnish, "fi": access.Finnish, "sv-FI, fi;q=0.5": access.Swedish, "en-GB": access.English,
		"de, sv;q=0.3": access.Swedish, "zh": access.Finnish, "%%%": access.Finnish,
	} {
		for name, c := range map[string]struct {
			got  reply
			text access.Text
		}{
			"decision":  {a.otherUnit.search(map[string]any{}, header("Accept-Language", acceptLanguage)), access.ReasonNoRelationship.Text(lang)},
			"bad input": {a.unit.get("/documents/7", header("Accept-Language", acceptLanguage)), problem.InvalidParameter.Text(lang)},
		} {
			if c.got.json["title"] != c.text.Title || c.got.json["detail"] != c.text.Detail ||
				c.got.header.Get("Content-Language") != lang.String() || c.got.header.Get("Vary") != "Accept-Language" ||
				c.got.header.Get("Content-Type") != problem.ContentType {
				t.Errorf("%q, %s: %s %v", acceptLanguage, name, c.got, c.got.header)
			}
		}
	}
}

func TestAProblemCarriesItsTypeAndRequestID(t *testing.T) {
	a := newArena(t)
	got := a.unit.get("/documents/"+uuid.NewString(), header("X-Request-Id", "my-request-1"))
	if got.json["type"] != problem.DocumentNotFound.Type() || got.json["requestId"] != "my-request-1" ||
		got.requestID() != "my-request-1" || got.json["status"] != float64(http.StatusNotFound) {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"short", "with space in it", "ä-request-id", "x\"y-request-id"} {
		if id := requestID(bad); id == bad || len(id) < minRequestID {
			t.Errorf("%q gives %q", bad, id)
		}
	}
}
