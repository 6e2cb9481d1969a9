// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
)

// searchRow is how long the search of a client's documents takes among many.
type searchRow struct{}

func (searchRow) name() string { return "search" }
func (searchRow) measures() string {
	return "the organizer searches the documents of one client, of 20 each, among 1,000,000 of 50,000 clients: over HTTP with 4 clients, and in the store, beside a store with 100,000 of 5,000; " +
		"on SQLite only, because filling PostgreSQL as well would take minutes more"
}

func (searchRow) floor() string {
	return "over HTTP: the bare mTLS handler with an answer of the same size; in the store: the same search among 100,000 documents, in turns"
}

func (searchRow) goal() string {
	return "over HTTP p99 at most 10 ms; in the store at most 1.2 of the smaller one's"
}

const searchClients = 4

func (searchRow) run(ctx context.Context, b *bench) ([]figure, error) {
	c, err := b.oneUnit(ctx)
	if err != nil {
		return nil, err
	}
	return searchesOn(ctx, c, &sqliteEngine{b, b.dir})
}

func searchesOn(ctx context.Context, c *cluster, e engine) ([]figure, error) {
	b, registry := c.bench, string(c.Registry.Spec.OID)
	small, err := b.newCorpus(ctx, e, registry, b.size(100_000, 2000))
	if err != nil {
		return nil, err
	}
	defer small.close()
	large, err := b.newCorpus(ctx, e, registry, b.size(1_000_000, 20_000))
	if err != nil {
		return nil, err
	}
	defer large.close()
	inSmall, inLarge, err := searchInTurns(ctx, b, small, large)
	if err != nil {
		return nil, err
	}
	large.close()
	searched, answered, err := searchOverHTTP(ctx, c, e, large)
	if err != nil {
		return nil, err
	}
	p50 := figure{What: e.String() + ": search over HTTP, 4 clients, p50", Value: searched.at(.5), Unit: "ms"}.over(answered.at(.5))
	p99 := figure{What: e.String() + ": search over HTTP, 4 clients, p99", Value: searched.at(.99), Unit: "ms"}.over(answered.at(.99))
	flat := figure{What: e.String() + ": search in the store, p50, ten times as many", Value: inLarge.at(.5), Unit: "ms"}.over(inSmall.at(.5))
	return []figure{
		p50.noted("%d documents; %d searches; the clients' assertions are signed ahead; filled at %s documents/s", large.n, searched.count(), number(large.filled.rate())),
		p99.want(p99.Value <= 10, "≤ 10 ms").noted("longest %s ms", number(searched.longest())),
		flat.want(flat.Ratio <= 1.2, "≤ 1.2").noted("%d searches of clients at random in each, warm; p99 %s ms against %s ms",
			inLarge.count(), number(inLarge.at(.99)), number(inSmall.at(.99))),
	}, nil
}

// searchInTurns searches in two stores, without HTTP.
func searchInTurns(ctx context.Context, b *bench, small, large *corpus) (inSmall, inLarge *samples, err error) {
	inSmall, inLarge = &samples{}, &samples{}
	for round := range 6 {
		for i, one := range []*corpus{small, large} {
			into := []*samples{inSmall, inLarge}[i]
			if round == 0 { // warm
				into = &samples{}
			}
			for range b.size(2000, 200) {
				begun := time.Now()
				found, err := one.store.Search(ctx, store.SearchQuery{Registry: one.registry, ClientID: one.anyClient(), Limit: store.MaxPage})
				into.add(time.Since(begun))
				if err != nil {
					return nil, nil, err
				}
				if found.Total != perPerson || len(found.Items) != perPerson {
					return nil, nil, fmt.Errorf("found %d of %d documents", len(found.Items), found.Total)
				}
			}
		}
	}
	return inSmall, inLarge, nil
}

// searchOverHTTP searches at an archive with the documents, in turns with a bare server.
func searchOverHTTP(ctx context.Context, c *cluster, e engine, docs *corpus) (searched, answered *samples, err error) {
	a, err := c.startArchive(ctx, docs.storage)
	if err != nil {
		return nil, nil, err
	}
	defer a.stop()
	callers, err := a.callers(ctx, searchClients, c.OrganizerSecret())
	if err != nil {
		return nil, nil, err
	}
	defer closeAll(callers)
	token, err := callers[0].Assertion()
	if err != nil {
		return nil, nil, err
	}
	page, err := docs.search(ctx, callers[0], token)
	if err != nil {
		return nil, nil, err
	}
	bare, err := c.startBareServer(ctx, searchClients, len(page))
	if err != nil {
		return nil, nil, err
	}
	defer bare.stop()
	end, err := c.bench.profile(a.child, "search-"+e.String())
	if err != nil {
		return nil, nil, err
	}
	defer end()
	n := c.bench.size(4000, 200)
	for turn := range 4 {
		if turn <= 1 { // the first only warms
			searched, answered = &samples{}, &samples{}
		}
		tokens, err := sign(ctx, callers, n)
		if err != nil {
			return nil, nil, err
		}
		_, err = eachBy(ctx, searchClients, n, func(ctx context.Context, worker, i int) error {
			begun := time.Now()
			_, err := docs.search(ctx, callers[worker], tokens[i])
			searched.add(time.Since(begun))
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		_, err = eachBy(ctx, searchClients, n, func(ctx context.Context, worker, _ int) error {
			begun := time.Now()
			err := bare.get(ctx, worker)
			answered.add(time.Since(begun))
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return searched, answered, nil
}

// search asks for the documents of one client at random, and gives the answer.
func (c *corpus) search(ctx context.Context, caller *archiveclient.Client, token string) ([]byte, error) {
	question, err := json.Marshal(map[string]string{"client": c.anyClient().String()})
	if err != nil {
		return nil, err
	}
	_, answer, err := caller.DoWith(ctx, token, http.MethodPost, "/documents/_search", "application/json", question)
	return answer, err
}
