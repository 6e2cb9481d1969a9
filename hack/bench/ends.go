// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/feed"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/pki"
)

// lookEvery is how often a decision that is about to turn is asked for.
const lookEvery = 25 * time.Microsecond

// ender ends relationships and sees when the archive's decision turns, and when a bare watch tells.
// Both are in this process and see the same ends.
type ender struct {
	*cluster
	view         *index.Index
	fingerprints map[v1alpha1.OID]access.Fingerprint
	cancel       context.CancelFunc
	group        sync.WaitGroup

	mutex   sync.Mutex
	told    map[string]time.Time // by the bare watch, for each ended relationship
	pending chan *pendingEnd
}

type pendingEnd struct {
	request access.Request
	turned  chan time.Time
}

// lags are how long ends took: from the acknowledgement until the decision turned and until the bare watch told,
// both below zero where they were there before the acknowledgement; and from the sending of the patch until its
// acknowledgement and until the decision turned.
type lags struct{ decision, watch, patch, whole *samples }

func newLags() lags { return lags{&samples{}, &samples{}, &samples{}, &samples{}} }

// newEnder starts the feed of an archive replica, and a bare watch.
func (c *cluster) newEnder(ctx context.Context) (_ *ender, err error) {
	e := &ender{cluster: c, view: index.New(), told: map[string]time.Time{}, pending: make(chan *pendingEnd, 1024)}
	ctx, e.cancel = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			e.stop()
		}
	}()
	if e.fingerprints, err = c.credentials(ctx); err != nil {
		return nil, err
	}
	cfg, err := c.archiveConfig()
	if err != nil {
		return nil, err
	}
	// One connection each: a feed shares none with another watch in an archive either.
	clients := make([]client.WithWatch, 2)
	for i := range clients {
		own := *cfg
		own.UserAgent = fmt.Sprintf("bench-%d", i)
		if clients[i], err = client.NewWithWatch(&own, client.Options{Scheme: manager.Scheme()}); err != nil {
			return nil, err
		}
	}
	f := &feed.Feed{
		Client: clients[0], Index: e.view, Clock: clock.RealClock{},
		// What it says explains a lag: that it lost touch with the API server.
		Log:     funcr.New(func(_, args string) { c.bench.progress("feed: %s", args) }, funcr.Options{}),
		Archive: client.ObjectKeyFromObject(c.Archive), Replica: "bench", OnTrustAnchors: func(string) {},
	}
	e.group.Go(func() { _ = f.Run(ctx) })
	e.group.Go(func() { e.look(ctx) })
	events, err := clients[1].Watch(ctx, &v1alpha1.ServiceRelationshipList{}, &client.ListOptions{
		Raw: &metav1.ListOptions{ResourceVersion: "0", TimeoutSeconds: ptr.To[int64](3600)},
	})
	if err != nil {
		return nil, err
	}
	e.group.Go(func() { e.listen(ctx, events) })
	return e, until(ctx, "the view to be complete", 20*time.Millisecond, func() (bool, error) { return e.view.Freshness().Complete, nil })
}

func (e *ender) stop() {
	e.cancel()
	e.group.Wait()
}

// credentials are the fingerprints of the units' credentials.
func (c *cluster) credentials(ctx context.Context) (map[v1alpha1.OID]access.Fingerprint, error) {
	var list v1alpha1.RegistryAccessGrantList
	if err := c.List(ctx, &list); err != nil {
		return nil, err
	}
	out := map[v1alpha1.OID]access.Fingerprint{}
	for i := range list.Items {
		for _, line := range list.Items[i].Status.Credentials {
			fingerprint, err := pki.ParseFingerprint(line.Fingerprint)
			if err != nil {
				return nil, err
			}
			out[list.Items[i].Spec.ProducerUnit] = access.Fingerprint(fingerprint)
		}
	}
	return out, nil
}

// listen is the bare watch.
func (e *ender) listen(ctx context.Context, events watch.Interface) {
	defer events.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-events.ResultChan():
			if !open {
				return
			}
			at := time.Now()
			o, ok := event.Object.(*v1alpha1.ServiceRelationship)
			if !ok || o.Spec.End == nil {
				continue
			}
			e.mutex.Lock()
			if _, known := e.told[o.Name]; !known {
				e.told[o.Name] = at
			}
			e.mutex.Unlock()
		}
	}
}

// look asks for the pending decisions until they turn. It naps in between, and sleeps while nothing is pending.
func (e *ender) look(ctx context.Context) {
	runtime.LockOSThread()
	napPrecisely()
	var waiting []*pendingEnd
	for {
		if len(waiting) == 0 {
			select {
			case <-ctx.Done():
				return
			case p := <-e.pending:
				waiting = append(waiting, p)
			}
		}
		for more := true; more; {
			select {
			case p := <-e.pending:
				waiting = append(waiting, p)
			default:
				more = false
			}
		}
		for i := 0; i < len(waiting); i++ {
			at := time.Now()
			if e.view.Decide(&waiting[i].request, at).Allowed {
				continue
			}
			waiting[i].turned <- time.Now()
			waiting[i] = waiting[len(waiting)-1]
			waiting = waiting[:len(waiting)-1]
			i--
		}
		nap(lookEvery)
		if ctx.Err() != nil {
			return
		}
	}
}

func (e *ender) request(o *v1alpha1.ServiceRelationship) access.Request {
	id, _ := uuid.Parse(o.Spec.ClientID)
	return access.Request{
		Caller: access.Caller{
			TrustedRegistry: string(e.Registry.Spec.OID), Unit: string(o.Spec.ProducerUnit), Fingerprint: e.fingerprints[o.Spec.ProducerUnit],
		},
		Professional: true, Registry: string(e.Registry.Spec.OID), Operation: access.Search, Client: access.ClientID(id),
	}
}

// endAll ends relationships at a pace and measures each.
func (e *ender) endAll(ctx context.Context, all []*v1alpha1.ServiceRelationship, perSecond int) (lags, error) {
	for _, o := range all {
		request := e.request(o)
		err := until(ctx, "the view to open "+o.Name, 10*time.Millisecond, func() (bool, error) {
			d := e.view.Decide(&request, time.Now())
			return d.Allowed, errors.New(d.Reason.Code())
		})
		if err != nil {
			return lags{}, err
		}
	}
	out := newLags()
	ticks := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticks.Stop()
	failed := make(chan error, len(all))
	var group sync.WaitGroup
	for _, o := range all {
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-ticks.C:
		}
		group.Go(func() { failed <- e.endOne(ctx, o, out) })
	}
	group.Wait()
	close(failed)
	var err error
	for one := range failed {
		err = errors.Join(err, one)
	}
	return out, err
}

// endOne ends a relationship and waits for the decision and the watch.
func (e *ender) endOne(ctx context.Context, o *v1alpha1.ServiceRelationship, out lags) error {
	p := &pendingEnd{request: e.request(o), turned: make(chan time.Time, 1)}
	e.pending <- p
	begun := time.Now()
	acknowledged, err := e.endNow(ctx, o, out)
	if err != nil {
		return err
	}
	select {
	case at := <-p.turned:
		out.decision.add(at.Sub(acknowledged))
		out.whole.add(at.Sub(begun))
	case <-time.After(patience):
		return errors.New("the decision did not turn")
	}
	return until(ctx, "the bare watch", time.Millisecond, func() (bool, error) {
		e.mutex.Lock()
		defer e.mutex.Unlock()
		at, known := e.told[o.Name]
		if known {
			out.watch.add(at.Sub(acknowledged))
		}
		return known, nil
	})
}

// endNow records the end and returns when the API server acknowledged it.
func (c *cluster) endNow(ctx context.Context, o *v1alpha1.ServiceRelationship, out lags) (time.Time, error) {
	before := o.DeepCopy()
	o.Spec.End = ptr.To(c.Ago(0))
	begun := time.Now()
	err := c.Patch(ctx, o, client.MergeFrom(before))
	acknowledged := time.Now()
	if out.patch != nil {
		out.patch.add(acknowledged.Sub(begun))
	}
	return acknowledged, err
}
