// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/valtuus/valtuus/internal/authority"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/metrics"
	"github.com/valtuus/valtuus/internal/reach"
	"github.com/valtuus/valtuus/internal/workload"
)

// FieldOwner is the name under which the controllers write.
const FieldOwner = "valtuus-manager"

// longestWait bounds every wait for an instant, so that a step of the clock or a lost timer heals.
const longestWait = time.Hour

// Options are what the controllers need beside a manager.
type Options struct {
	// Clock tells the time; the real one when left out.
	Clock clock.PassiveClock
	// Metrics takes what a person would alert on.
	Metrics *metrics.Manager
	// Workload are the settings of archives that run in the cluster. Simulated deployment tests run its image.
	Workload workload.Settings
	// Namespaces are those that the controllers work in. What is outside is read, as a claim on an OID and as what others
	// refer to, and is neither changed nor given anything.
	Namespaces reach.Namespaces
	// Concurrency is how many relationships are worked on at a time; 32 when zero.
	Concurrency int

	longestWait time.Duration
	settle      time.Duration
	wrap        func(client.Client) client.Client
}

// WithSettling shortens the time for which mounted Secrets are given to be updated, so that a test can see an authority
// replaced by the clock on the wall.
func (o Options) WithSettling(_ testing.TB, d time.Duration) Options {
	o.settle = d
	return o
}

// WithLongestWait shortens every wait, so that a test can step a fake clock and be noticed.
func (o Options) WithLongestWait(_ testing.TB, d time.Duration) Options {
	o.longestWait = d
	return o
}

// WithClient wraps the client that the controllers write with, so that a test can make writes fail.
func (o Options) WithClient(_ testing.TB, wrap func(client.Client) client.Client) Options {
	o.wrap = wrap
	return o
}

// Writing a status takes a verb of its own besides, which the admission policy valtuus-status asks for.
// +kubebuilder:rbac:groups=valtuus.io,resources=statuses,verbs=report

// SetupAll registers every controller with the manager.
func SetupAll(ctx context.Context, mgr ctrl.Manager, options Options) error {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.longestWait == 0 {
		options.longestWait = longestWait
	}
	if options.settle == 0 {
		options.settle = authority.Settle
	}
	if options.Concurrency == 0 {
		options.Concurrency = 32
	}
	if err := addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return fmt.Errorf("index the cache: %w", err)
	}
	b := base{
		Client: mgr.GetClient(), clock: options.Clock, longestWait: options.longestWait, settle: options.settle, metrics: options.Metrics,
		events:  mgr.GetEventRecorder(FieldOwner),
		reach:   options.Namespaces,
		live:    mgr.GetAPIReader(),
		tracker: enforcement.NewTracker(mgr.GetAPIReader(), options.Clock, options.Namespaces),
	}
	if options.wrap != nil {
		b.Client = options.wrap(b.Client)
	}
	issuing := &credentialFlow{base: b, issuers: &issuers{reader: b.Client}}
	for _, setup := range []func(ctrl.Manager) error{
		(&OrganizationReconciler{base: b}).setup,
		(&ClientSystemReconciler{base: b}).setup,
		(&ArchiveReconciler{base: b, settings: options.Workload}).setup,
		(&RegistryReconciler{base: b, issuing: issuing}).setup,
		(&ProducerUnitReconciler{base: b}).setup,
		(&DeploymentTestReconciler{
			base: b, issuers: issuing.issuers, seen: newFirstSeen(),
			image: options.Workload.Image, networkPolicies: options.Workload.NetworkPolicies,
		}).setup,
		(&RegistryAccessGrantReconciler{base: b, issuing: issuing, seen: newFirstSeen()}).setup,
		(&ServiceRelationshipReconciler{base: b, seen: newFirstSeen(), concurrency: options.Concurrency}).setup,
	} {
		if err := setup(mgr); err != nil {
			return err
		}
	}
	return nil
}

// base is what every reconciler has.
type base struct {
	client.Client
	clock       clock.PassiveClock
	longestWait time.Duration
	settle      time.Duration // see authority.Settle
	events      events.EventRecorder
	metrics     *metrics.Manager
	tracker     *enforcement.Tracker
	reach       reach.Namespaces
	// live reads from the API server what is not in the cache.
	live client.Reader
}

// gatherFor is how long events gather where a look only sums up.
const gatherFor = 2 * time.Second

func (b *base) gathering() time.Duration { return min(gatherFor, b.longestWait) }

// options are a controller's options. A failure is tried again soon, and never later than a minute: the default
// begins at 5 ms and ends at a quarter of an hour.
func (b *base) options(concurrency int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: concurrency,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](200*time.Millisecond, time.Minute),
	}
}

// wakeAt returns the result that comes back at the earliest of the instants that are still to come.
func (b *base) wakeAt(now time.Time, instants ...time.Time) ctrl.Result {
	var earliest time.Time
	for _, t := range instants {
		if t.After(now) && (earliest.IsZero() || t.Before(earliest)) {
			earliest = t
		}
	}
	if earliest.IsZero() {
		return ctrl.Result{}
	}
	// A millisecond more, because a timer may fire a little early.
	return ctrl.Result{RequeueAfter: min(earliest.Sub(now)+time.Millisecond, b.longestWait)}
}

// patchStatus writes the status if it has changed; the write fails if the object has.
func (b *base) patchStatus(ctx context.Context, before, after client.Object) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	return b.Status().Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// settle turns what may happen to any write into its result: another writer's win is no error, only a reason to look again.
func settle(result ctrl.Result, err error) (ctrl.Result, error) {
	var conflict *retrySoon
	switch {
	case err == nil:
		return result, nil
	case apierrors.IsConflict(err), apierrors.IsNotFound(err), errors.As(err, &conflict):
		return ctrl.Result{RequeueAfter: 20 * time.Millisecond}, nil
	default:
		return ctrl.Result{}, err
	}
}

// retrySoon says that the cache has not yet caught up with what was written.
type retrySoon struct{ what string }

func (e *retrySoon) Error() string { return "not yet in the cache: " + e.what }
