// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the engine of the archive

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/testworld"
)

// httpRow is how many requests a whole archive answers.
type httpRow struct{}

func (httpRow) name() string { return "http" }
func (httpRow) measures() string {
	return "requests of 16 keep-alive clients to a whole archive: mTLS, assertion signed by the client and verified, decision, log row durable before the answer"
}

func (httpRow) floor() string {
	return "bare mTLS requests of 16 keep-alive clients, and durable SQLite writes of 16 writers (group commit), one of each per request"
}
func (httpRow) goal() string { return "" }

const (
	httpClients  = 16
	documentSize = 4096
	perClient    = 10 // documents
)

func (httpRow) run(ctx context.Context, b *bench) ([]figure, error) {
	c, err := b.newCluster(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	if _, err := c.grantAll(ctx); err != nil {
		return nil, err
	}
	a, err := c.startArchive(ctx)
	if err != nil {
		return nil, err
	}
	defer a.stop()
	b.progress("filling the archive")
	l, err := a.newLoad(ctx)
	if err != nil {
		return nil, err
	}
	defer l.stop()
	end, err := b.profile(a.child, "http-archive")
	if err != nil {
		return nil, err
	}
	var bare, durable, single, search, read tally
	turn := 2 * time.Second
	if b.short {
		turn /= 5
	}
	for range 3 { // in turns
		for _, m := range []struct {
			what string
			into *tally
			do   func(context.Context, int) error
		}{
			{"bare mTLS", &bare, l.bareRequest}, {"search", &search, l.search}, {"durable writes", &durable, l.appendLog},
			{"read", &read, l.read}, {"single durable writes", &single, l.insert},
		} {
			n, took, err := during(ctx, httpClients, turn, m.do)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.what, err)
			}
			m.into.add(n, took)
			b.progress("%s: %s/s", m.what, number(float64(n)/took.Seconds()))
		}
	}
	end()
	floor := 1 / (1/bare.rate() + 1/durable.rate())
	note := "no goal is set"
	return []figure{
		figure{What: "searches, 16 clients", Value: search.rate(), Unit: "/s"}.over(floor).noted("%s; a page of %d documents", note, perClient),
		figure{What: "reads, 16 clients", Value: read.rate(), Unit: "/s"}.over(floor).noted("%s; %d bytes each", note, documentSize),
		{What: "floor: bare mTLS requests, 16 clients", Value: bare.rate(), Unit: "/s"},
		{What: "floor: log rows made durable in SQLite, 16 writers, group commit", Value: durable.rate(), Unit: "/s"},
		{What: "floor: rows made durable in plain SQLite, 16 writers, a commit each", Value: single.rate(), Unit: "/s"},
	}, nil
}

// load is what 16 clients do.
type load struct {
	callers   []*archiveclient.Client
	bare      []*http.Client
	bareURL   string
	server    *child
	client    string   // whose documents
	documents []string // their ids
	store     store.Store
	plain     *sql.DB
	row       store.LogRow
}

func (a *archive) newLoad(ctx context.Context) (_ *load, err error) {
	l := &load{}
	defer func() {
		if err != nil {
			l.stop()
		}
	}()
	c := a.cluster
	if err := l.fill(ctx, a); err != nil {
		return nil, err
	}
	unit := c.units[0]
	secretName := unit.Name + "-" + string(c.Registry.Spec.OID)
	credential, err := a.credential(ctx, unit.Namespace, secretName)
	if err != nil {
		return nil, err
	}
	server, err := c.secret(ctx, c.Platform, c.Archive.Name+"-server")
	if err != nil {
		return nil, err
	}
	l.server, err = c.bench.spawn(ctx, "bare-server", bareConfig{
		Certificate: server.Data["tls.crt"], Key: server.Data["tls.key"], Authority: server.Data["ca.crt"], Body: documentSize,
	})
	if err != nil {
		return nil, err
	}
	l.bareURL = l.server.first.Address + "/v1/registries/" + string(c.Registry.Spec.OID) + "/documents/x"
	for range httpClients {
		caller, err := a.unit(ctx, unit)
		if err != nil {
			return nil, err
		}
		l.callers = append(l.callers, caller)
		// As the archive's client has it: HTTP/2, one connection each.
		l.bare = append(l.bare, &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, RootCAs: credential.Authority, Certificates: []tls.Certificate{credential.Certificate},
		}}})
	}
	return l, l.openStores(ctx, c.bench)
}

// fill registers a client, opens it to the unit and stores documents.
func (l *load) fill(ctx context.Context, a *archive) (err error) {
	c := a.cluster
	if l.client, err = a.organizer.RegisterClient(ctx, identitycode.Synthetic(0).Reveal()); err != nil {
		return err
	}
	relationships := c.relationships(1)
	relationships[0].Spec.ClientID = l.client
	if err := c.accepted(ctx, relationships); err != nil {
		return err
	}
	caller, err := a.unit(ctx, c.units[0])
	if err != nil {
		return err
	}
	defer caller.Close()
	body := fmt.Appendf(nil, "{\"text\": %q}", bytes.Repeat([]byte("x"), documentSize))
	for range perClient {
		var id string
		err := c.until(ctx, "a document to be stored", 20*time.Millisecond, func() (bool, error) {
			id, err = caller.Store(ctx, archiveclient.NewDocument{
				Client: l.client, Type: "case-note", ServiceTasks: []string{testworld.Task}, Created: time.Now(), ContentType: "application/json", Body: body,
			})
			return err == nil, err
		})
		if err != nil {
			return err
		}
		l.documents = append(l.documents, id)
	}
	return nil
}

// openStores opens the stores of the floors.
func (l *load) openStores(ctx context.Context, b *bench) (err error) {
	l.store, err = sqlite.Open(ctx, sqlite.Options{Dir: filepath.Join(b.dir, "floor"), CursorKey: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		return err
	}
	l.row = store.LogRow{
		Registry: "1.2.246.10.1.19.0", Operation: "document.read", Outcome: store.OutcomeAllowed, ClientID: uuid.New(),
		Caller: "spiffe://archive.example/registry/1.2.246.10.1.19.0/unit/1.2.246.10.1.30.1", Organization: "1.2.246.10.1.20.0",
		Unit: "1.2.246.10.1.30.1", Professional: "1001", Role: "social-worker", DocumentIDs: []uuid.UUID{uuid.New()}, DocumentCount: 1,
	}
	file := filepath.Join(b.dir, "plain.db")
	if l.plain, err = sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"); err != nil {
		return err
	}
	l.plain.SetMaxOpenConns(1)
	_, err = l.plain.ExecContext(ctx, "CREATE TABLE log (id BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID")
	return err
}

func (l *load) stop() {
	l.server.stop()
	for _, caller := range l.callers {
		caller.Close()
	}
	for _, c := range l.bare {
		c.CloseIdleConnections()
	}
	if l.store != nil {
		_ = l.store.Close()
	}
	if l.plain != nil {
		_ = l.plain.Close()
	}
}

func (l *load) search(ctx context.Context, worker int) error {
	page, err := l.callers[worker].Search(ctx, archiveclient.Query{Client: l.client})
	if err == nil && page.Total != perClient {
		err = fmt.Errorf("found %d documents instead of %d", page.Total, perClient)
	}
	return err
}

func (l *load) read(ctx context.Context, worker int) error {
	_, err := l.callers[worker].Read(ctx, l.documents[worker%len(l.documents)])
	return err
}

func (l *load) bareRequest(ctx context.Context, worker int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.bareURL, nil)
	if err != nil {
		return err
	}
	response, err := l.bare[worker].Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return err
}

func (l *load) appendLog(ctx context.Context, _ int) error {
	row := l.row
	row.Time, row.RequestID = time.Now(), uuid.NewString()
	return l.store.AppendLog(ctx, row)
}

func (l *load) insert(ctx context.Context, _ int) error {
	id := uuid.New()
	_, err := l.plain.ExecContext(ctx, "INSERT INTO log VALUES (?, ?)", id[:], make([]byte, 400))
	return err
}
