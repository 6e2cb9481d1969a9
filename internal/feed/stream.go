// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// pageSize bounds how many full objects are in memory at once while listing.
	pageSize = 500
	// watchSeconds is the time limit asked for each watch. A server sends a bookmark about two seconds before it.
	watchSeconds = 3
	// probeEvery is the time between two probes of a round.
	probeEvery = 700 * time.Millisecond
	// bookmarkBy is when the bookmark of a watch has come, if it comes. A server sends none that says nothing new.
	bookmarkBy = 2300 * time.Millisecond
	// roundLimit ends a watch that neither speaks nor closes, as one to a frozen server.
	roundLimit = 8 * time.Second
	// probeLimit bounds the consistent read of a round.
	probeLimit = 5 * time.Second
	// hastyRound is shorter than any watch that a server closes at its time limit.
	hastyRound = 100 * time.Millisecond
	// probeName names no object: the probe wants a revision, not objects.
	probeName = "valtuus-freshness-probe"
)

var (
	// errRelist says that the watch cannot go on from the known revision.
	errRelist = errors.New("the revision to watch from is gone")
	// errWentBack says that the API server's revisions are older than what is known: nothing known can be trusted.
	errWentBack = errors.New("the API server's revisions went back")
	// errHasty says that the server closed a watch at once; asking again at once would not help.
	errHasty = errors.New("the watch was closed at once")
)

// sink takes what a stream sees. Its methods are called from one goroutine.
type sink interface {
	// beginList starts a full list; the objects follow as upserts. It fails if the list is older than what is known.
	beginList(revision uint64) error
	// endList ends a full list; what was not in it is gone.
	endList(revision uint64)
	upsert(object client.Object, revision uint64)
	remove(object client.Object, revision uint64)
	// advance tells that the stream has reached a revision.
	advance(revision uint64)
	// proven tells that the stream holds everything committed before the instant.
	proven(at time.Time)
}

// stream follows one kind.
type stream struct {
	name    string
	client  client.WithWatch
	newList func() client.ObjectList
	items   func(client.ObjectList) []client.Object
	options client.ListOptions // namespace and field selector of what is followed
	probe   client.ListOptions // selects nothing
	sink    sink
	clock   clock.Clock
	log     logr.Logger

	reached  uint64 // highest revision seen
	probedAt time.Time
	probed   uint64 // revision that the read begun at probedAt returned
}

// run lists and watches until ctx ends, or until the API server's revisions go back.
func (s *stream) run(ctx context.Context) {
	backoff := wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 7, Cap: 2 * time.Second}
	retry := backoff
	listed := false
	for ctx.Err() == nil {
		var err error
		if listed {
			err = s.round(ctx)
		} else {
			err = s.list(ctx)
		}
		listed = (listed || err == nil) && !errors.Is(err, errRelist)
		if err == nil {
			retry = backoff
			continue
		}
		if errors.Is(err, errWentBack) {
			return
		}
		if ctx.Err() == nil {
			s.log.Info("Lost touch with the API server, trying again", "kind", s.name, "error", err.Error())
			select {
			case <-ctx.Done():
			case <-s.clock.After(retry.Step()):
			}
		}
	}
}

// list reads everything in pages with a consistent first page.
func (s *stream) list(ctx context.Context) error {
	next := ""
	begun := s.clock.Now()
	var revision uint64
	for {
		page := s.newList()
		options := s.options
		options.Limit, options.Continue = pageSize, next
		if err := s.client.List(ctx, page, &options); err != nil {
			return fmt.Errorf("list: %w", err)
		}
		if next == "" {
			var err error
			if revision, err = parseRevision(page.GetResourceVersion()); err != nil {
				return err
			}
			if err := s.sink.beginList(revision); err != nil {
				return err
			}
		}
		for _, object := range s.items(page) {
			at, err := parseRevision(object.GetResourceVersion())
			if err != nil {
				return err
			}
			s.sink.upsert(object, at)
		}
		if next = page.GetContinue(); next == "" {
			break
		}
	}
	s.reached = revision
	s.probed = 0
	s.sink.endList(revision)
	s.sink.proven(begun)
	return nil
}

// round is one short watch with its probes.
func (s *stream) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	options := s.options
	options.Raw = &metav1.ListOptions{
		ResourceVersion:     strconv.FormatUint(s.reached, 10),
		AllowWatchBookmarks: true,
		TimeoutSeconds:      ptr.To[int64](watchSeconds),
	}
	events, err := s.client.Watch(ctx, s.newList(), &options)
	if err != nil {
		return watchError(err)
	}
	defer events.Stop()

	opened := s.clock.Now()
	probes := make(chan probeResult, 1)
	next := s.clock.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-next.C():
			known := s.reached // events go on while the probe is under way: they may be newer than its answer
			go func() { probes <- s.consistentRead(ctx, known) }()
		case result := <-probes:
			if result.err != nil {
				return fmt.Errorf("probe: %w", result.err)
			}
			if result.revision < result.known {
				return errRelist // only a store restored from a backup goes back
			}
			s.probedAt, s.probed = result.at, result.revision
			if !s.prove() && s.clock.Since(opened) > bookmarkBy {
				return nil // this watch's bookmark has been; the next watch has another
			}
			next.Reset(probeEvery)
		case event, open := <-events.ResultChan():
			if !open && s.clock.Since(opened) < hastyRound {
				return errHasty
			}
			if !open {
				return nil
			}
			done, err := s.handle(event)
			if err != nil || done {
				return err
			}
		}
	}
}

type probeResult struct {
	at       time.Time
	known    uint64 // the stream's revision when the read began
	revision uint64
	err      error
}

func (s *stream) consistentRead(ctx context.Context, known uint64) probeResult {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	result := probeResult{at: s.clock.Now(), known: known}
	list := s.newList()
	options := s.probe
	if result.err = s.client.List(ctx, list, &options); result.err == nil {
		result.revision, result.err = parseRevision(list.GetResourceVersion())
	}
	return result
}

// handle takes one event; done tells that the round has brought its bookmark.
func (s *stream) handle(event watch.Event) (done bool, err error) {
	if event.Type == watch.Error {
		return true, watchError(apierrors.FromObject(event.Object))
	}
	object, ok := event.Object.(client.Object)
	if !ok {
		return true, fmt.Errorf("watch sent a %T", event.Object)
	}
	revision, err := parseRevision(object.GetResourceVersion())
	if err != nil {
		return true, err
	}
	switch event.Type {
	case watch.Added, watch.Modified:
		s.sink.upsert(object, revision)
	case watch.Deleted:
		s.sink.remove(object, revision)
	case watch.Bookmark:
		done = true
	}
	if revision > s.reached {
		s.reached = revision
	}
	s.sink.advance(revision)
	s.prove()
	return done, nil
}

// watchError tells an error that a new list mends from one that patience mends.
func watchError(err error) error {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
		return errRelist
	}
	return fmt.Errorf("watch: %w", err)
}

// prove draws the conclusion of the package comment, if it can be drawn.
func (s *stream) prove() bool {
	if s.probed == 0 || s.reached < s.probed {
		return false
	}
	s.sink.proven(s.probedAt)
	return true
}

func parseRevision(resourceVersion string) (uint64, error) {
	revision, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0, errors.New("the API server sent a resourceVersion that is not a number")
	}
	return revision, nil
}

// nothing selects no object of a kind: for a namespaced kind in a namespace, so that the server looks one key up.
func nothing(namespace string) client.ListOptions {
	return client.ListOptions{Namespace: namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", probeName)}
}
