// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// log is a log to witness.
type log struct {
	t     testing.TB
	key   logproof.Key
	tiles logproof.Tiles
	size  int64
}

func newLog(t testing.TB) *log {
	t.Helper()
	text, err := logproof.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := logproof.ParseKey(text, uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	return &log{t: t, key: key, tiles: logproof.Tiles{}}
}

// grow adds entries of a name.
func (l *log) grow(name string, n int) *log {
	l.t.Helper()
	var entries []logproof.Commitment
	for i := range n {
		entries = append(entries, sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i)))
	}
	if _, err := l.tiles.Append(l.size, entries); err != nil {
		l.t.Fatal(err)
	}
	l.size += int64(n)
	return l
}

func (l *log) at(size int64) logproof.Checkpoint {
	l.t.Helper()
	root, err := logproof.NewTree(l.tiles).Root(size)
	if err != nil {
		l.t.Fatal(err)
	}
	text, err := l.key.Sign("2026-03", tlog.Tree{N: size, Hash: root})
	if err != nil {
		l.t.Fatal(err)
	}
	checkpoint, err := l.key.Verifier().Open(text)
	if err != nil {
		l.t.Fatal(err)
	}
	return checkpoint
}

func (l *log) proof(size int64) func(int64) (tlog.TreeProof, error) {
	return func(former int64) (tlog.TreeProof, error) { return logproof.NewTree(l.tiles).Consistency(size, former) }
}

// at is a witness that runs.
type running struct {
	opts   Options
	file   string
	vkey   string
	server *httptest.Server
}

func start(t testing.TB, logs ...*log) *running {
	t.Helper()
	r := &running{file: filepath.Join(t.TempDir(), "witness.json")}
	skey, vkey, err := note.GenerateKey(rand.Reader, "witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	r.vkey = vkey
	signer, err := cosign.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	if err := NewState(r.file); err != nil {
		t.Fatal(err)
	}
	state, err := OpenState(r.file)
	if err != nil {
		t.Fatal(err)
	}
	r.opts = Options{Signer: signer, State: state, Log: logr.Discard()}
	for _, l := range logs {
		r.opts.Logs = append(r.opts.Logs, l.key.Verifier())
	}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { Handler(r.opts).ServeHTTP(w, req) }))
	t.Cleanup(r.server.Close)
	return r
}

func (r *running) client(t testing.TB) *Client {
	t.Helper()
	c, err := NewClient(r.server.URL+"="+r.vkey, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestALogThatGrowsIsCosigned(t *testing.T) {
	g := NewWithT(t)
	l := newLog(t).grow("a", 300)
	w := start(t, l)
	client := w.client(t)
	for _, size := range []int64{1, 100, 100, 256, 300} {
		line, err := client.Cosign(t.Context(), l.at(size), l.proof(size))
		g.Expect(err).NotTo(HaveOccurred())
		text := append(bytes.Clone(l.at(size).Text), line...)
		opened, err := l.key.Verifier().Open(text, client.Verifier())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(opened.Cosignatures).To(HaveLen(1))
	}

	state, err := OpenState(w.file) // a witness that is started again, and a log that is
	g.Expect(err).NotTo(HaveOccurred())
	w.opts.State = state
	l.grow("b", 50)
	_, err = w.client(t).Cosign(t.Context(), l.at(350), l.proof(350))
	g.Expect(err).NotTo(HaveOccurred())
}

func TestARollbackIsRefused(t *testing.T) {
	g := NewWithT(t)
	l := newLog(t).grow("a", 300)
	w := start(t, l)
	_, err := w.client(t).Cosign(t.Context(), l.at(300), l.proof(300))
	g.Expect(err).NotTo(HaveOccurred())
	for _, size := range []int64{1, 200, 299} {
		_, err := w.client(t).Cosign(t.Context(), l.at(size), l.proof(size))
		g.Expect(err).To(MatchError(ErrRefused))
	}
	body := (&request{old: 0, checkpoint: l.at(200).Text}).encode()
	answer := post(t, w, body)
	g.Expect(answer.Code).To(Equal(http.StatusConflict))
	g.Expect(answer.Header().Get("Content-Type")).To(Equal("text/x.tlog.size"))
	g.Expect(answer.Body.String()).To(Equal("300\n"))
}

func TestAForkIsRefused(t *testing.T) {
	g := NewWithT(t)
	l := newLog(t).grow("a", 200)
	fork := &log{t: t, key: l.key, tiles: logproof.Tiles{}}
	l.grow("b", 100)
	fork.grow("a", 200).grow("c", 200)
	w := start(t, l)
	_, err := w.client(t).Cosign(t.Context(), l.at(300), l.proof(300))
	g.Expect(err).NotTo(HaveOccurred())
	for _, size := range []int64{300, 301, 400} {
		_, err := w.client(t).Cosign(t.Context(), fork.at(size), fork.proof(size))
		g.Expect(err).To(MatchError(ErrRefused), "a fork of %d", size)
	}
	same := post(t, w, (&request{old: 300, checkpoint: fork.at(300).Text}).encode())
	g.Expect(same.Code).To(Equal(http.StatusConflict))
	proof, err := fork.proof(400)(300)
	g.Expect(err).NotTo(HaveOccurred())
	longer := post(t, w, (&request{old: 300, proof: proof, checkpoint: fork.at(400).Text}).encode())
	g.Expect(longer.Code).To(Equal(http.StatusUnprocessableEntity))
	l.grow("b2", 1)
	_, err = w.client(t).Cosign(t.Context(), l.at(301), l.proof(301))
	g.Expect(err).NotTo(HaveOccurred(), "what was cosigned goes on")
}

func TestOnlyLogsThatAreFollowedAreCosigned(t *testing.T) {
	g := NewWithT(t)
	l, stranger := newLog(t).grow("a", 3), newLog(t).grow("a", 3)
	w := start(t, l)
	g.Expect(post(t, w, (&request{checkpoint: stranger.at(3).Text}).encode()).Code).To(Equal(http.StatusNotFound))
	forged := strings.Replace(string(stranger.at(3).Text), stranger.key.Verifier().Name(), l.key.Verifier().Name(), 1)
	g.Expect(post(t, w, (&request{checkpoint: []byte(forged)}).encode()).Code).To(Equal(http.StatusForbidden))
	g.Expect(post(t, w, (&request{old: 4, checkpoint: l.at(3).Text}).encode()).Code).To(Equal(http.StatusBadRequest))
	g.Expect(post(t, w, []byte("old 0\n")).Code).To(Equal(http.StatusBadRequest))
	g.Expect(post(t, w, make([]byte, maxBody+1)).Code).To(Equal(http.StatusBadRequest))
	get := httptest.NewRecorder()
	Handler(w.opts).ServeHTTP(get, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/add-checkpoint", nil))
	g.Expect(get.Code).To(Equal(http.StatusMethodNotAllowed))
}

// Of many trees that are shown at once, those cosigned are each the beginning of the next.
func TestAtOnceNothingIsRolledBack(t *testing.T) {
	g := NewWithT(t)
	l := newLog(t).grow("a", 64)
	w := start(t, l)
	var shown sync.WaitGroup
	for size := int64(1); size <= 64; size++ {
		shown.Go(func() { _, _ = w.client(t).Cosign(t.Context(), l.at(size), l.proof(size)) })
	}
	shown.Wait()
	state, err := OpenState(w.file)
	g.Expect(err).NotTo(HaveOccurred())
	for _, one := range state.trees {
		g.Expect(one.Root).To(Equal(l.at(one.Size).Tree.Hash))
	}
	_, err = w.client(t).Cosign(t.Context(), l.at(64), l.proof(64))
	g.Expect(err).NotTo(HaveOccurred())
}

// A witness that cannot keep what it has seen says nothing of it.
func TestWithoutADurableStateNothingIsCosigned(t *testing.T) {
	g := NewWithT(t)
	l := newLog(t).grow("a", 3)
	w := start(t, l)
	w.opts.State.file = filepath.Join(t.TempDir(), "missing", "witness.json")
	g.Expect(post(t, w, (&request{checkpoint: l.at(2).Text}).encode()).Code).To(Equal(http.StatusInternalServerError))
	w.opts.State.file = w.file
	g.Expect(post(t, w, (&request{checkpoint: l.at(2).Text}).encode()).Code).To(Equal(http.StatusOK), "and it has not seen it")
	g.Expect(NewState(w.file)).NotTo(Succeed(), "what was seen is not forgotten")
	g.Expect(os.WriteFile(w.file, []byte("{"), 0o600)).To(Succeed())
	_, err := OpenState(w.file)
	g.Expect(err).To(MatchError(ContainSubstring("damaged")))
	_, err = OpenState(w.file + "x")
	g.Expect(err).To(MatchError(ContainSubstring("missing")))
}

func TestAWitnessThatLiesIsNotBelieved(t *testing.T) {
	g := NewWithT(t)
	l := newLog(t).grow("a", 3)
	honest := start(t, l)
	for name, answer := range map[string]http.HandlerFunc{
		"nothing":         func(http.ResponseWriter, *http.Request) {},
		"a redirect":      func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, honest.server.URL, http.StatusFound) },
		"a line of words": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("\u2014 a b\n")) },
		"another's line":  func(w http.ResponseWriter, r *http.Request) { Handler(start(t, l).opts).ServeHTTP(w, r) },
		"no size": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", sizeType)
			w.WriteHeader(409)
		},
		"a larger size":    conflictOf("4"),
		"the size it gave": conflictOf("0"),
		"always another":   conflictOf("2"),
	} {
		server := httptest.NewServer(answer)
		client, err := NewClient(server.URL+"="+honest.vkey, nil)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = client.Cosign(t.Context(), l.at(3), l.proof(3))
		g.Expect(err).To(HaveOccurred(), name)
		server.Close()
	}
	for _, bad := range []string{"", "http://x", "x=" + honest.vkey, "ftp://x=" + honest.vkey, "http://x=y"} {
		_, err := NewClient(bad, nil)
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

func conflictOf(size string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", sizeType)
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(size + "\n"))
	}
}

func post(t testing.TB, w *running, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	Handler(w.opts).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/add-checkpoint", bytes.NewReader(body)))
	return recorder
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte("old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\nexample.com/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"))
	f.Add([]byte("old 0\n\nx"))
	f.Add([]byte("old 0\n000000000\r0000000000000000000000000000000000=\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := parseRequest(body); err == nil && !bytes.Equal(r.encode(), body) {
			t.Fatalf("%q became %q", body, r.encode())
		}
	})
}
