// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

func TestRelationshipOfTheExample(t *testing.T) {
	got, err := typeOf(t, catalog.StandIn(), "client-relationship").Relationship(examples.JSON("client-relationship"))
	want := store.Relationship{Unit: "1.2.246.10.99999992.10.1", Start: at(t, "2026-03-02T06:00:00Z"), Procurement: "Outsourced"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func drawRelationship(t *rapid.T) store.Relationship {
	instant := func(name string, from, until int64) time.Time {
		return time.Unix(rapid.Int64Range(from, until).Draw(t, name), 0).UTC()
	}
	r := store.Relationship{
		Unit:        rapid.StringMatching(`[0-2]([.](0|[1-9][0-9]{0,8})){2,8}`).Draw(t, "unit"),
		Start:       instant("start", -2_208_900_000, 253_300_000_000), // 1900 to 9996
		Procurement: rapid.SampledFrom([]string{"Outsourced", "Voucher", "PaymentCommitment"}).Draw(t, "procurement"),
	}
	if rapid.Bool().Draw(t, "ends") {
		r.End = instant("end", r.Start.Unix()+1, 253_320_000_000)
	}
	return r
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	kind := typeOf(t, catalog.StandIn(), "client-relationship")
	schema := current(t, catalog.StandIn(), "client-relationship")
	rapid.Check(t, func(t *rapid.T) {
		want := drawRelationship(t)
		body, err := kind.RelationshipDocument(want, noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(body); err != nil {
			t.Fatal(err)
		}
		if got, err := kind.Relationship(body); err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
		again, err := kind.RelationshipDocument(want, noon)
		if err != nil || string(again) != string(body) {
			t.Fatalf("got %s, then %s, %v", body, again, err)
		}
	})
}

// A right never lasts longer than the document says, although Kubernetes keeps whole seconds only.
func TestFractionsOfSecondsShortenTheRight(t *testing.T) {
	kind := typeOf(t, catalog.StandIn(), "client-relationship")
	rapid.Check(t, func(t *rapid.T) {
		said := drawRelationship(t)
		said.Start = said.Start.Add(time.Duration(rapid.Int64Range(0, 999_999_999).Draw(t, "start's fraction")))
		if !said.End.IsZero() {
			said.End = said.End.Add(2*time.Second + time.Duration(rapid.Int64Range(0, 999_999_999).Draw(t, "end's fraction")))
		}
		document := map[string]any{"producerUnit": said.Unit, "start": said.Start.Format(time.RFC3339Nano), "procurement": "service-voucher"}
		if !said.End.IsZero() {
			document["end"] = said.End.Format(time.RFC3339Nano)
		}
		body, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		written, writeErr := kind.RelationshipDocument(said, noon)
		if writeErr != nil {
			t.Fatal(writeErr)
		}
		for _, body := range [][]byte{body, written} {
			got, err := kind.Relationship(body)
			if err != nil {
				t.Fatal(err)
			}
			if got.Start.Nanosecond() != 0 || got.End.Nanosecond() != 0 || got.Start.Before(said.Start) || got.End.After(said.End) ||
				got.Start.Sub(said.Start) >= time.Second || said.End.Sub(got.End) >= time.Second {
				t.Fatalf("got %+v of %+v", got, said)
			}
		}
	})
}

func TestRelationshipRefuses(t *testing.T) {
	kind := typeOf(t, small.load(t), "relationship")
	const good = `{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00Z","until":"2026-02-01T00:00:00Z","how":"3"}`
	if r, err := kind.Relationship([]byte(good)); err != nil || r.Procurement != "Voucher" {
		t.Fatalf("got %+v, %v", r, err)
	}
	for body, pointer := range map[string]string{
		`{"from":"2026-01-01T00:00:00Z","how":"1"}`:                                                              "/where/unit",
		`{"where":"1.2.3","from":"2026-01-01T00:00:00Z","how":"1"}`:                                              "/where/unit",
		`{"where":{"unit":"Virtanen"},"from":"2026-01-01T00:00:00Z","how":"1"}`:                                  "/where/unit",
		`{"where":{"unit":123},"from":"2026-01-01T00:00:00Z","how":"1"}`:                                         "/where/unit",
		`{"where":{"unit":"1.2.3"},"how":"1"}`:                                                                   "/from",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01","how":"1"}`:                                               "/from",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00","how":"1"}`:                                      "/from",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T23:59:60Z","how":"1"}`:                                     "/from",
		`{"where":{"unit":"1.2.3"},"from":"0001-01-01T00:00:00Z","how":"1"}`:                                     "/from",
		`{"where":{"unit":"1.2.3"},"from":1767225600,"how":"1"}`:                                                 "/from",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00Z","until":"","how":"1"}`:                          "/until",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00Z","until":"later","how":"1"}`:                     "/until",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00Z","until":"2026-01-01T00:00:00Z","how":"1"}`:      "/until",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00Z","until":"2026-01-01T01:00:00+02:00","how":"1"}`: "/until",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00.1Z","until":"2026-01-01T00:00:00.9Z","how":"1"}`:  "/until",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00Z"}`:                                               "/how",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00Z","how":"Outsourced"}`:                            "/how",
		`{"where":{"unit":"1.2.3"},"from":"2026-01-01T00:00:00Z","how":1}`:                                       "/how",
		`[]`: "/where/unit",
	} {
		_, err := kind.Relationship([]byte(body))
		var told *catalog.InvalidError
		if !errors.As(err, &told) || len(told.Violations) != 1 || told.Violations[0].Pointer != pointer || told.Violations[0].Rule != "relationship" {
			t.Errorf("%s: got %v, want %s", body, err, pointer)
		}
	}
	if _, err := kind.Relationship([]byte(`{"from":1,"from":2}`)); !errors.Is(err, wellformed.ErrDuplicateName) {
		t.Errorf("got %v", err)
	}
	if _, err := typeOf(t, catalog.StandIn(), "case-note").Relationship([]byte(good)); err == nil {
		t.Error("a case note says nothing of relationships")
	}
}

func TestRelationshipDocumentRefuses(t *testing.T) {
	c := small.load(t)
	kind, start := typeOf(t, c, "relationship"), noon
	for name, bad := range map[string]struct {
		of      store.Relationship
		pointer string
	}{
		"unit":                        {store.Relationship{Unit: "x", Start: start, Procurement: "Voucher"}, "/where/unit"},
		"start":                       {store.Relationship{Unit: "1.2.3", Procurement: "Voucher"}, "/from"},
		"end":                         {store.Relationship{Unit: "1.2.3", Start: start, End: start, Procurement: "Voucher"}, "/until"},
		"no procurement":              {store.Relationship{Unit: "1.2.3", Start: start}, "/how"},
		"code unknown to the catalog": {store.Relationship{Unit: "1.2.3", Start: start, Procurement: "PaymentCommitment"}, "/how"},
	} {
		body, err := kind.RelationshipDocument(bad.of, noon)
		var told *catalog.InvalidError
		if !errors.As(err, &told) || told.Violations[0].Pointer != bad.pointer {
			t.Errorf("%s: got %s, %v", name, body, err)
		}
	}
	good := store.Relationship{Unit: "1.2.3", Start: start, Procurement: "Voucher"}
	if _, err := kind.RelationshipDocument(good, at(t, "2024-01-01T00:00:00Z")); !errors.Is(err, catalog.ErrNotInForce) {
		t.Errorf("before the first schema: got %v", err)
	}
	body, err := kind.RelationshipDocument(good, noon)
	if want := fmt.Sprintf(`{"from":%q,"how":"2","made":"by the archive","where":{"unit":"1.2.3"}}`, start.Format(time.RFC3339)); err != nil || string(body) != want {
		t.Errorf("got %s, %v, want %s", body, err, want)
	}
}
