// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logserver_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logserver"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func fill(t *testing.T, s *sqlstore.Store, n int) {
	t.Helper()
	var rows []store.LogRow
	for i := range n {
		row := storetest.Row("document.read", start.Add(time.Duration(i)*time.Millisecond))
		row.ClientID = uuid.UUID{0: 1, 15: byte(i % 5)}
		rows = append(rows, row)
	}
	if err := s.AppendLog(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
}

// An independent verifier, which reads the format with code that is not ours, accepts what is served, as it grows.
func TestTesserasOwnClientAcceptsWhatIsServed(t *testing.T) {
	g := NewWithT(t)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), CursorKey: bytes.Repeat([]byte{7}, 32)})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = s.Close() }()
	key := storetest.LogKey(t)
	server := httptest.NewTLSServer(logserver.Handler(logserver.Options{Store: s, Verifier: key.Verifier(), Log: logr.Discard()}))
	defer server.Close()
	web := server.Client()

	g.Expect(get(t, web, server.URL+"/2026-03/checkpoint").StatusCode).To(Equal(http.StatusNotFound), "before anything is there")
	var tracker *client.LogStateTracker
	for _, rows := range []int{3, 600, 700} {
		fill(t, s, rows)
		sequencer := storetest.Sequencer(s, key, start)
		g.Expect(sequencer.CatchUp(t.Context())).To(Succeed())
		g.Expect(sequencer.Checkpoint(t.Context())).To(Succeed())

		var list struct {
			Trees []struct{ Prefix, Origin, Key string }
		}
		body := get(t, web, server.URL+"/months")
		g.Expect(json.NewDecoder(body.Body).Decode(&list)).To(Succeed())
		g.Expect(list.Trees).To(HaveLen(1))
		tree := list.Trees[0]
		verifier, err := note.NewVerifier(tree.Key)
		g.Expect(err).NotTo(HaveOccurred())
		root, err := url.Parse(server.URL + "/" + tree.Prefix + "/")
		g.Expect(err).NotTo(HaveOccurred())
		fetcher, err := client.NewHTTPFetcher(root, web)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(fsck.New(tree.Origin, verifier, fetcher, leafHashes, fsck.Opts{N: 2}).Check(t.Context())).To(Succeed())
		if tracker == nil {
			tracker, err = client.NewLogStateTracker(t.Context(), fetcher.ReadTile, nil, verifier, tree.Origin, client.UnilateralConsensus(fetcher.ReadCheckpoint))
			g.Expect(err).NotTo(HaveOccurred())
			continue
		}
		_, _, _, err = tracker.Update(t.Context())
		g.Expect(err).NotTo(HaveOccurred(), "the tree goes on from what was seen")
	}
	g.Expect(tracker.Latest().Size).To(BeEquivalentTo(1303))
}

func leafHashes(raw []byte) (all [][]byte, err error) {
	var bundle api.EntryBundle
	if err := bundle.UnmarshalText(raw); err != nil {
		return nil, err
	}
	for _, one := range bundle.Entries {
		leaf := tlog.RecordHash(one)
		all = append(all, leaf[:])
	}
	return all, nil
}

func TestOnlyWhatIsThereIsServedAndOnlyByGet(t *testing.T) {
	g := NewWithT(t)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), CursorKey: bytes.Repeat([]byte{7}, 32)})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = s.Close() }()
	key := storetest.LogKey(t)
	fill(t, s, 300)
	sequencer := storetest.Sequencer(s, key, start)
	g.Expect(errors.Join(sequencer.CatchUp(t.Context()), sequencer.Checkpoint(t.Context()))).To(Succeed())
	server := httptest.NewServer(logserver.Handler(logserver.Options{Store: s, Verifier: key.Verifier(), Log: logr.Discard()}))
	defer server.Close()
	for path, want := range map[string]int{
		"/months": 200, "/2026-03/checkpoint": 200, "/2026-03/tile/0/000": 200, "/2026-03/tile/0/001.p/44": 200, "/2026-03/tile/0/001.p/10": 200,
		"/2026-03/tile/entries/000": 200, "/2026-03/tile/1/000.p/1": 200,
		"/2026-03/tile/0/001": 404, "/2026-03/tile/0/001.p/45": 404, "/2026-03/tile/0/002": 404, "/2026-03/tile/0/0": 404, "/2026-03/tile/0/000.p/256": 404,
		"/2026-04/checkpoint": 404, "/2026-13/checkpoint": 404, "/x/checkpoint": 404, "/2026-03/records": 404, "/": 404,
		"/2026-03/tile/0/../../checkpoint": 200, // as the client of this test cleans it
	} {
		answer := get(t, server.Client(), server.URL+path)
		g.Expect(answer.StatusCode).To(Equal(want), path)
		immutable := strings.Contains(answer.Header.Get("Cache-Control"), "immutable")
		g.Expect(immutable).To(Equal(want == 200 && strings.Contains(path, "/tile/") && !strings.Contains(path, "..")), path)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		recorder := httptest.NewRecorder()
		logserver.Handler(logserver.Options{Store: s, Verifier: key.Verifier(), Log: logr.Discard()}).
			ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, "/2026-03/checkpoint", nil))
		g.Expect(recorder.Code).To(Equal(http.StatusMethodNotAllowed), method)
	}
	g.Expect(s.Close()).To(Succeed())
	gone := get(t, server.Client(), server.URL+"/2026-03/checkpoint")
	g.Expect(gone.StatusCode).To(Equal(http.StatusServiceUnavailable))
}

func get(t *testing.T, c *http.Client, address string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer
}
