// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// step is one step: whose it is, and which event is it.
type step struct {
	name       v1alpha1.TestStepName
	party      v1alpha1.TestParty
	operations []v1alpha1.TestOperation
	// is tells whether the i-th event is the step, all earlier steps being seen before it.
	is func(w *walked, events []v1alpha1.TestEvent, i int) bool
}

// steps are domain.md's natural minimum: each side stores, finds and reads, and after the end nothing is answered.
var steps = []step{
	{v1alpha1.StepRelationshipStored, v1alpha1.PartyOrganizer,
		[]v1alpha1.TestOperation{v1alpha1.OperationStoreRelationship, v1alpha1.OperationStore}, (*walked).relationshipStored},
	{v1alpha1.StepProducerSearched, v1alpha1.PartyProducer, []v1alpha1.TestOperation{v1alpha1.OperationSearch}, searched},
	{v1alpha1.StepProducerRead, v1alpha1.PartyProducer, []v1alpha1.TestOperation{v1alpha1.OperationRead}, readOther},
	{v1alpha1.StepProducerStored, v1alpha1.PartyProducer, []v1alpha1.TestOperation{v1alpha1.OperationStore}, stored},
	{v1alpha1.StepOrganizerSearched, v1alpha1.PartyOrganizer, []v1alpha1.TestOperation{v1alpha1.OperationSearch}, searched},
	{v1alpha1.StepOrganizerRead, v1alpha1.PartyOrganizer, []v1alpha1.TestOperation{v1alpha1.OperationRead}, readOther},
	{v1alpha1.StepRelationshipEnded, v1alpha1.PartyOrganizer, []v1alpha1.TestOperation{v1alpha1.OperationEndRelationship}, ended},
	{v1alpha1.StepProducerRefused, v1alpha1.PartyProducer, []v1alpha1.TestOperation{
		v1alpha1.OperationSearch, v1alpha1.OperationRead, v1alpha1.OperationStore, v1alpha1.OperationOther,
		v1alpha1.OperationStoreRelationship, v1alpha1.OperationEndRelationship,
	}, refused},
}

// done tells whether an event is an answered request of a party, by a person, about the client.
func (w *walked) done(e *v1alpha1.TestEvent, party v1alpha1.TestParty, operation v1alpha1.TestOperation) bool {
	return e.Party == party && e.Operation == operation && e.Reason == "" && e.Professional != "" && e.Client == w.client
}

// formats are those that a party's system declares.
func (w *walked) formats(party v1alpha1.TestParty) []v1alpha1.DocumentFormat {
	if party == v1alpha1.PartyOrganizer {
		return w.terms.Organizer.Formats
	}
	return w.terms.Producer.Formats
}

// stores tells whether an event is a party's storing of a document in a format that its system declares.
func (w *walked) stores(e *v1alpha1.TestEvent, party v1alpha1.TestParty) bool {
	return w.done(e, party, v1alpha1.OperationStore) && e.Document != "" && slices.Contains(w.formats(party), e.Format)
}

func (w *walked) relates(e *v1alpha1.TestEvent) bool {
	return w.done(e, v1alpha1.PartyOrganizer, v1alpha1.OperationStoreRelationship) && e.Unit == w.terms.Unit &&
		slices.Contains(e.ServiceTasks, w.terms.ServiceTask)
}

// relationshipStored takes two events in either order: the relationship, and a document for the unit to read.
func (w *walked) relationshipStored(events []v1alpha1.TestEvent, i int) bool {
	before := events[:i]
	switch e := &events[i]; {
	case w.relates(e):
		return slices.ContainsFunc(before, func(o v1alpha1.TestEvent) bool { return w.stores(&o, v1alpha1.PartyOrganizer) })
	case w.stores(e, v1alpha1.PartyOrganizer):
		return slices.ContainsFunc(before, func(o v1alpha1.TestEvent) bool { return w.relates(&o) })
	default:
		return false
	}
}

// searched takes a search that found something.
func searched(w *walked, events []v1alpha1.TestEvent, i int) bool {
	return w.done(&events[i], w.turn, v1alpha1.OperationSearch) && ptr.Deref(events[i].Count, 0) > 0
}

// readOther takes the reading of a document that the other party stored, in a format that the reader's system declares.
// The organizer has to read one that the producer stored after it had read. The very version that was read has to be the
// other party's: a party that has corrected the document reads its own words.
func readOther(w *walked, events []v1alpha1.TestEvent, i int) bool {
	reader, e := w.turn, &events[i]
	return w.done(e, reader, v1alpha1.OperationRead) && slices.Contains(w.formats(reader), e.Format) && w.storedByOther(events, i)
}

func (w *walked) storedByOther(events []v1alpha1.TestEvent, i int) bool {
	other, from := v1alpha1.PartyOrganizer, 0
	if w.turn == v1alpha1.PartyOrganizer {
		other, from = v1alpha1.PartyProducer, w.seen[3] // the producer's own storing
	}
	return events[i].StoredBy == other && slices.ContainsFunc(events[min(from, i):i], func(o v1alpha1.TestEvent) bool {
		return w.stores(&o, other) && o.Document == events[i].Document
	})
}

func stored(w *walked, events []v1alpha1.TestEvent, i int) bool { return w.stores(&events[i], w.turn) }

// endBound is how long after its row in the log an end may need to reach every replica of an archive: the bound on the age
// of what the requests of producers are decided by. What is answered in it is not the systems' fault.
const endBound = 10 * time.Second

// ended takes an end after which the producer's next request was refused. While there has been none, the end stands.
func ended(w *walked, events []v1alpha1.TestEvent, i int) bool {
	if !w.ends(&events[i]) {
		return false
	}
	for k := i + 1; k < len(events); k++ {
		switch {
		case w.answered(&events[k]) && events[k].At.Sub(events[i].At.Time) > endBound:
			return false
		case w.refusedForEnd(&events[k]):
			return true
		}
	}
	return true
}

func (w *walked) ends(e *v1alpha1.TestEvent) bool {
	return w.done(e, v1alpha1.PartyOrganizer, v1alpha1.OperationEndRelationship) && (e.Unit == "" || e.Unit == w.terms.Unit)
}

// refused takes the first refusal that tells of the end.
func refused(w *walked, events []v1alpha1.TestEvent, i int) bool { return w.refusedForEnd(&events[i]) }

// refusedForEnd tells whether the producer was refused because no relationship is live. A request that finds no client
// names none.
func (w *walked) refusedForEnd(e *v1alpha1.TestEvent) bool {
	return e.Party == v1alpha1.PartyProducer && e.Professional != "" && (e.Client == w.client || e.Client == "") &&
		(e.Reason == "relationship-ended" || e.Reason == "no-relationship")
}

// answered tells whether the producer got an answer about the client.
func (w *walked) answered(e *v1alpha1.TestEvent) bool {
	return e.Party == v1alpha1.PartyProducer && e.Client == w.client && e.Reason == ""
}

// fault tells what was wrong with a try at a step in its turn; empty where nothing can be said against it.
func (s *step) fault(w *walked, e *v1alpha1.TestEvent) string {
	tried := fmt.Sprintf("Request %d", e.Number)
	switch {
	case s.name == v1alpha1.StepProducerRefused:
		if w.answered(e) {
			return tried + " came after the end and was answered."
		}
		return ""
	case e.Reason != "":
		return tried + " was refused: " + e.Reason + "."
	case e.Professional == "":
		return tried + " came with no professional's card."
	case w.client == "":
		return ""
	case e.Client != w.client:
		return tried + " was about another client than the steps before it."
	case s.name == v1alpha1.StepRelationshipStored && e.Operation == v1alpha1.OperationStoreRelationship:
		if e.Unit != w.terms.Unit {
			return tried + " named another unit."
		}
		if !slices.Contains(e.ServiceTasks, w.terms.ServiceTask) {
			return fmt.Sprintf("%s was for another service task than %s.", tried, w.terms.ServiceTask)
		}
		return ""
	case e.Operation == v1alpha1.OperationSearch:
		return tried + " found nothing."
	case e.Operation == v1alpha1.OperationEndRelationship:
		if e.Unit != "" && e.Unit != w.terms.Unit {
			return tried + " named another unit."
		}
		return "After request " + fmt.Sprint(e.Number) + ", which ended the relationship, the producer was still answered."
	case !slices.Contains(w.formats(s.party), e.Format):
		return fmt.Sprintf("%s was of a document in format %s, which ClientSystem %s does not declare.", tried, orNone(string(e.Format)), w.system(s.party).Name)
	case e.Operation == v1alpha1.OperationRead:
		return tried + " read no version of a document that the other party stored in its turn."
	}
	return ""
}

func (w *walked) system(party v1alpha1.TestParty) *System {
	if party == v1alpha1.PartyOrganizer {
		return &w.terms.Organizer
	}
	return &w.terms.Producer
}
