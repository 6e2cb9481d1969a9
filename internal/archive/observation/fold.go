// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// mostEvents is how many events a DeploymentTest lists.
const mostEvents = 64

// listed is an event with its place in the log, once it has one.
type listed struct {
	v1alpha1.TestEvent
	leaf *store.Leaf
}

// list is the events of a test in their order. A request that says what the same caller's last one said adds nothing, as
// where a client system asks until it is answered: it is counted. The zero value is ready.
type list struct {
	events   []listed
	unlisted int32
	// steps counts the events other than OperationOther.
	steps int
	// last is the last event of each certificate with the steps that there were, others are those of OperationOther that it
	// has sent since its last step.
	last   map[string]mark
	others map[string][]v1alpha1.TestEvent
}

type mark struct {
	event v1alpha1.TestEvent
	steps int
}

// add adds the event.
func (l *list) add(one listed) {
	key := one.TestEvent
	key.At, key.Number, key.Evidence = nil, 0, nil
	repeated := false
	if key.Operation == v1alpha1.OperationOther {
		repeated = slices.ContainsFunc(l.others[key.Certificate], func(e v1alpha1.TestEvent) bool { return same(&e, &key) })
	} else if last, found := l.last[key.Certificate]; found {
		repeated = last.steps == l.steps && same(&last.event, &key)
	}
	if repeated || len(l.events) >= mostEvents {
		l.unlisted++
		return
	}
	if l.last == nil {
		l.last, l.others = map[string]mark{}, map[string][]v1alpha1.TestEvent{}
	}
	if key.Operation == v1alpha1.OperationOther {
		l.others[key.Certificate] = append(l.others[key.Certificate], key)
	} else {
		l.steps++
		l.last[key.Certificate] = mark{key, l.steps}
		delete(l.others, key.Certificate)
	}
	one.Number = int32(len(l.events) + 1)
	l.events = append(l.events, one)
}

// clone gives a list to add to without changing this one.
func (l *list) clone() *list {
	c := *l
	c.events, c.last, c.others = slices.Clip(l.events), maps.Clone(l.last), maps.Clone(l.others)
	for certificate, events := range c.others {
		c.others[certificate] = slices.Clip(events)
	}
	return &c
}

func same(a, b *v1alpha1.TestEvent) bool { return equality.Semantic.DeepEqual(a, b) }
