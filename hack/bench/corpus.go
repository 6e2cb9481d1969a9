// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/testworld"
)

// corpus is a store with many documents.
type corpus struct {
	registry string
	storage  replica.Storage
	store    store.Store
	clients  []uuid.UUID
	n        int
	filled   tally
}

const (
	// perPerson is how many documents each client has: the archive of 2020 had 21.
	perPerson = 20
	// fillers keep the store's shared transactions full.
	fillers = 256
)

// newCorpus makes a store with n documents, written through the store itself and open in this process.
func (b *bench) newCorpus(ctx context.Context, e engine, registry string, n int) (_ *corpus, err error) {
	c := &corpus{registry: registry, clients: make([]uuid.UUID, n/perPerson), n: n}
	if c.storage, err = e.storage(ctx); err != nil {
		return nil, err
	}
	if c.store, err = e.open(ctx, c.storage); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	keys, err := clientKeys(c.storage)
	if err != nil {
		return nil, err
	}
	_, err = each(ctx, fillers, len(c.clients), func(ctx context.Context, i int) (err error) {
		var hash store.IdentityHash
		if _, err := rand.Read(hash[:]); err != nil {
			return err
		}
		c.clients[i], _, err = c.store.RegisterClient(ctx, registry, sealedUnder(keys, registry, hash, i), time.Now(), logRow(registry, uuid.Nil))
		return err
	})
	if err != nil {
		return nil, err
	}
	b.progress("%s: filling a store with %d documents of %d clients", e, n, len(c.clients))
	var done atomic.Int64
	took, err := each(ctx, fillers, n, func(ctx context.Context, i int) error {
		if err := c.fill(ctx, i); err != nil {
			return err
		}
		if k := done.Add(1); k%100_000 == 0 {
			b.progress("%s: %d documents", e, k)
		}
		return nil
	})
	c.filled.add(n, took)
	return c, err
}

// sealedUnder is the i-th synthetic code as the archive registers one.
func sealedUnder(keys clientkey.Keyring, registry string, hash store.IdentityHash, i int) store.Registration {
	code := identitycode.Synthetic(i)
	return store.Registration{
		Hash: hash, Kind: identitycode.KindCode, BornOn: code.BornOn(),
		Seal: func(client uuid.UUID, _ clientkey.Wrapped) ([]byte, clientkey.Wrapped, error) {
			key, wrapped, err := keys.New(client)
			if err != nil {
				return nil, clientkey.Wrapped{}, err
			}
			return key.Seal(registry, "identifier/code", []byte(code.Reveal())), wrapped, nil
		},
	}
}

// fill stores the i-th document. The documents of a client are spread over the time.
func (c *corpus) fill(ctx context.Context, i int) error {
	return c.fillWith(ctx, c.clients[i%len(c.clients)], "case-note", "", i)
}

// fillWith stores a document of the client, of a type, in a matter; empty for none.
func (c *corpus) fillWith(ctx context.Context, client uuid.UUID, kind, matter string, i int) error {
	id, now := uuid.New(), time.Now()
	row := logRow(c.registry, client)
	row.DocumentIDs, row.DocumentCount = []uuid.UUID{id}, 1
	_, _, err := c.store.StoreDocument(ctx, store.NewDocument{
		ID: id, Registry: c.registry, ClientIDs: []uuid.UUID{client}, Type: kind, Content: store.Content{
			Matter: matter, ServiceTasks: []string{testworld.Task}, Created: now, Stored: now, SchemaVersion: "1", ViewRevision: "1",
			Author: store.Author{Organization: row.Organization, Unit: row.Unit, Professional: row.Professional, Role: row.Role},
			Representations: []store.Representation{{
				ContentType: store.ContentJSON, Body: testworld.Body(kind, fmt.Sprintf("Käynti %d.", i)),
			}},
		},
	}, row)
	return err
}

// anyClient is one of the clients at random.
func (c *corpus) anyClient() uuid.UUID { return c.clients[mathrand.IntN(len(c.clients))] }

// close closes the store, so that an archive can open it; closing again is harmless.
func (c *corpus) close() { _ = c.store.Close() }
