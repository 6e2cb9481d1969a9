// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	// mostEvents is how many events a DeploymentTest lists.
	mostEvents = 64
	// mostVariants is how many events it lists before only the first of each kind is listed that comes after a change: the
	// rest of the room is for the steps that are still to come.
	mostVariants = 40
	// mostForeign is how many of the events may be of certificates that are not of the test.
	mostForeign = 8
)

// listed is an event with its place in the log, once it has one.
type listed struct {
	v1alpha1.TestEvent
	leaf *store.Leaf
}

// list is the events of a test in their order. A request that says what was said before adds nothing until something has
// happened by which it may mean something else, as where client systems ask until they are answered: it is counted. What
// has happened is that something was stored or ended or, for a reading, that its party has searched. The zero value is ready.
type list struct {
	events   []listed
	unlisted int32
	// told is how far things had come when a request was last listed.
	told map[request]int
	// kinds is the same of kinds of requests.
	kinds map[kind]int
	// foreign are the requests that are of no party.
	foreign map[request]bool

	// allowed counts the listed events of the parties that were allowed, changes those of them that stored or ended
	// something, searches those that searched, by party.
	allowed, changes int
	searches         map[v1alpha1.TestParty]int
	// clients are those of whom something was allowed.
	clients map[string]bool
}

// request is an event as far as it tells it from others: as JSON, without its time, number and evidence.
type request string

func requestOf(e *v1alpha1.TestEvent) request {
	bare := *e
	bare.At, bare.Number, bare.Evidence = nil, 0, nil
	raw, err := json.Marshal(bare)
	if err != nil {
		panic(err) // an event is texts and numbers
	}
	return request(raw)
}

// kind is what a judgement tells apart whatever else is asked for: whose card did what, and whether it was allowed.
type kind struct {
	party        v1alpha1.TestParty
	professional string
	operation    v1alpha1.TestOperation
	// client is the id of a client of the test, or elsewhere.
	client  string
	refused bool
}

// elsewhere stands for all clients of whom nothing was allowed.
const elsewhere = "elsewhere"

func (l *list) kindOf(e *v1alpha1.TestEvent) kind {
	k := kind{party: e.Party, professional: e.Professional, operation: e.Operation, client: e.Client, refused: e.Reason != ""}
	if k.refused && k.client != "" && !l.clients[k.client] {
		k.client = elsewhere
	}
	return k
}

// add adds the event, or counts it.
func (l *list) add(one listed) {
	if l.told == nil {
		l.told, l.kinds, l.foreign = map[request]int{}, map[kind]int{}, map[request]bool{}
		l.searches, l.clients = map[v1alpha1.TestParty]int{}, map[string]bool{}
	}
	what, of := requestOf(&one.TestEvent), l.kindOf(&one.TestEvent)
	if !l.takes(what, of) {
		l.unlisted++
		return
	}
	one.Number = int32(len(l.events) + 1)
	l.events = append(l.events, one)
	if of.party == "" {
		l.foreign[what] = true
		return
	}
	l.note(of)
	l.told[what], l.kinds[of] = l.since(of, l.allowed), l.since(of, l.changes)
}

// takes tells whether an event is listed.
func (l *list) takes(what request, of kind) bool {
	if of.party == "" {
		return !l.foreign[what] && len(l.foreign) < mostForeign && len(l.events) < mostEvents
	}
	if at, told := l.told[what]; told && at == l.since(of, l.allowed) {
		return false
	}
	at, told := l.kinds[of]
	variant := told && at == l.since(of, l.changes) && of.operation != v1alpha1.OperationEndRelationship
	return len(l.events) < mostVariants || !variant && len(l.events) < mostEvents
}

// since is how far things have come for a kind of request; change is it for those that change something.
func (l *list) since(of kind, change int) int {
	switch {
	case of.changes():
		return change
	case of.operation == v1alpha1.OperationRead:
		return l.changes + l.searches[of.party]
	default:
		return l.changes
	}
}

// note notes what has happened by a listed event of a party.
func (l *list) note(of kind) {
	if of.refused {
		return
	}
	l.allowed++
	l.clients[of.client] = true
	if of.operation == v1alpha1.OperationSearch {
		l.searches[of.party]++
	}
	if of.changes() {
		l.changes++
	}
}

// changes tells whether requests of the kind store or end something.
func (k kind) changes() bool {
	switch k.operation {
	case v1alpha1.OperationStore, v1alpha1.OperationStoreRelationship, v1alpha1.OperationEndRelationship:
		return !k.refused
	case v1alpha1.OperationSearch, v1alpha1.OperationRead, v1alpha1.OperationOther:
	}
	return false
}

// clone gives a list to add to without changing this one.
func (l *list) clone() *list {
	c := *l
	c.events = slices.Clip(l.events)
	c.told, c.kinds, c.foreign = maps.Clone(l.told), maps.Clone(l.kinds), maps.Clone(l.foreign)
	c.searches, c.clients = maps.Clone(l.searches), maps.Clone(l.clients)
	return &c
}
