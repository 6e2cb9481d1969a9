// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
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
	c, err := b.oneUnit(ctx)
	if err != nil {
		return nil, err
	}
	e := &sqliteEngine{b, b.dir}
	at, err := e.storage(ctx)
	if err != nil {
		return nil, err
	}
	a, err := c.startArchive(ctx, at)
	if err != nil {
		return nil, err
	}
	defer a.stop()
	b.progress("filling the archive")
	l, err := a.newLoad(ctx, e)
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
			{"bare mTLS", &bare, l.bare}, {"search", &search, l.search}, {"durable writes", &durable, l.appendLog},
			{"read", &read, l.fetch}, {"single durable writes", &single, l.insert},
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
	*producer
	server    *bareServer
	documents []string // their ids
	log       store.Store
	plain     *sql.DB
	row       store.LogRow
}

func (a *archive) newLoad(ctx context.Context, e engine) (_ *load, err error) {
	l := &load{}
	defer func() {
		if err != nil {
			l.stop()
		}
	}()
	if l.producer, err = a.newProducer(ctx, httpClients, newNotes(documentSize)); err != nil {
		return nil, err
	}
	l.documents = append(l.documents, l.first.String())
	for len(l.documents) < perClient {
		id := uuid.New()
		if err := l.store(ctx, 0, "", id, l.notes.note(len(l.documents))); err != nil {
			return nil, err
		}
		l.documents = append(l.documents, id.String())
	}
	if l.server, err = a.cluster.startBareServer(ctx, httpClients, documentSize); err != nil {
		return nil, err
	}
	return l, l.openStores(ctx, a.cluster.bench, e)
}

// openStores opens the stores of the floors.
func (l *load) openStores(ctx context.Context, b *bench, e engine) error {
	at, err := e.storage(ctx)
	if err != nil {
		return err
	}
	if l.log, err = e.open(ctx, at); err != nil {
		return err
	}
	l.row = logRow("1.2.246.10.1.19.0", uuid.New())
	l.row.DocumentIDs, l.row.DocumentCount = []uuid.UUID{uuid.New()}, 1
	l.plain, err = b.plainSQLite(ctx, "CREATE TABLE log (id BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID")
	return err
}

func (l *load) stop() {
	l.producer.stop()
	l.server.stop()
	if l.log != nil {
		_ = l.log.Close()
	}
	if l.plain != nil {
		_ = l.plain.Close()
	}
}

func (l *load) bare(ctx context.Context, worker int) error { return l.server.get(ctx, worker) }

func (l *load) search(ctx context.Context, worker int) error {
	page, err := l.callers[worker].Search(ctx, archiveclient.Query{Client: l.client})
	if err == nil && page.Total < perClient { // the relationship has a document as well
		err = fmt.Errorf("found %d documents instead of %d", page.Total, perClient)
	}
	return err
}

func (l *load) fetch(ctx context.Context, worker int) error {
	_, err := l.callers[worker].Read(ctx, l.documents[worker%len(l.documents)])
	return err
}

func (l *load) appendLog(ctx context.Context, _ int) error {
	row := l.row
	row.Time, row.RequestID = time.Now(), uuid.NewString()
	return l.log.AppendLog(ctx, row)
}

func (l *load) insert(ctx context.Context, _ int) error {
	id := uuid.New()
	_, err := l.plain.ExecContext(ctx, "INSERT INTO log VALUES (?, ?)", id[:], make([]byte, 400))
	return err
}
