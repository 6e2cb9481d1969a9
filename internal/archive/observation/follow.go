// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// news is what the API server told of DeploymentTests: all that there are, or one that has changed or is gone.
type news struct {
	all     map[types.UID]*v1alpha1.DeploymentTest
	changed *v1alpha1.DeploymentTest
	gone    types.UID
}

// follow tells of all DeploymentTests that have a registry until ctx ends.
func (o *Observer) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if err := o.listAndWatch(ctx); err != nil && ctx.Err() == nil {
			o.Log.Info("Lost touch with the API server, trying again", "kind", "deploymenttests", "error", err.Error())
		}
		select {
		case <-ctx.Done():
		case <-o.Clock.After(retryEvery):
		}
	}
}

const (
	listPage    = 100
	listLimit   = 30 * time.Second
	watchLimit  = 5 * time.Minute
	applyLimit  = 5 * time.Second
	watchServed = int64(watchLimit / time.Second)
)

// errExpired says that a watch cannot go on.
var errExpired = errors.New("the revision to watch from is gone")

func (o *Observer) listAndWatch(ctx context.Context) error {
	all, revision, err := o.list(ctx)
	if err != nil {
		return err
	}
	if !o.tell(ctx, news{all: all}) {
		return nil
	}
	for ctx.Err() == nil {
		if revision, err = o.watch(ctx, revision); err != nil {
			return err
		}
	}
	return nil
}

// list reads all DeploymentTests consistently, and keeps those that have a registry.
func (o *Observer) list(ctx context.Context) (map[types.UID]*v1alpha1.DeploymentTest, string, error) {
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	all := map[types.UID]*v1alpha1.DeploymentTest{}
	revision, next := "", ""
	for {
		var list v1alpha1.DeploymentTestList
		if err := o.Client.List(ctx, &list, &client.ListOptions{Limit: listPage, Continue: next}); err != nil {
			return nil, "", err
		}
		for i := range list.Items {
			if one := &list.Items[i]; one.Status.RegistryOID != "" {
				all[one.UID] = one
			}
		}
		revision, next = list.ResourceVersion, list.Continue
		if next == "" {
			return all, revision, nil
		}
	}
}

// watch tells of changes until the server ends the watch, and gives the revision to go on from.
func (o *Observer) watch(ctx context.Context, revision string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, watchLimit+applyLimit)
	defer cancel()
	seconds := watchServed
	events, err := o.Client.Watch(ctx, &v1alpha1.DeploymentTestList{}, &client.ListOptions{
		Raw: &metav1.ListOptions{ResourceVersion: revision, AllowWatchBookmarks: true, TimeoutSeconds: &seconds},
	})
	if err != nil {
		return "", err
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		if event.Type == watch.Error {
			if err := apierrors.FromObject(event.Object); !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
				return "", err
			}
			return "", errExpired
		}
		object, ok := event.Object.(*v1alpha1.DeploymentTest)
		if !ok {
			continue
		}
		revision = object.ResourceVersion
		n := news{}
		switch {
		case event.Type == watch.Deleted:
			n.gone = object.UID
		case event.Type != watch.Bookmark && object.Status.RegistryOID != "":
			n.changed = object
		default:
			continue
		}
		if !o.tell(ctx, n) {
			return "", ctx.Err()
		}
	}
	return revision, nil
}

func (o *Observer) tell(ctx context.Context, n news) bool {
	select {
	case <-ctx.Done():
		return false
	case o.news <- n:
		return true
	}
}

// learn takes news in.
func (o *Observer) learn(n news) {
	if n.all != nil {
		for uid := range o.tests {
			if n.all[uid] == nil {
				delete(o.tests, uid)
			}
		}
		for _, one := range n.all {
			o.know(one)
		}
		o.listed = true
	}
	if n.changed != nil {
		o.know(n.changed)
	}
	delete(o.tests, n.gone)
}

func (o *Observer) know(object *v1alpha1.DeploymentTest) {
	t := o.tests[object.UID]
	if t == nil {
		t = &test{}
		o.tests[object.UID] = t
	}
	t.object, t.foreign = object, t.foreign && t.object.Generation == object.Generation
	if ended(object) && string(object.Status.RegistryOID) == OIDOf(object.UID) {
		o.end(OIDOf(object.UID))
	}
}

// ended tells whether nothing more is taken into the registry of a test: its window has closed, or it is being deleted or
// was called off. The last two need no controller. What was seen so far is still the controller's to judge, so nothing is
// destroyed before the status says that the window has closed.
func ended(object *v1alpha1.DeploymentTest) bool {
	window := object.Status.Window
	return window != nil && window.ClosedAt != nil || object.DeletionTimestamp != nil || object.Spec.Cancellation != nil
}

// orphan gives a test registry that is not finished and whose test is not among those that there are; nil if this is none.
func (o *Observer) orphan(row store.TestRegistry) *test {
	if !row.Destroyed.IsZero() || o.tests[types.UID(row.TestUID)] != nil {
		return nil
	}
	if t := o.orphans[row.OID]; t != nil {
		return t
	}
	t := &test{object: &v1alpha1.DeploymentTest{}}
	o.orphans[row.OID] = t
	t.object.UID, t.object.Namespace, t.object.Name = types.UID(row.TestUID), row.Namespace, row.Name
	return t
}
