// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

func TestDigests(t *testing.T) {
	body := []byte("body")
	good := "sha-256=:Iw2DWNyOiJC0xY3r7ziwk5GbRSfyvQ9L8ps3fTz3Phg=:"
	for line, want := range map[string]bool{
		"": true, "sha-512=:AAAA:": true, reprDigest([32]byte{}): false, "sha-256=garbage": false, "sha-256": false,
	} {
		if got := digestsHold(http.Header{"Content-Digest": {line}}, body); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
	if digestsHold(http.Header{"Repr-Digest": {good}}, []byte("other")) {
		t.Error("another body passed")
	}
}

func TestAnIdentityKeyDoesNotPrint(t *testing.T) {
	key := must(NewIdentityKey([]byte(strings.Repeat("k", IdentityKeySize))))(t)
	type holder struct{ hidden IdentityKey }
	for _, text := range []string{
		fmt.Sprint(key), fmt.Sprintf("%x %d %#v %+v %s", key, key, key, key, key),
		fmt.Sprintf("%v %+v %#v", holder{key}, holder{key}, &holder{key}),
	} {
		if strings.Contains(text, "kkk") || strings.Contains(text, "6b6b") || strings.Contains(text, "107 107") || strings.Contains(text, "0x6b, 0x6b") {
			t.Errorf("it prints %s", text)
		}
	}
	if _, err := NewIdentityKey([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}

func TestIdentityHashesDifferByKeyAndCode(t *testing.T) {
	codes := testCodes(2)
	first, second := must(identitycode.Parse(codes[0]))(t).Identifier(), must(identitycode.Parse(codes[1]))(t).Identifier()
	one := must(must(NewIdentityKey(make([]byte, IdentityKeySize)))(t).hasher())(t)
	other := must(must(NewIdentityKey([]byte(strings.Repeat("x", IdentityKeySize))))(t).hasher())(t)
	if again := one(first); again != one(first) || again == one(second) || one(first) == other(first) {
		t.Error("hashes do not tell codes and keys apart")
	}
}

// FuzzQueries holds that no query makes the server panic or take what it does not know.
func FuzzQueries(f *testing.F) {
	for _, seed := range []string{"client=a&type=b", "serviceTask=a&serviceTask=b", "%zz", "a;b",
		"client=3f2f8a38-7d1f-4a3c-9d8e-2c8f4d8a9b10&type=case-note&serviceTask=a&serviceTask=b&created=2026-01-01T00:00:00Z&matter=1.2:3&language=sv-FI&nonDisclosure=true&display=delayed&displayFrom=2027-01-01T00:00:00Z",
		"created=2026-01-01T00:00:00Z", "client=" + testCode} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", "application/json")
		x := &exchange{request: r, registry: registryOID, server: &Server{}, began: indextest.Now}
		doc, stopped := x.newDocumentQuery()
		if stopped != nil {
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil || len(doc.ServiceTasks) == 0 || len(doc.ServiceTasks) > store.MaxServiceTasks {
			t.Fatalf("took %q", query)
		}
		for name := range values {
			if name != "client" && name != "type" && name != "serviceTask" && !slices.Contains(versionParameters, name) {
				t.Fatalf("took the parameter %q", name)
			}
		}
		for _, code := range append(doc.ServiceTasks, doc.typeCode) {
			if identitycode.LooksLike(code) || !codePattern.MatchString(code) {
				t.Fatalf("took the code %q", code)
			}
		}
	})
}

// FuzzSearchBodies holds that criteria never carry an identity code into the use log.
func FuzzSearchBodies(f *testing.F) {
	for _, seed := range []string{
		`{"client":"3f2f8a38-7d1f-4a3c-9d8e-2c8f4d8a9b10"}`, `{"type":"` + testCode + `"}`, `{"limit":1e9}`,
		`{"client":"3f2f8a38-7d1f-4a3c-9d8e-2c8f4d8a9b10","storedFrom":"2026-01-01T00:00:00Z","limit":3}`, `[`, `{"limit":-1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		x := &exchange{request: r, registry: registryOID, writer: httptest.NewRecorder()}
		query, stopped := x.searchQuery()
		if stopped != nil {
			return
		}
		if err := query.Validate(); err != nil {
			t.Fatalf("took %v", err)
		}
		if identitycode.LooksLike(string(x.row.Criteria)) {
			t.Fatalf("criteria %s", x.row.Criteria)
		}
	})
}
