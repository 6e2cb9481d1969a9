// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/serving"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/await"
)

// impatient serves on an address of its own, and ends as one does whose callers take longer than it waits for them.
func (a *arena) impatient(grace serving.Grace) (stop context.CancelFunc, ended <-chan error) {
	a.t.Helper()
	server, listener := a.server.http(), must(net.Listen("tcp", "127.0.0.1:0"))(a.t)
	a.address = "https://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	a.t.Cleanup(stop)
	done := make(chan error, 1)
	go func() { done <- grace.Until(ctx, server, func() error { return server.ServeTLS(listener, "", "") }) }()
	return stop, done
}

// overHTTP1 makes the unit's system one that speaks HTTP/1.1, with a buffer that no large document fits into.
func (a *arena) overHTTP1() {
	config := a.unit.http.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"http/1.1"}
	transport := &http.Transport{TLSClientConfig: config, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(pieceSize)
		}
		return conn, err
	}}
	a.t.Cleanup(transport.CloseIdleConnections)
	a.unit.http.Transport = transport
}

// lateLog takes its time over the row that tells of a cut.
type lateLog struct {
	store.Store
	before func()
}

func (l *lateLog) AppendLog(ctx context.Context, rows ...store.LogRow) error {
	if rows[0].CutAt > 0 {
		l.before()
	}
	return l.Store.AppendLog(ctx, rows...)
}

// nineMiB is a document's size.
const nineMiB = 9 << 20

func checkCutByTheConnection(t *testing.T, began, cut store.LogRow) {
	t.Helper()
	if began.Outcome != store.OutcomeAllowed || began.CutAt != 0 || began.DocumentCount != 1 {
		t.Errorf("it began with %+v", began)
	}
	if cut.Outcome != store.OutcomeError || cut.Reason != "connection-ended" || cut.CutAt < pieceSize || cut.CutAt > nineMiB ||
		cut.ClientID != began.ClientID || len(cut.DocumentIDs) != 1 || cut.Operation != "Read" {
		t.Errorf("it was cut with %+v", cut)
	}
}

// The server's patience ends while a caller takes its time: when the server has ended, the log tells where the answer
// was cut.
func TestInvariant4_AnAnswerThatTheEndOfTheServerCutsIsTold(t *testing.T) {
	for name, http1 := range map[string]bool{"HTTP/2": false, "HTTP/1.1": true} {
		t.Run(name, func(t *testing.T) {
			a := newArena(t)
			id := a.put(a.unit, bulk(nineMiB/pieceSize), task)
			if http1 {
				a.overHTTP1()
			}
			a.server.opts.Store = &lateLog{Store: a.store, before: func() { time.Sleep(300 * time.Millisecond) }}
			stop, ended := a.impatient(serving.Grace{Answers: 50 * time.Millisecond, Records: time.Minute})
			answer := a.unit.begin("GET", "/documents/"+id, "")
			if _, err := io.ReadFull(answer.Body, make([]byte, pieceSize)); err != nil {
				t.Fatal(err)
			}
			stop()
			if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the server ended with %v", err)
			}
			began, cut := a.cutRows(answer)
			checkCutByTheConnection(t, began, cut)
			rest, err := io.ReadAll(answer.Body)
			if got := int64(pieceSize + len(rest)); err == nil || got > cut.CutAt {
				t.Errorf("%d bytes were received (err=%v), and the row says %d", got, err, cut.CutAt)
			}
		})
	}
}

// A caller hangs up in the middle.
func TestAnAnswerThatItsCallerCutsIsTold(t *testing.T) {
	for name, http1 := range map[string]bool{"HTTP/2": false, "HTTP/1.1": true} {
		t.Run(name, func(t *testing.T) {
			a := newArena(t)
			id := a.put(a.unit, bulk(nineMiB/pieceSize), task)
			if http1 {
				a.overHTTP1()
			}
			before := len(a.rows(store.LogQuery{}))
			answer := a.unit.begin("GET", "/documents/"+id, "")
			if _, err := io.ReadFull(answer.Body, make([]byte, pieceSize)); err != nil {
				t.Fatal(err)
			}
			if err := answer.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if err := await.Until(t.Context(), "the row of the cut", patience, 5*time.Millisecond, func() (bool, error) {
				return len(a.rows(store.LogQuery{})) == before+2, nil
			}); err != nil {
				t.Fatal(err)
			}
			began, cut := a.cutRows(answer)
			checkCutByTheConnection(t, began, cut)
		})
	}
}

// A server does not wait for ever for a row that cannot be written.
func TestTheServerEndsThoughARowCannotBeWritten(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, bulk(nineMiB/pieceSize), task)
	held := make(chan struct{})
	defer close(held)
	a.server.opts.Store = &lateLog{Store: a.store, before: func() { <-held }}
	stop, ended := a.impatient(serving.Grace{Answers: time.Millisecond, Records: time.Millisecond})
	answer := a.unit.begin("GET", "/documents/"+id, "")
	if _, err := io.ReadFull(answer.Body, make([]byte, pieceSize)); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err == nil {
		t.Error("it does not say so")
	}
}
