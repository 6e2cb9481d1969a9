// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testworld"
)

// summaryRow is how long a client's summary takes, and reading the client's identifiers.
type summaryRow struct{}

func (summaryRow) name() string { return "summary" }
func (summaryRow) measures() string {
	return "the organizer asks, with 4 clients over HTTP, for the summary of one client of 200 documents of 3 types in 4 matters, " +
		"and for the identifiers of a client, which are sealed; on each engine"
}
func (summaryRow) floor() string {
	return "the bare mTLS handler with an answer of the same size as the summary"
}
func (summaryRow) goal() string { return "summary p99 at most 20 ms" }

const (
	summarized     = 20 // clients
	summaryMatters = 4
	ofEach         = 200 // documents
)

func (summaryRow) run(ctx context.Context, b *bench) ([]figure, error) {
	return b.onEach(ctx, func(c *cluster, e engine) ([]figure, error) { return summariesOn(ctx, c, e) })
}

func summariesOn(ctx context.Context, c *cluster, e engine) ([]figure, error) {
	docs, err := c.bench.fewClients(ctx, e, string(c.Registry.Spec.OID))
	if err != nil {
		return nil, err
	}
	docs.close()
	a, err := c.startArchive(ctx, docs.storage)
	if err != nil {
		return nil, err
	}
	defer a.stop()
	callers, err := a.callers(ctx, searchClients, c.OrganizerSecret())
	if err != nil {
		return nil, err
	}
	defer closeAll(callers)
	token, err := callers[0].Assertion()
	if err != nil {
		return nil, err
	}
	page, err := docs.summarize(ctx, callers[0], token)
	if err != nil {
		return nil, err
	}
	var told struct{ Total int }
	if err := json.Unmarshal(page, &told); err != nil || told.Total != ofEach {
		return nil, fmt.Errorf("a summary counts %d of %d documents (%w)", told.Total, ofEach, err)
	}
	bare, err := c.startBareServer(ctx, searchClients, len(page))
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	end, err := c.bench.profile(a.child, "summary-"+e.String())
	if err != nil {
		return nil, err
	}
	defer end()
	var summaries, clients, answered *samples
	for turn := range 4 {
		if turn <= 1 { // the first only warms
			summaries, clients, answered = &samples{}, &samples{}, &samples{}
		}
		for _, one := range []struct {
			into *samples
			ask  func(ctx context.Context, caller *archiveclient.Client, token string) ([]byte, error)
		}{{summaries, docs.summarize}, {clients, docs.readClient}} {
			if err := docs.ask(ctx, c.bench, callers, one.into, one.ask); err != nil {
				return nil, err
			}
		}
		if _, err := eachBy(ctx, searchClients, c.bench.size(2000, 100), func(ctx context.Context, worker, _ int) error {
			begun := time.Now()
			err := bare.get(ctx, worker)
			answered.add(time.Since(begun))
			return err
		}); err != nil {
			return nil, err
		}
	}
	p50 := figure{What: e.String() + ": summary of 200 documents, 4 clients, p50", Value: summaries.at(.5), Unit: "ms"}.over(answered.at(.5))
	p99 := figure{What: e.String() + ": summary of 200 documents, 4 clients, p99", Value: summaries.at(.99), Unit: "ms"}.over(answered.at(.99))
	read := figure{What: e.String() + ": a client's identifiers, 4 clients, p50", Value: clients.at(.5), Unit: "ms"}.over(answered.at(.5))
	return []figure{
		p50.noted("%d summaries of %d bytes", summaries.count(), len(page)),
		p99.want(p99.Value <= 20, "≤ 20 ms").noted("longest %s ms", number(summaries.longest())),
		read.noted("p99 %s ms; the data keys are in the cache, so nothing is unwrapped", number(clients.at(.99))),
	}, nil
}

// fewClients makes a store with clients that have much.
func (b *bench) fewClients(ctx context.Context, e engine, registry string) (_ *corpus, err error) {
	c, err := b.newCorpus(ctx, e, registry, summarized*perPerson)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	for i, client := range c.clients {
		for m := range summaryMatters {
			row := logRow(registry, client)
			change := store.MatterChange{At: time.Now(), Recorded: time.Now(), By: store.Author{Organization: row.Organization, Professional: row.Professional, Role: row.Role}}
			if _, _, err := c.store.OpenMatter(ctx, store.NewMatter{
				ID: matterOf(i, m), Registry: registry, ClientIDs: []uuid.UUID{client}, ServiceTasks: []string{testworld.Task}, MatterChange: change,
			}, row); err != nil {
				return nil, err
			}
		}
	}
	_, err = each(ctx, fillers, summarized*(ofEach-perPerson), func(ctx context.Context, i int) error {
		person := i % summarized
		return c.fillWith(ctx, c.clients[person], []string{"case-note", "service-decision", "client-plan"}[i/summarized%3], matterOf(person, i/summarized%summaryMatters), i)
	})
	return c, err
}

func matterOf(person, m int) string { return fmt.Sprintf("matter-%d-%d", person, m) }

// ask asks as often as there are tokens, signed ahead.
func (c *corpus) ask(ctx context.Context, b *bench, callers []*archiveclient.Client, into *samples, ask func(context.Context, *archiveclient.Client, string) ([]byte, error)) error {
	n := b.size(2000, 100)
	tokens, err := sign(ctx, callers, n)
	if err != nil {
		return err
	}
	_, err = eachBy(ctx, searchClients, n, func(ctx context.Context, worker, i int) error {
		begun := time.Now()
		_, err := ask(ctx, callers[worker], tokens[i])
		into.add(time.Since(begun))
		return err
	})
	return err
}

// summarize asks for the summary of one client at random.
func (c *corpus) summarize(ctx context.Context, caller *archiveclient.Client, token string) ([]byte, error) {
	question, err := json.Marshal(map[string]string{"client": c.anyClient().String()})
	if err != nil {
		return nil, err
	}
	_, answer, err := caller.DoWith(ctx, token, http.MethodPost, "/summary", "application/json", question)
	return answer, err
}

// readClient asks for the identifiers of one client at random.
func (c *corpus) readClient(ctx context.Context, caller *archiveclient.Client, token string) ([]byte, error) {
	_, answer, err := caller.DoWith(ctx, token, http.MethodGet, "/clients/"+c.anyClient().String(), "", nil)
	return answer, err
}
