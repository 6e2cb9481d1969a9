// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/feed"
	"github.com/valtuus/valtuus/internal/index"
)

// heapConfig is what the measured view is to hold.
type heapConfig struct {
	Relationships int
}

// archiveHeapChild is the view of an archive with its feed, and nothing else.
type archiveHeapChild struct {
	view *index.Index
}

func (a *archiveHeapChild) start(ctx context.Context, text string) (answer, error) {
	var config heapConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return answer{}, err
	}
	a.view = index.New()
	empty := heapNow()
	f := &feed.Feed{
		Client: &manyRelationships{n: config.Relationships}, Index: a.view, Clock: clock.RealClock{}, Log: logr.Discard(),
		Archive: client.ObjectKey{Namespace: "platform", Name: "national"}, Replica: "bench", OnTrustAnchors: func(string) {},
	}
	go func() { _ = f.Run(ctx) }()
	return answer{Values: map[string]float64{"empty": empty}}, until(ctx, "the view to be complete", 10*time.Millisecond, func() (bool, error) {
		return a.view.Stats(index.Relationships).Entries >= config.Relationships && a.view.Freshness().Complete, nil
	})
}

func (*archiveHeapChild) answer(_ context.Context, q question) (answer, error) { return noQuestion(q) }

// manyRelationships is an API server with relationships, as far as a feed asks. What it gives has been through
// JSON, as what comes from a real one has. Registries and units are left out: they do not count by the thousand.
type manyRelationships struct {
	client.WithWatch // what is not asked for is missing
	n                int
}

// List implements client.Reader.
func (m *manyRelationships) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	var options client.ListOptions
	options.ApplyOptions(opts)
	list.SetResourceVersion(strconv.Itoa(m.n + 1))
	_, isRelationships := list.(*v1alpha1.ServiceRelationshipList)
	if !isRelationships || options.Namespace != "" { // a probe asks in a namespace, and for nothing
		return nil
	}
	from, _ := strconv.Atoi(options.Continue)
	until := min(from+int(options.Limit), m.n)
	page := &v1alpha1.ServiceRelationshipList{}
	for i := from; i < until; i++ {
		page.Items = append(page.Items, relationshipOf(i))
	}
	text, err := json.Marshal(page)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, list); err != nil {
		return err
	}
	list.SetResourceVersion(strconv.Itoa(m.n + 1))
	if until < m.n {
		list.SetContinue(strconv.Itoa(until))
	}
	return nil
}

// Watch implements client.WithWatch: nothing happens.
func (m *manyRelationships) Watch(context.Context, client.ObjectList, ...client.ListOption) (watch.Interface, error) {
	return watch.NewFake(), nil
}

// Patch takes the replica's Lease.
func (m *manyRelationships) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	return nil
}

// relationshipOf is a relationship of a country's shape, accepted.
func relationshipOf(i int) v1alpha1.ServiceRelationship {
	o := v1alpha1.ServiceRelationship{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: county(i % registries), Name: fmt.Sprintf("relationship-%d", i), UID: types.UID(uuid.NewString()),
			ResourceVersion: strconv.Itoa(i + 1), Generation: 1,
		},
		Spec: v1alpha1.ServiceRelationshipSpec{
			RegistryRef: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: v1alpha1.OID(oid(2, i%countryUnits)),
			ClientID: uuid.NewString(), ServiceTasks: []v1alpha1.ServiceTaskCode{"elderly"},
			Procurement: v1alpha1.ProcurementOutsourced, Start: metav1.NewTime(now),
		},
	}
	meta.SetStatusCondition(&o.Status.Conditions, metav1.Condition{
		Type: v1alpha1.AcceptedCondition, Status: metav1.ConditionTrue, Reason: "Accepted", ObservedGeneration: 1,
	})
	return o
}
