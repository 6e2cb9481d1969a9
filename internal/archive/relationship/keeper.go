// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/relationship/naming"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
)

const (
	// workers is how many documents are worked on at a time.
	workers = 8
	// tickEvery is how often ends that the API server has come to say are looked for.
	tickEvery = 50 * time.Millisecond
	// scanEvery is how often the store is asked for what is not settled: another replica may have stored it.
	scanEvery = 250 * time.Millisecond
	// insistEvery is how often a conflict or refusal is looked at without a reason.
	insistEvery = time.Minute
	// sweepEvery is how often all settled records are compared with the view without a reason.
	sweepEvery = 10 * time.Minute
	// firstRetry and lastRetry are the pauses before another try.
	firstRetry, lastRetry = 50 * time.Millisecond, 2 * time.Second
	// lastLook is the longest pause before an object is looked at again whose registry is not accepted.
	lastLook = time.Minute
	// massLoss is from how many on the loss of most relationships at once is taken for the API server's.
	massLoss = 20
	// page is how many records are read at a time.
	page = 500
)

// Store is what the keeper needs of the archive's store.
type Store interface {
	store.DocumentStore
	store.RelationshipStore
	ClientExists(ctx context.Context, registry string, id uuid.UUID) (bool, error)
	// RelationshipRecords gives up to limit records, by document id after the one given.
	RelationshipRecords(ctx context.Context, after uuid.UUID, limit int) ([]store.RelationshipRecord, error)
}

// Options are what a keeper is made of. All are required.
type Options struct {
	Store   Store
	Catalog func() *catalog.Catalog
	// Client reaches the API server, without a cache.
	Client client.Client
	// Index is the view; its feed tells Observe and Relisted.
	Index *index.Index
	// Archive names the Archive that this process serves.
	Archive client.ObjectKey
	Clock   clock.WithTicker
	// Log gets what an operator should know: ids and names, never what a document says.
	Log logr.Logger
}

// Keeper keeps client relationship documents and ServiceRelationships in step.
type Keeper struct {
	Options
	queue    workqueue.TypedRateLimitingInterface[uuid.UUID]
	patience workqueue.TypedRateLimiter[uuid.UUID]
	relisted chan struct{}

	mutex sync.Mutex
	// seen are the objects that the feed told of and that have not been looked at since.
	seen map[uuid.UUID]sighting
	// waiting are the documents that wait for another try.
	waiting map[uuid.UUID]bool
	// said are the ends that the API server has come to say, until the view shows it.
	said map[uuid.UUID]saidEnd
}

// sighting is an object that the feed told of.
type sighting struct {
	key      client.ObjectKey
	uid      string
	registry index.Key
}

// saidEnd is an end that the API server says as of a revision.
type saidEnd struct {
	held     index.HeldEnd
	revision uint64
}

// New makes a keeper. Load must be called before anything is served, and Run beside it.
func New(o Options) *Keeper {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[uuid.UUID](firstRetry, lastRetry)
	return &Keeper{
		Options: o, relisted: make(chan struct{}, 1),
		patience: workqueue.NewTypedItemExponentialFailureRateLimiter[uuid.UUID](firstRetry, lastLook),
		queue:    workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[uuid.UUID]{Clock: o.Clock}),
		seen:     map[uuid.UUID]sighting{}, waiting: map[uuid.UUID]bool{}, said: map[uuid.UUID]saidEnd{},
	}
}

// Load puts the ends of all documents that are not settled into the index, so that a restart loses none.
func (k *Keeper) Load(ctx context.Context) error {
	return k.each(ctx, k.Store.UnsettledRelationships, func(r *store.RelationshipRecord) { k.hold(r) })
}

// Stored is told of each version and each annulment of a client relationship document, once it is durable and before
// it is acknowledged. From then on the relationship ends by the instant; zero while the document is open.
func (k *Keeper) Stored(_ context.Context, document uuid.UUID, _ string, endsAt time.Time) {
	if !endsAt.IsZero() {
		k.Index.SetDocumentEnd(index.DocumentID(document), endsAt)
	}
	k.queue.Add(document)
}

// Observe is told of each ServiceRelationship that the feed has read, and of each that was deleted.
func (k *Keeper) Observe(o *v1alpha1.ServiceRelationship, deleted bool) {
	if !deleted && settled(o) {
		return
	}
	id := naming.DocumentOf(o)
	if o.Spec.Document != nil && !naming.MadeFor(o, id) {
		// Whatever it names, its own document could only be this one.
		id = naming.DocumentFor(o.UID)
	}
	k.mutex.Lock()
	k.seen[id] = sighting{
		client.ObjectKeyFromObject(o), string(o.UID), index.Key{Namespace: o.Namespace, Name: string(o.Spec.RegistryRef.Name)},
	}
	k.mutex.Unlock()
	k.queue.Add(id)
}

// Relisted is told that the feed has read all relationships anew.
func (k *Keeper) Relisted() {
	select {
	case k.relisted <- struct{}{}:
	default:
	}
}

// settled tells whether the object and its document agreed and the object has not changed since.
func settled(o *v1alpha1.ServiceRelationship) bool {
	says, is := o.Spec.Document, o.Status.Document
	return o.DeletionTimestamp == nil && says != nil && is != nil && is.State == v1alpha1.DocumentAgreed &&
		is.Version == says.Version && is.ObservedGeneration == o.Generation
}

// Run works until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for k.next(ctx) {
			}
		})
	}
	group.Go(func() { k.watch(ctx) })
	<-ctx.Done()
	k.queue.ShutDown()
	group.Wait()
	return nil
}

// next works on one document.
func (k *Keeper) next(ctx context.Context) bool {
	id, shutdown := k.queue.Get()
	if shutdown {
		return false
	}
	defer k.queue.Done(id)
	k.mutex.Lock()
	delete(k.waiting, id)
	sighted := k.seen[id]
	k.mutex.Unlock()

	k.done(ctx, id, sighted, k.keep(ctx, id, sighted))
	return true
}

// done forgets a document, or sees to it that it is tried again.
func (k *Keeper) done(ctx context.Context, id uuid.UUID, sighted sighting, err error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	switch {
	case err == nil:
		k.queue.Forget(id)
		k.patience.Forget(id)
		if k.seen[id] == sighted {
			delete(k.seen, id)
		}
	case ctx.Err() != nil:
	case errors.Is(err, errNoRegistry):
		k.queue.AddAfter(id, k.patience.When(id))
	default:
		if !errors.Is(err, errNotYet) && k.queue.NumRequeues(id) == 0 {
			k.Log.Info("Could not bring a document and its relationship together, trying again", "document", id, "error", err.Error())
		}
		k.waiting[id] = true
		k.queue.AddRateLimited(id)
	}
}

// hold sees to it that the index holds to the end that an unsettled document says. It tells whether that is new.
func (k *Keeper) hold(r *store.RelationshipRecord) bool {
	end := r.EndsAt()
	if end.IsZero() {
		return false
	}
	if _, held := k.Index.DocumentEnd(index.DocumentID(r.DocumentID)); held {
		return false
	}
	k.Index.SetDocumentEnd(index.DocumentID(r.DocumentID), end)
	return true
}

// each reads all records of a list.
func (k *Keeper) each(ctx context.Context, list func(context.Context, uuid.UUID, int) ([]store.RelationshipRecord, error),
	do func(*store.RelationshipRecord),
) error {
	after := uuid.Nil
	for {
		records, err := list(ctx, after, page)
		if err != nil {
			return err
		}
		for i := range records {
			do(&records[i])
		}
		if len(records) < page {
			return nil
		}
		after = records[len(records)-1].DocumentID
	}
}
