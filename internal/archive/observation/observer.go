// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/deploymenttest"
)

const (
	// tickEvery is how often is looked whether there is something to do.
	tickEvery = 200 * time.Millisecond
	// tellEvery is how often one DeploymentTest is written to at most.
	tellEvery = time.Second
	// countEvery is how often it is written to where only the number of requests that are not listed is another.
	countEvery = 10 * time.Second
	// rereadAfter is how long after its decision a row is written at the latest: a request has ten seconds for that.
	rereadAfter = 15 * time.Second
	// settleFor is how long after the closing is waited for the rows of requests that were decided before.
	settleFor = time.Second
	// provePatience is how long after the closing the evidence is waited for: the log may be stopped.
	provePatience = time.Minute
	// rowsEvery is how often the store is asked what other replicas have done.
	rowsEvery = 5 * time.Second
	// retryEvery is the pause after something failed.
	retryEvery = time.Second
	// part is how many documents or clients are destroyed in one transaction, partsAtOnce how many transactions there are
	// before others of this program get their turn.
	part, partsAtOnce = 16, 16
	// page is how many rows are read at a time.
	page = store.MaxPage
)

// Store is what an observer needs of the archive's store.
type Store interface {
	store.TestRegistryStore
	store.LogProofs
	documents
}

// View is what an observer asks about the rights; index.Index is one.
type View interface {
	Read(look func(access.View))
}

// Options are what an observer is made of. All are required.
type Options struct {
	Store Store
	// Client reaches the API server, without a cache.
	Client client.WithWatch
	View   View
	// Archive names the Archive that this process serves.
	Archive client.ObjectKey
	// Verifier knows the checkpoints of the log.
	Verifier logproof.Verifier
	// Leads tells whether this replica is the one that does the work.
	Leads func() bool
	Clock clock.WithTicker
	// Log gets what an operator should know: names and counts.
	Log logr.Logger
}

// Observer does the work of this package. Load must be called before anything is served, and Run beside it.
type Observer struct {
	Options
	// over are the registries of tests that are over.
	over atomic.Pointer[map[string]bool]

	// What follows is Run's alone.
	news  chan news
	tests map[types.UID]*test
	// orphans are tests that have a test registry and are not among those, by its OID.
	orphans map[string]*test
	// listed tells that tests are all there are, and rows what the store has of test registries, as of readAt.
	listed bool
	rows   map[string]store.TestRegistry
	readAt time.Time
}

// test is a DeploymentTest that has a registry.
type test struct {
	object *v1alpha1.DeploymentTest
	// foreign tells that its registry is not of this archive, or not a test registry.
	foreign bool
	reading *reading
	// said is what was written last, at the instant.
	said   *v1alpha1.TestObservation
	saidAt time.Time
	// notBefore is when it may be tried again after something failed; told is what was logged last of that.
	notBefore time.Time
	told      string
}

// New makes an observer.
func New(o Options) *Observer {
	return &Observer{Options: o, news: make(chan news), tests: map[types.UID]*test{}, orphans: map[string]*test{}, rows: map[string]store.TestRegistry{}}
}

// Load reads which test registries are over, so that a restart opens none.
func (o *Observer) Load(ctx context.Context) error { return o.read(ctx) }

// Over tells whether the registry was that of a deployment test which is over.
func (o *Observer) Over(registry string) bool {
	over := o.over.Load()
	return over != nil && (*over)[registry]
}

// OIDOf gives the OID of the registry of the DeploymentTest with the UID; empty for what is no UUID.
func OIDOf(uid types.UID) string { return string(deploymenttest.RegistryOID(uid)) }

// Run works until ctx ends.
func (o *Observer) Run(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.follow(ctx)
	}()
	defer func() { <-done }()
	ticker := o.Clock.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case n := <-o.news:
			o.learn(n)
		case <-ticker.C():
			o.tick(ctx)
		}
	}
}

// tick does what there is to do.
func (o *Observer) tick(ctx context.Context) {
	now := o.Clock.Now()
	if o.unfinished() && absolute(now.Sub(o.readAt)) >= rowsEvery {
		if err := o.read(ctx); err != nil {
			o.Log.Info("Could not read the test registries, trying again", "error", err.Error())
		}
	}
	if !o.Leads() {
		return
	}
	for _, t := range o.tests {
		o.try(ctx, t, now, o.attend)
	}
	if o.listed {
		for _, row := range o.rows {
			if t := o.orphan(row); t != nil {
				o.try(ctx, t, now, o.attendGone)
			}
		}
	}
}

// unfinished tells whether there is a test at all that is not over.
func (o *Observer) unfinished() bool {
	for _, t := range o.tests {
		if !t.foreign {
			return true
		}
	}
	for _, row := range o.rows {
		if row.Destroyed.IsZero() {
			return true
		}
	}
	return false
}

// try does something for a test, and tells once what goes wrong.
func (o *Observer) try(ctx context.Context, t *test, now time.Time, do func(context.Context, *test, time.Time) error) {
	if now.Before(t.notBefore) {
		return
	}
	err := do(ctx, t, now)
	if err == nil {
		t.told = ""
		return
	}
	t.notBefore = now.Add(retryEvery)
	if ctx.Err() == nil && t.told != err.Error() {
		t.told = err.Error()
		o.Log.Info("Could not go on with a deployment test, trying again",
			"namespace", t.object.Namespace, "name", t.object.Name, "error", t.told)
	}
}

// read reads what the store has of test registries.
func (o *Observer) read(ctx context.Context) error {
	all, err := o.Store.TestRegistries(ctx)
	if err != nil {
		return err
	}
	o.readAt = o.Clock.Now()
	for _, row := range all {
		o.take(row)
	}
	return nil
}

// take notes what the store has of a test registry.
func (o *Observer) take(row store.TestRegistry) {
	o.rows[row.OID] = row
	if !row.Closed.IsZero() {
		o.end(row.OID)
	}
}

// end refuses a registry from now on.
func (o *Observer) end(registry string) {
	if o.Over(registry) {
		return
	}
	next := map[string]bool{registry: true}
	if before := o.over.Load(); before != nil {
		for one := range *before {
			next[one] = true
		}
	}
	o.over.Store(&next)
}

// absolute keeps a clock that is set back from stopping what is done every so often.
func absolute(d time.Duration) time.Duration { return max(d, -d) }
