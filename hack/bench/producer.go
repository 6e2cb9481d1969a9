// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/testworld"
)

// producer is a unit's clients, which store documents of one person, and read them.
type producer struct {
	archive *archive
	callers []*archiveclient.Client
	// client is whose documents they are.
	client string
	notes  notes
	// first is a document that is there from the beginning.
	first uuid.UUID
}

// newProducer registers a person, opens the person's documents to the first unit, and waits until it may store.
func (a *archive) newProducer(ctx context.Context, clients int, n notes) (_ *producer, err error) {
	p := &producer{archive: a, notes: n}
	c := a.cluster
	if p.client, err = a.organizer.RegisterClient(ctx, identitycode.Synthetic(0).Reveal()); err != nil {
		return nil, err
	}
	relationships := c.relationships(1)
	relationships[0].Spec.ClientID = p.client
	if err := c.accepted(ctx, relationships); err != nil {
		return nil, err
	}
	if p.callers, err = a.callers(ctx, clients, c.UnitSecret(c.units[0])); err != nil {
		return nil, err
	}
	return p, until(ctx, "a document to be stored", 20*time.Millisecond, func() (bool, error) {
		p.first = uuid.New()
		err := p.store(ctx, 0, "", p.first, p.notes.note(0))
		return err == nil, err
	})
}

// stop closes the connections; the producer may be nil.
func (p *producer) stop() {
	if p != nil {
		closeAll(p.callers)
	}
}

// reconnect makes the clients anew, to an archive that was started again.
func (p *producer) reconnect(ctx context.Context) (err error) {
	closeAll(p.callers)
	p.callers, err = p.archive.callers(ctx, len(p.callers), p.archive.cluster.UnitSecret(p.archive.cluster.units[0]))
	return err
}

// store stores a document under an id. Without an assertion made ahead it makes one.
func (p *producer) store(ctx context.Context, caller int, token string, id uuid.UUID, body []byte) error {
	query := url.Values{
		"client": {p.client}, "type": {"case-note"}, "serviceTask": {testworld.Task}, "created": {time.Now().UTC().Format(time.RFC3339)},
	}
	_, err := p.send(ctx, caller, token, http.MethodPut, "/documents/"+id.String()+"?"+query.Encode(), store.ContentJSON, body)
	return err
}

// read gives a document's bytes.
func (p *producer) read(ctx context.Context, caller int, token string, id uuid.UUID) ([]byte, error) {
	return p.send(ctx, caller, token, http.MethodGet, "/documents/"+id.String(), "", nil)
}

func (p *producer) send(ctx context.Context, caller int, token, method, path, contentType string, body []byte) (answer []byte, err error) {
	c := p.callers[caller]
	if token == "" {
		_, answer, err = c.Do(ctx, method, path, contentType, body)
	} else {
		_, answer, err = c.DoWith(ctx, token, method, path, contentType, body)
	}
	return answer, err
}

// notes makes case notes of one size, each with a number in it, so that no two are the same.
type notes struct {
	text []byte
	at   int
}

func newNotes(size int) notes {
	text := examples.CaseNote(size)
	return notes{text, bytes.Index(text, []byte("Havaintoja"))} // the heading of its parts, as long as a number
}

func (n notes) note(i int) []byte {
	text := bytes.Clone(n.text)
	copy(text[n.at:], fmt.Sprintf("%010d", i))
	return text
}
