// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
)

// kills are rounds in which one thing is killed while clients store.
type kills struct {
	victim   string
	producer *producer
	// kill kills the victim, calls seen, which returns once all clients have met a failure, and starts it again.
	kill func(ctx context.Context, seen func() error) error

	rounds int
	sent   []*sentDocument
	back   samples // from the start of the restart until documents are answered again
}

// sentDocument is a document that was sent, and what became of it.
type sentDocument struct {
	id           uuid.UUID
	number       int // in its text
	acknowledged bool

	there  bool // at the end
	spoilt bool // its bytes were others, or it was gone for a while
	logged bool
}

// round stores until the kill, and checks after it.
func (k *kills) round(ctx context.Context, b *bench) error {
	var (
		killed  atomic.Bool
		workers = make([][]*sentDocument, documentClients)
		first   = len(k.sent)
		number  atomic.Int64
	)
	number.Store(int64(first))
	group, working := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() error {
			for {
				d := &sentDocument{id: uuid.New(), number: int(number.Add(1))}
				workers[w] = append(workers[w], d)
				err := k.producer.store(working, w, "", d.id, k.producer.notes.note(d.number))
				d.acknowledged = err == nil
				if err != nil && killed.Load() {
					return nil // and this is the last that it stored
				}
				if err != nil {
					return err
				}
			}
		})
	}
	select {
	case <-time.After(b.loadBeforeKill()):
	case <-working.Done():
		return group.Wait()
	}
	killed.Store(true)
	var begun time.Time
	err := k.kill(ctx, func() error {
		err := group.Wait()
		begun = time.Now()
		return err
	})
	if err != nil {
		return err
	}
	for _, sent := range workers {
		k.sent = append(k.sent, sent...)
	}
	k.rounds++
	if err := k.producer.reconnect(ctx); err != nil {
		return err
	}
	err = until(ctx, "the archive to answer again", 5*time.Millisecond, func() (bool, error) {
		_, err := k.producer.read(ctx, 0, "", k.producer.first)
		return err == nil || isNotFound(err), err
	})
	if err != nil {
		return err
	}
	k.back.add(time.Since(begun))
	return k.fetch(ctx, k.sent[first:])
}

// fetch reads what was sent over HTTP.
func (k *kills) fetch(ctx context.Context, sent []*sentDocument) error {
	_, err := eachBy(ctx, documentClients, len(sent), func(ctx context.Context, worker, i int) error {
		body, err := k.producer.read(ctx, worker, "", sent[i].id)
		if isNotFound(err) {
			sent[i].spoilt = sent[i].acknowledged
			return nil
		}
		if err == nil {
			sent[i].spoilt = !bytes.Equal(body, k.producer.notes.note(sent[i].number))
		}
		return err
	})
	return err
}

func isNotFound(err error) bool {
	var problem *archiveclient.Problem
	return errors.As(err, &problem) && problem.Status == http.StatusNotFound
}

// check reads all that was sent from the store, and compares with the use log.
func (k *kills) check(ctx context.Context, s store.Store, rows map[uuid.UUID]int) error {
	registry := string(k.producer.archive.cluster.Registry.Spec.OID)
	_, err := each(ctx, writers, len(k.sent), func(ctx context.Context, i int) error {
		d := k.sent[i]
		found, err := s.Document(ctx, registry, d.id, 0, store.ContentJSON)
		switch {
		case err == nil:
			d.there = true
			d.spoilt = d.spoilt || !bytes.Equal(found.Body, k.producer.notes.note(d.number))
		case errors.Is(err, store.ErrCorrupt):
			d.there, d.spoilt = true, true
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		d.logged = rows[d.id] == 1
		return nil
	})
	return err
}

// logRows counts the rows of each document of a client that say that it was stored.
func logRows(ctx context.Context, s store.Store, registry, clientID string) (map[uuid.UUID]int, error) {
	client, err := uuid.Parse(clientID)
	if err != nil {
		return nil, err
	}
	rows := map[uuid.UUID]int{}
	for query := (store.LogQuery{Registry: registry, ClientID: client, Limit: store.MaxPage}); ; {
		page, err := s.Log(ctx, query)
		if err != nil {
			return nil, err
		}
		for i := range page.Rows {
			if row := &page.Rows[i]; row.Operation == access.Store.String() && row.Outcome == store.OutcomeAllowed {
				for _, id := range row.DocumentIDs {
					rows[id]++
				}
			}
		}
		if page.Next == nil {
			return rows, nil
		}
		query.After = page.Next
	}
}

func (k *kills) count(is func(d *sentDocument) bool) (n int) {
	for _, d := range k.sent {
		if is(d) {
			n++
		}
	}
	return n
}

func (k *kills) acknowledged() int {
	return k.count(func(d *sentDocument) bool { return d.acknowledged })
}

func (k *kills) kept() int {
	return k.count(func(d *sentDocument) bool { return !d.acknowledged && d.there })
}

// lost counts the acknowledged documents that are not there as they were sent, with their row.
func (k *kills) lost() int {
	return k.count(func(d *sentDocument) bool { return d.acknowledged && (!d.there || d.spoilt || !d.logged) })
}

// half counts the documents, acknowledged or not, that are there in part.
func (k *kills) half() int {
	return k.count(func(d *sentDocument) bool { return d.there && d.spoilt || d.there != d.logged })
}
