// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testworld"
)

// load is a steady load of callers: each stores a note, reads it back, and searches, over and over.
type load struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mutex sync.Mutex
	// asked counts the requests. acknowledged are the notes that were stored, by id.
	asked        int
	acknowledged map[string][]byte
	failed       []failedRequest
	// good are the times of the answers that were no failures.
	good []time.Time
}

type failedRequest struct {
	caller    string
	begun, at time.Time
	err       error
}

// loadOn begins a load of callers over HTTP/2 and as many over HTTP/1.1 on the endpoint, each asking every so often.
func (s *scene) loadOn(r *testworld.Replica, person *care, callers int, every time.Duration) *load {
	s.t.Helper()
	g := NewWithT(s.t)
	credential, err := s.Credential(background, s.UnitSecret(person.unit))
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(background)
	l := &load{cancel: cancel, acknowledged: map[string][]byte{}}
	s.t.Cleanup(func() { l.stop() })
	for n := range callers {
		c := s.callerWith(r, credential)
		l.ended.Go(func() { l.call(ctx, person, c, fmt.Sprintf("caller %d", n), every) })
		old := &oldCaller{client: s.callerWith(r, credential), endpoint: r.Endpoint + "/v1/registries/" + string(s.Registry.Spec.OID), journal: s.journal.of(r.Endpoint)}
		old.http = &http.Client{Timeout: patience, Transport: &http.Transport{
			TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}, // no HTTP/2
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS13, RootCAs: credential.Authority, Certificates: []tls.Certificate{credential.Certificate},
			},
		}}
		l.ended.Go(func() {
			defer old.http.CloseIdleConnections()
			for ctx.Err() == nil {
				_ = l.ask(ctx, fmt.Sprintf("caller %d over HTTP/1.1", n), "search", func() error { return old.search(ctx, person.id) })
				pause(ctx, every)
			}
		})
	}
	return l
}

func (l *load) call(ctx context.Context, person *care, c *archiveclient.Client, name string, every time.Duration) {
	for i := 0; ctx.Err() == nil; i++ {
		d := person.document("case-note", testworld.Task, fmt.Sprintf("note %d of %s", i, name))
		var id string
		err := l.ask(ctx, name, "store", func() (err error) { id, err = c.Store(ctx, d); return err })
		if err == nil {
			l.mutex.Lock()
			l.acknowledged[id] = d.Body
			l.mutex.Unlock()
			pause(ctx, every)
			_ = l.ask(ctx, name, "read", func() error { _, err := c.Read(ctx, id); return err })
		}
		pause(ctx, every)
		_ = l.ask(ctx, name, "search", func() error { _, err := c.Search(ctx, archiveQuery(person.id)); return err })
		pause(ctx, every)
	}
}

// stop ends the load; what it was at is no failure.
func (l *load) stop() {
	l.cancel()
	l.ended.Wait()
}

// ask makes a request of a caller, and notes how it went.
func (l *load) ask(ctx context.Context, caller, what string, request func() error) error {
	begun := time.Now()
	err := request()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := time.Now()
	switch {
	case err == nil:
		l.good = append(l.good, now)
	case ctx.Err() != nil: // whatever it says
		return err
	case strings.Contains(err.Error(), "view-stale"): // a busy machine's answer to anybody, not what the load is to show
		return err
	default:
		l.failed = append(l.failed, failedRequest{caller, begun, now, fmt.Errorf("%s: %s: %w", caller, what, err)})
	}
	l.asked++
	return err
}

// counts gives how many requests were answered well, and the failures.
func (l *load) counts() (good int, failed []failedRequest) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.good), slices.Clone(l.failed)
}

// gap is the longest time after begun in which nothing was answered well.
func (l *load) gap(begun time.Time) (longest time.Duration) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	last := begun
	for _, at := range l.good {
		if at.After(begun) {
			longest, last = max(longest, at.Sub(last)), at
		}
	}
	return max(longest, time.Since(last))
}

// firstAfter is when the first request after the time was answered well.
func (l *load) firstAfter(begun time.Time) time.Time {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, at := range l.good {
		if at.After(begun) {
			return at
		}
	}
	return time.Time{}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// oldCaller searches over HTTP/1.1, one request after the other on one connection.
type oldCaller struct {
	client   *archiveclient.Client
	endpoint string
	http     *http.Client
	journal  func(archiveclient.Answer)
}

func (o *oldCaller) search(ctx context.Context, client string) error {
	token, err := o.client.Assertion()
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"client": client})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.endpoint+"/documents/_search", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set(assertion.Header, token)
	request.Header.Set("Content-Type", "application/json")
	response, err := o.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	o.journal(archiveclient.Answer{RequestID: response.Header.Get("X-Request-Id"), Status: response.StatusCode, Method: request.Method, Path: request.URL.Path})
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return err
}
