// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

// meaningful passes the events of an object that others rest on: its spec, its deletion, or whether it is believed
// and ready, but not the rest of its status.
var meaningful = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
			(e.ObjectOld.GetDeletionTimestamp() == nil) != (e.ObjectNew.GetDeletionTimestamp() == nil) {
			return true
		}
		before, ok := e.ObjectOld.(conditions.Object)
		after, ok2 := e.ObjectNew.(conditions.Object)
		return ok && ok2 && (differs(before, after, v1alpha1.ReadyCondition) || differs(before, after, v1alpha1.AcceptedCondition))
	},
}

func differs(before, after conditions.Object, conditionType string) bool {
	a, b := conditions.Get(before, conditionType), conditions.Get(after, conditionType)
	if a == nil || b == nil {
		return a != b
	}
	return a.Status != b.Status || a.Reason != b.Reason || a.Message != b.Message || a.ObservedGeneration != b.ObservedGeneration
}

// ownSpec passes the events of the reconciled kind itself: not those of its own status writes.
var ownSpec = predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, deletion)

var deletion = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		return (e.ObjectOld.GetDeletionTimestamp() == nil) != (e.ObjectNew.GetDeletionTimestamp() == nil)
	},
}

// bundleChanged passes the events of archives whose authorities are to be made known.
var bundleChanged = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false }, // what begins looks at all anyway
	DeleteFunc: func(event.DeleteEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.Archive)
		after, ok2 := e.ObjectNew.(*v1alpha1.Archive)
		return ok && ok2 && before.Status.CABundle != after.Status.CABundle
	},
}

// created passes the coming and going of objects, and their specs.
var created = predicate.GenerationChangedPredicate{}

// enqueue makes an event handler of a function that names the objects to look at again.
func enqueue[O client.Object](name func(context.Context, O) []types.NamespacedName) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		names := name(ctx, o.(O))
		out := make([]reconcile.Request, len(names))
		for i := range names {
			out[i].NamespacedName = names[i]
		}
		return out
	})
}

// later makes an event handler as enqueue does, but lets the events of a while lead to one look: for what only sums up.
func later[O client.Object](wait time.Duration, name func(context.Context, O) []types.NamespacedName) handler.EventHandler {
	add := func(ctx context.Context, o client.Object, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		for _, n := range name(ctx, o.(O)) {
			queue.AddAfter(reconcile.Request{NamespacedName: n}, wait)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, e.Object, q)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, e.ObjectNew, q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, e.Object, q)
		},
	}
}

// namesIn lists the names of the objects that the options select in the cache.
func (b *base) namesIn(ctx context.Context, list client.ObjectList, options ...client.ListOption) []types.NamespacedName {
	if err := b.List(ctx, list, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		log.FromContext(ctx).Error(err, "Could not list what an event concerns")
		return nil
	}
	var names []types.NamespacedName
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		names = append(names, client.ObjectKeyFromObject(o.(client.Object)))
		return nil
	})
	return names
}

// in selects by an index, and within a namespace unless that is empty.
func in(namespace, index, key string) []client.ListOption {
	options := []client.ListOption{client.MatchingFields{index: key}}
	if namespace != "" {
		options = append(options, client.InNamespace(namespace))
	}
	return options
}
