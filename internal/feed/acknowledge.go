// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/index"
)

const (
	// renewEvery is how often a replica shows that it lives; a third of the lease.
	renewEvery = enforcement.LeaseDuration / 3
	// gatherFor lets endings that come together share one acknowledgement.
	gatherFor = 50 * time.Millisecond
	// writeLimit bounds one write of the lease.
	writeLimit = 4 * time.Second
)

// acknowledger tells the controllers, by a Lease of this replica, which revisions the index has reached.
type acknowledger struct {
	client  client.Client
	clock   clock.WithTicker
	log     logr.Logger
	archive client.ObjectKey
	replica string
	index   *index.Index
	bounds  *producerBounds
	wake    chan struct{}
	sign    atomic.Pointer[time.Time]
	// certificates is the Feed's; nil tells nothing.
	certificates func() (serves string, trusts []string)
}

func newAcknowledger(c client.Client, clock clock.WithTicker, log logr.Logger, archive client.ObjectKey, replica string, x *index.Index, bounds *producerBounds) *acknowledger {
	return &acknowledger{client: c, clock: clock, log: log, archive: archive, replica: replica, index: x, bounds: bounds, wake: make(chan struct{}, 1)}
}

// hurry asks for an acknowledgement now, because access has been taken away.
func (a *acknowledger) hurry() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// register makes the Lease before anything is served, and waits for the API server to take it.
func (a *acknowledger) register(ctx context.Context) error {
	for {
		err := a.write(ctx)
		if err == nil {
			return nil
		}
		if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
			return err // a mistake that waiting does not mend
		}
		a.log.Info("Waiting for the API server to register this replica", "error", err.Error())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.clock.After(time.Second):
		}
	}
}

func (a *acknowledger) run(ctx context.Context) {
	for {
		pause := renewEvery
		if err := a.write(ctx); err != nil && ctx.Err() == nil {
			a.log.Info("Could not acknowledge the applied revisions, trying again", "error", err.Error())
			pause = 500 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
			select {
			case <-ctx.Done():
				return
			case <-a.clock.After(gatherFor):
			}
		case <-a.clock.After(pause):
		}
	}
}

func (a *acknowledger) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	bound, now := a.bounds.longest(), a.clock.Now()
	applied := enforcement.Revisions{}
	for _, kind := range index.Kinds() {
		applied[kind.String()] = a.index.Revision(kind)
	}
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   a.archive.Namespace,
			Name:        enforcement.LeaseName(a.archive.Name, a.replica),
			Labels:      map[string]string{enforcement.ArchiveLabel: a.archive.Name},
			Annotations: map[string]string{enforcement.AppliedAnnotation: applied.String(), enforcement.BoundAnnotation: bound.String()},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity:       ptr.To(a.replica),
			LeaseDurationSeconds: ptr.To(int32(enforcement.LeaseDuration / time.Second)),
			RenewTime:            ptr.To(metav1.NewMicroTime(now)),
		},
	}
	if a.certificates != nil {
		serves, trusts := a.certificates()
		lease.Annotations[enforcement.ServesAnnotation], lease.Annotations[enforcement.TrustsAnnotation] = serves, strings.Join(trusts, ",")
	}
	// A replica owns its lease alone, so a merge with nothing is enough and saves a read.
	err := a.client.Patch(ctx, lease.DeepCopy(), client.MergeFrom(&coordinationv1.Lease{}))
	if apierrors.IsNotFound(err) {
		err = a.client.Create(ctx, lease)
	}
	if err == nil {
		a.sign.Store(&now)
	}
	return err
}

// lastSign is when this replica last gave a sign of life that the API server took; zero before the first.
func (a *acknowledger) lastSign() time.Time {
	if at := a.sign.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// leave takes the Lease away. A replica that could not is waited for until its lease has run out.
func (a *acknowledger) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: a.archive.Namespace, Name: enforcement.LeaseName(a.archive.Name, a.replica),
	}}
	if err := a.client.Delete(ctx, lease); client.IgnoreNotFound(err) != nil {
		a.log.Info("Could not take the replica's Lease away", "error", err.Error())
	}
}
