// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/index"
)

// Feed keeps Index in step with the API server.
type Feed struct {
	// Client reads and watches the kinds of the index, and writes this replica's Lease.
	Client client.WithWatch
	// Index is what is fed.
	Index *index.Index
	// Clock tells when a proof of freshness was begun.
	Clock clock.WithTicker
	// Log takes what an operator should know: lost connections, objects that are kept out. Never an object.
	Log logr.Logger
	// Archive names the Archive that this process serves.
	Archive client.ObjectKey
	// Replica names this process among the replicas of its archive.
	Replica string
	// OnTrustAnchors is told the PEM text of the professionals' trust anchors whenever it may have changed.
	OnTrustAnchors func(pem string)
	// OnRelationship, when set, is told of each relationship that was read and of each that was deleted, once the index
	// knows it. It must return at once and not keep the object.
	OnRelationship func(o *v1alpha1.ServiceRelationship, deleted bool)
	// OnRelationshipsListed, when set, is told that all relationships have been read anew: what was not among them is gone.
	OnRelationshipsListed func()
	// Certificates, when set, tells which server certificate this replica serves and which authorities of clients it
	// trusts, by fingerprint.
	Certificates func() (serves string, trusts []string)

	mutex  sync.Mutex
	proofs map[string]time.Time
	acks   *acknowledger
	bounds *producerBounds
}

const archives = "archives"

// Run feeds the index until ctx ends. The replica registers itself first: from then on the controllers
// count on it, and before that the index stays incomplete, so that nothing is served.
func (f *Feed) Run(ctx context.Context) error {
	f.bounds = newProducerBounds(func() { f.acks.hurry() })
	f.acks = newAcknowledger(f.Client, f.Clock, f.Log, f.Archive, f.Replica, f.Index, f.bounds)
	f.acks.certificates = f.Certificates
	if err := f.acks.register(ctx); err != nil {
		return fmt.Errorf("register the replica: %w", err)
	}
	var group sync.WaitGroup
	group.Go(func() { f.acks.run(ctx) })
	for ctx.Err() == nil {
		f.follow(ctx)
	}
	group.Wait()
	return nil
}

// Leave takes this replica off those that the controllers count on. Call it when Run has ended and nothing is served any
// more: nobody waits for this replica's acknowledgement of an end from then on.
func (f *Feed) Leave(ctx context.Context) {
	if f.acks != nil {
		f.acks.leave(ctx)
	}
}

// follow runs all streams until ctx ends, or until one finds that the API server's revisions went back, as
// after its store was restored from a backup. Then the view is emptied, and is loaded anew by the next call.
func (f *Feed) follow(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f.proofs = map[string]time.Time{}
	var group sync.WaitGroup
	for _, s := range append(f.streams(cancel), f.archiveStream()) {
		group.Go(func() { s.run(ctx) })
	}
	group.Wait()
	if errors.Is(context.Cause(ctx), errWentBack) {
		f.Log.Info("The API server's revisions went back, loading everything anew")
		f.Index.Reset()
	}
}

func (f *Feed) streams(restart context.CancelCauseFunc) []*stream {
	streams := []*stream{
		f.stream(index.Organizations, "", func() client.ObjectList { return &v1alpha1.OrganizationList{} },
			func(o client.Object, rv uint64) (index.Change, error) {
				return f.Index.UpsertOrganization(organization(o.(*v1alpha1.Organization), rv))
			}),
		f.stream(index.ClientSystems, "", func() client.ObjectList { return &v1alpha1.ClientSystemList{} },
			func(o client.Object, rv uint64) (index.Change, error) {
				return f.Index.UpsertClientSystem(clientSystem(o.(*v1alpha1.ClientSystem), rv))
			}),
		f.stream(index.Registries, f.Archive.Namespace, func() client.ObjectList { return &v1alpha1.RegistryList{} },
			func(o client.Object, rv uint64) (index.Change, error) {
				return f.Index.UpsertRegistry(registry(o.(*v1alpha1.Registry), rv, f.Archive.Name))
			}),
		f.stream(index.Units, f.Archive.Namespace, func() client.ObjectList { return &v1alpha1.ProducerUnitList{} },
			func(o client.Object, rv uint64) (index.Change, error) {
				return f.Index.UpsertUnit(unit(o.(*v1alpha1.ProducerUnit), rv))
			}),
		f.stream(index.Grants, f.Archive.Namespace, func() client.ObjectList { return &v1alpha1.RegistryAccessGrantList{} },
			func(o client.Object, rv uint64) (index.Change, error) {
				return f.Index.UpsertGrant(grant(o.(*v1alpha1.RegistryAccessGrant), rv))
			}),
		f.stream(index.Relationships, f.Archive.Namespace, func() client.ObjectList { return &v1alpha1.ServiceRelationshipList{} },
			func(o client.Object, rv uint64) (index.Change, error) {
				return f.Index.UpsertRelationship(relationship(o.(*v1alpha1.ServiceRelationship), rv))
			}),
	}
	for _, s := range streams {
		s.sink.(*indexSink).restart = restart
		switch s.name {
		case index.Registries.String():
			s.sink = &registrySink{sink: s.sink, archive: f.Archive.Name, bounds: f.bounds}
		case index.Relationships.String():
			s.sink = &relationshipSink{sink: s.sink, feed: f}
		}
	}
	return streams
}

func (f *Feed) stream(kind index.Kind, probeNamespace string, list func() client.ObjectList,
	upsert func(client.Object, uint64) (index.Change, error),
) *stream {
	name := kind.String()
	return &stream{
		name: name, client: f.Client, newList: list, items: items, probe: nothing(probeNamespace), clock: f.Clock, log: f.Log,
		sink: &indexSink{feed: f, kind: kind, name: name, put: upsert},
	}
}

func (f *Feed) archiveStream() *stream {
	only := client.ListOptions{Namespace: f.Archive.Namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", f.Archive.Name)}
	return &stream{
		name: archives, client: f.Client, newList: func() client.ObjectList { return &v1alpha1.ArchiveList{} }, items: items,
		options: only, probe: nothing(f.Archive.Namespace), clock: f.Clock, log: f.Log, sink: &archiveSink{feed: f},
	}
}

func items(list client.ObjectList) []client.Object {
	out := make([]client.Object, 0, meta.LenList(list))
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		out = append(out, o.(client.Object))
		return nil
	})
	return out
}

// proven notes a stream's proof; the index is as fresh as the stalest stream.
func (f *Feed) proven(name string, at time.Time) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.proofs[name] = at
	// A proof from the future was made before the clock was stepped back. It must not wait there for its time to come.
	now := f.Clock.Now()
	maps.DeleteFunc(f.proofs, func(_ string, proof time.Time) bool { return proof.After(now) })
	if len(f.proofs) < len(index.Kinds())+1 {
		return
	}
	oldest := at
	for _, proof := range f.proofs {
		if proof.Before(oldest) {
			oldest = proof
		}
	}
	if limit := f.acks.lastSign().Add(enforcement.SilenceLimit); oldest.After(limit) {
		oldest = limit
	}
	f.Index.SetFreshness(oldest)
}

// indexSink puts one kind into the index.
type indexSink struct {
	feed   *Feed
	kind   index.Kind
	name   string
	put    func(client.Object, uint64) (index.Change, error)
	relist index.Relist
	// restart ends all streams.
	restart context.CancelCauseFunc
}

func (s *indexSink) beginList(revision uint64) error {
	if revision < s.feed.Index.Revision(s.kind) {
		s.restart(errWentBack)
		return errWentBack
	}
	s.relist = s.feed.Index.BeginRelist(s.kind)
	return nil
}

func (s *indexSink) endList(revision uint64) {
	s.note(s.feed.Index.EndRelist(s.relist, revision))
	s.feed.Index.Advance(s.kind, revision)
	s.feed.Index.SetComplete(s.kind)
}

func (s *indexSink) upsert(object client.Object, revision uint64) {
	change, err := s.put(object, revision)
	if err != nil {
		s.feed.Log.Error(err, "Kept an object out of the view; it opens nothing",
			"kind", s.name, "namespace", object.GetNamespace(), "name", object.GetName())
	}
	s.note(change)
}

func (s *indexSink) remove(object client.Object, revision uint64) {
	s.note(s.feed.Index.Delete(s.kind, uid(object.GetUID()), revision))
}

func (s *indexSink) advance(revision uint64) { s.feed.Index.Advance(s.kind, revision) }
func (s *indexSink) proven(at time.Time)     { s.feed.proven(s.name, at) }

func (s *indexSink) note(change index.Change) {
	if change.TookAway {
		s.feed.acks.hurry()
	}
}

// archiveSink takes the settings of the Archive that this process serves.
type archiveSink struct {
	feed  *Feed
	found bool
}

func (s *archiveSink) beginList(uint64) error {
	s.found = false
	return nil
}

func (s *archiveSink) endList(revision uint64) {
	if !s.found {
		s.remove(nil, revision)
	}
}

func (s *archiveSink) upsert(object client.Object, _ uint64) {
	archive := object.(*v1alpha1.Archive)
	s.found = true
	var producers, organizer time.Duration
	if staleness := archive.Spec.Staleness; staleness != nil {
		producers, organizer = seconds(staleness.ProducersSeconds), seconds(staleness.OrganizerSeconds)
	}
	s.feed.bounds.ofArchive(producers, func() { s.feed.Index.SetBounds(producers, organizer) })
	s.feed.OnTrustAnchors(archive.Spec.Professionals.TrustAnchors)
}

// remove leaves no professional to be trusted: absence denies.
func (s *archiveSink) remove(client.Object, uint64) { s.feed.OnTrustAnchors("") }
func (s *archiveSink) advance(uint64)               {}
func (s *archiveSink) proven(at time.Time)          { s.feed.proven(archives, at) }
