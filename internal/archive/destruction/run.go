// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package destruction

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/retention"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	// Operation is what a destruction is called in the access log.
	Operation = store.OpDestroy
	// Caller is who does it, in the access log.
	Caller = "urn:valtuus:retention"
)

const (
	defaultBatch = 500
	// longestRest bounds how long one slow write makes the run wait.
	longestRest = time.Second
)

// Store is where it is done.
type Store interface {
	store.RetentionStore
	// Scrub makes what was deleted leave the data's files.
	Scrub(ctx context.Context, rewrite bool) error
}

// Options say what to do.
type Options struct {
	Store   Store
	Catalog *catalog.Catalog
	Clock   clock.Clock
	// DryRun destroys nothing. AsOf is the day that a dry run judges by; empty for today.
	DryRun bool
	AsOf   catalog.Day
	// Limit is the most documents and clients to destroy; 0 for no limit.
	Limit int
	// Rewrite writes the data's files anew at the end, where they are the store's own.
	Rewrite bool
	// Progress is told of each document and client that was looked at; may be nil.
	Progress func(*Report)
	// Batch is how many are read at once; 0 for the default.
	Batch int
}

// run is one run.
type run struct {
	Options
	report Report
	// going counts, in a dry run, the due documents of each client and each matter.
	goingOf map[uuid.UUID]int
	goingIn map[matter]int
}

type matter struct{ registry, id string }

// errLimit ends a run early.
var errLimit = errors.New("the limit is reached")

// Run goes through the store once. The report tells how far it came, also with an error.
func Run(ctx context.Context, opts Options) (Report, error) {
	if !opts.DryRun && opts.AsOf != "" {
		return Report{}, errors.New("only a dry run may judge by another day than today")
	}
	r := &run{Options: opts, goingOf: map[uuid.UUID]int{}, goingIn: map[matter]int{}}
	r.report = Report{AsOf: opts.AsOf, Catalog: opts.Catalog.Edition(), DryRun: opts.DryRun, Due: []DueGroup{}, Kept: []KeptGroup{}}
	if r.report.AsOf == "" {
		r.report.AsOf = catalog.DayOf(opts.Clock.Now())
	}
	if r.Batch <= 0 {
		r.Batch = defaultBatch
	}
	if !opts.DryRun {
		r.report.Run = uuid.NewString()
	}
	err := r.documents(ctx)
	if err == nil {
		err = r.clients(ctx)
	}
	if errors.Is(err, errLimit) {
		r.report.Stopped, err = true, nil
	}
	r.report.sort()
	if !opts.DryRun && err == nil {
		err = opts.Store.Scrub(ctx, opts.Rewrite) // also after a run that found nothing: one before it may have been killed
	}
	return r.report, err
}

func (r *run) documents(ctx context.Context) error {
	var after uuid.UUID
	for {
		page, err := r.Store.Kept(ctx, after, r.Batch)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := r.document(ctx, &page[i]); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

func (r *run) document(ctx context.Context, k *store.Kept) error {
	clock := retention.Document(r.Catalog, k)
	if err := r.examine(store.KindDocument, k.Type, clock); err != nil || !clock.Due(r.report.AsOf) {
		return err
	}
	if r.DryRun {
		for _, id := range k.ClientIDs {
			r.goingOf[id]++
		}
		r.goingIn[matter{k.Registry, k.Matter}]++
		return nil
	}
	return r.destroy(ctx, store.KindDocument, func(at time.Time, row store.LogRow) error {
		return r.Store.Destroy(ctx, k.ID, at, func(now store.Kept) (store.Due, bool) {
			clock := retention.Document(r.Catalog, &now)
			return due(clock), clock.Due(r.report.AsOf)
		}, row)
	})
}

func (r *run) clients(ctx context.Context) error {
	var after uuid.UUID
	for {
		page, err := r.Store.KeptPersons(ctx, after, r.Batch)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := r.client(ctx, &page[i]); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

func (r *run) client(ctx context.Context, p *store.KeptPerson) error {
	p.Documents -= r.goingOf[p.ID]
	for i := range p.Matters {
		p.Matters[i].Documents -= r.goingIn[matter{p.Registry, p.Matters[i].ID}]
	}
	clock, _ := retention.Client(r.Catalog, p, r.report.AsOf)
	if err := r.examine(store.KindClient, "", clock); err != nil || !clock.Due(r.report.AsOf) || r.DryRun {
		return err
	}
	return r.destroy(ctx, store.KindClient, func(at time.Time, row store.LogRow) error {
		return r.Store.DestroyClient(ctx, p.ID, at, func(now store.KeptPerson) (store.PersonDue, bool) {
			clock, matters := retention.Client(r.Catalog, &now, r.report.AsOf)
			all := store.PersonDue{Due: due(clock)}
			for _, m := range matters {
				all.Matters = append(all.Matters, due(m))
			}
			return all, clock.Due(r.report.AsOf)
		}, row)
	})
}

// examine counts something, unless it would be due beyond the limit.
func (r *run) examine(kind store.DestroyedKind, documentType string, clock retention.Clock) error {
	if r.Limit > 0 && clock.Due(r.report.AsOf) && r.report.Documents.Due+r.report.Clients.Due >= r.Limit {
		return errLimit
	}
	r.report.examined(kind, documentType, clock)
	if r.Progress != nil {
		r.Progress(&r.report)
	}
	return nil
}

// destroy does it, then rests as long as it took: an archive that writes to the same file has its turn meanwhile.
func (r *run) destroy(ctx context.Context, kind store.DestroyedKind, do func(at time.Time, row store.LogRow) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	began := r.Clock.Now()
	err := do(began, store.LogRow{
		Time: began, RequestID: r.report.Run, Operation: Operation, Outcome: store.OutcomeAllowed, Caller: Caller,
	})
	switch {
	case err == nil:
		r.report.counts(kind).Destroyed++
	case errors.Is(err, store.ErrKept), errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDestroyed):
		return nil // it changed, or another run was faster
	default:
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(r.Clock.Since(began), longestRest)):
		return nil
	}
}

func due(c retention.Clock) store.Due {
	return store.Due{Rule: c.Rule, CountedFrom: string(c.CountedFrom), StartedOn: string(c.StartedOn), DueOn: string(c.DestroyOn)}
}
