// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/deploymenttest"
)

const (
	organizer, producer = v1alpha1.PartyOrganizer, v1alpha1.PartyProducer
	unitOID             = v1alpha1.OID("1.2.246.10.2.10.1")
)

func terms() *deploymenttest.Terms {
	declared := []v1alpha1.DocumentFormat{v1alpha1.FormatJSON}
	return &deploymenttest.Terms{
		Unit: unitOID, ServiceTask: "elderly", Organizer: deploymenttest.System{Name: "a", Formats: declared}, Producer: deploymenttest.System{Name: "b", Formats: declared},
	}
}

// judged is what is made of events, without the numbers that they happen to have.
func judged(events []v1alpha1.TestEvent) (steps []string, passed bool) {
	j := deploymenttest.Judge(events, terms())
	for _, s := range j.Steps {
		steps = append(steps, fmt.Sprint(s.Name, " ", s.State, " ", s.SeenAt))
	}
	return steps, j.Passed
}

// history is what is asked in a test registry, and what has come of it.
type history struct {
	all []v1alpha1.TestEvent
	// live tells that there is a relationship, ended that it has ended; stored is how many documents there are.
	live, ended bool
	stored      int32
}

// ask adds a request with the answer that an archive gives.
func (h *history) ask(party v1alpha1.TestParty, operation v1alpha1.TestOperation) {
	at := metav1.NewMicroTime(noon.Add(time.Duration(len(h.all)) * time.Minute))
	e := v1alpha1.TestEvent{At: &at, Number: int32(len(h.all) + 1), Party: party, Certificate: string(party), Operation: operation}
	e.Professional = "card of " + string(party)
	switch {
	case party == "":
		e.Certificate, e.Reason, e.Professional = fmt.Sprint("stranger ", len(h.all)%20), "registry-mismatch", ""
	case party == producer && h.ended:
		e.Reason, e.Client = "relationship-ended", "c1"
	case party == producer && !h.live:
		e.Reason = "no-relationship"
	default:
		h.answer(&e)
	}
	h.all = append(h.all, e)
}

func (h *history) answer(e *v1alpha1.TestEvent) {
	e.Client = "c1"
	switch e.Operation {
	case v1alpha1.OperationStoreRelationship:
		e.Unit, e.ServiceTasks, h.live = unitOID, []v1alpha1.ServiceTaskCode{"elderly"}, true
	case v1alpha1.OperationEndRelationship:
		e.Unit, h.ended = unitOID, true
	case v1alpha1.OperationSearch:
		e.Count = ptr.To(h.stored)
	case v1alpha1.OperationStore:
		h.stored++
		e.Document, e.Format, e.StoredBy = "of "+string(e.Party), v1alpha1.FormatJSON, e.Party
	case v1alpha1.OperationRead:
		e.StoredBy = organizer
		if e.Party == organizer {
			e.StoredBy = producer
		}
		if e.Party == organizer && h.stored < 2 || h.stored == 0 {
			e.Reason, e.StoredBy = "document-unknown", ""
			return
		}
		e.Document, e.Format = "of "+string(e.StoredBy), v1alpha1.FormatJSON
	case v1alpha1.OperationOther:
	}
}

// listedOf are the events that are listed of these.
func listedOf(all []v1alpha1.TestEvent) (out []v1alpha1.TestEvent, unlisted int32) {
	var l list
	for _, e := range all {
		l.add(listed{TestEvent: e})
	}
	for _, e := range l.events {
		out = append(out, e.TestEvent)
	}
	return out, l.unlisted
}

// play plays the steps; before each, poll is called.
func play(poll func(h *history)) *history {
	h := &history{}
	for _, step := range []struct {
		party     v1alpha1.TestParty
		operation v1alpha1.TestOperation
	}{
		{organizer, v1alpha1.OperationStore}, {organizer, v1alpha1.OperationStoreRelationship}, {producer, v1alpha1.OperationSearch},
		{producer, v1alpha1.OperationRead}, {producer, v1alpha1.OperationStore}, {organizer, v1alpha1.OperationSearch},
		{organizer, v1alpha1.OperationRead}, {organizer, v1alpha1.OperationEndRelationship}, {producer, v1alpha1.OperationSearch},
	} {
		poll(h)
		h.ask(step.party, step.operation)
	}
	return h
}

// polled are the requests that are asked again and again.
var polled = []v1alpha1.TestOperation{v1alpha1.OperationSearch, v1alpha1.OperationRead, v1alpha1.OperationOther}

// TestPollingLeavesEveryStepJudged: however often parties and strangers ask, and in whatever order, each step is judged as
// by all events.
func TestPollingLeavesEveryStepJudged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		most := rapid.IntRange(0, 120).Draw(t, "polls")
		h := play(func(h *history) {
			for range most {
				h.ask([]v1alpha1.TestParty{organizer, producer, ""}[random.IntN(3)], polled[random.IntN(len(polled))])
			}
		})
		want, passed := judged(h.all)
		kept, unlisted := listedOf(h.all)
		if !passed {
			t.Fatalf("the play does not pass by all of its events: %v", want)
		}
		if got, _ := judged(kept); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%d of %d events are listed:\n%v\nwant\n%v", len(kept), len(h.all), got, want)
		}
		if len(kept) > mostEvents || len(kept)+int(unlisted) != len(h.all) {
			t.Fatalf("%d are listed and %d counted of %d", len(kept), unlisted, len(h.all))
		}
	})
}

// TestAlternatingPollsUseUpNoRoom is the plainest of these.
func TestAlternatingPollsUseUpNoRoom(t *testing.T) {
	g := NewWithT(t)
	h := play(func(h *history) {
		for range 100 {
			h.ask(producer, v1alpha1.OperationSearch)
			h.ask(organizer, v1alpha1.OperationSearch)
			h.ask("", v1alpha1.OperationRead)
		}
	})
	kept, unlisted := listedOf(h.all)
	_, passed := judged(kept)
	g.Expect(passed).To(BeTrue())
	g.Expect(len(kept)).To(BeNumerically("<", mostVariants))
	g.Expect(int(unlisted)).To(Equal(len(h.all) - len(kept)))
}

// TestMoreThanThereIsRoomForIsCounted: strangers have little room, variants of what was said have more, and the rest is kept
// for what comes after them.
func TestMoreThanThereIsRoomForIsCounted(t *testing.T) {
	g := NewWithT(t)
	h := &history{}
	for range 200 {
		h.ask("", v1alpha1.OperationRead)
	}
	kept, unlisted := listedOf(h.all)
	g.Expect(kept).To(HaveLen(mostForeign))
	g.Expect(unlisted).To(Equal(int32(200 - mostForeign)))

	for i := range 200 {
		h.ask(producer, v1alpha1.OperationRead)
		h.all[len(h.all)-1].Document = fmt.Sprint(i)
	}
	kept, _ = listedOf(h.all)
	g.Expect(kept).To(HaveLen(mostVariants))
	h.all = append(h.all, play(func(*history) {}).all...)
	kept, unlisted = listedOf(h.all)
	_, passed := judged(kept)
	g.Expect(passed).To(BeTrue())
	g.Expect(kept).To(HaveLen(mostVariants + 9))
	g.Expect(len(kept) + int(unlisted)).To(Equal(len(h.all)))

	for i := range 200 {
		h.ask(organizer, v1alpha1.OperationStore)
		h.ask(organizer, v1alpha1.OperationStoreRelationship)
		h.all[len(h.all)-1].Client = fmt.Sprint(i)
	}
	kept, _ = listedOf(h.all)
	g.Expect(kept).To(HaveLen(mostEvents))
}

// crowded is a history in which the producer has used up the room for variants.
func crowded() *history {
	h := &history{}
	for i := range 200 {
		h.ask(producer, v1alpha1.OperationRead)
		h.all[len(h.all)-1].Document = fmt.Sprint(i)
	}
	return h
}

// TestTheRestOfTheRoomIsForTheSteps: where there is little room left, what a step or a failure may rest on is listed still.
func TestTheRestOfTheRoomIsForTheSteps(t *testing.T) {
	const store, search, read, end = v1alpha1.OperationStore, v1alpha1.OperationSearch, v1alpha1.OperationRead, v1alpha1.OperationEndRelationship
	answered := func(h *history) { // by an archive that was slow to hear of the end
		h.ask(producer, search)
		e := &h.all[len(h.all)-1]
		e.Reason, e.Client = "", "c1"
	}
	last := func(h *history) *v1alpha1.TestEvent { return &h.all[len(h.all)-1] }
	for name, c := range map[string]struct {
		after  func(h *history)
		passes bool
	}{
		"the steps": {func(h *history) { h.all = append(h.all, play(func(*history) {}).all...) }, true},
		"the steps in a poll": {func(h *history) {
			h.all = append(h.all, play(func(h *history) {
				for range 3 {
					h.ask(organizer, search)
					h.ask(organizer, read)
					h.ask(producer, search)
				}
			}).all...)
		}, true},
		"the steps after many documents": {func(h *history) {
			for i := range 100 {
				h.live = true
				h.ask(producer, store)
				last(h).Document = fmt.Sprint(i)
				h.ask(producer, search)
			}
			h.all = append(h.all, play(func(*history) {}).all...)
		}, true},
		"the steps of another client": {func(h *history) {
			h.live = true
			h.ask(producer, search)
			last(h).Client = "c0"
			h.all = append(h.all, play(func(h *history) {
				h.ask(producer, search)
				last(h).Client = "c0"
			}).all...)
		}, true},
		"the steps among refusals of whoever": {func(h *history) {
			h.all = append(h.all, play(func(h *history) {
				for i := range 50 {
					h.ask(producer, read)
					last(h).Client, last(h).Reason = fmt.Sprint("nobody", i), "client-unknown"
				}
			}).all...)
		}, true},
		"a second end": {func(h *history) {
			all := play(func(*history) {}).all
			h.all = append(h.all, all[:len(all)-1]...)
			h.ended = true
			answered(h)
			h.ask(organizer, end)
			h.ask(producer, search)
		}, true},
		"an answer after the second end": {func(h *history) {
			all := play(func(*history) {}).all
			h.all = append(h.all, all[:len(all)-1]...)
			h.ended = true
			answered(h)
			h.ask(organizer, end)
			answered(h)
			h.ask(producer, search)
		}, false},
		"one card of both": {func(h *history) {
			h.all = append(h.all, play(func(h *history) {
				h.ask(producer, search)
				h.ask(producer, search)
				last(h).Professional = "card of Organizer"
			}).all...)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			h := crowded()
			c.after(h)
			for i := range h.all {
				h.all[i].Number = int32(i + 1)
			}
			kept, _ := listedOf(h.all)
			want, passed := judged(h.all)
			g.Expect(passed).To(Equal(c.passes))
			got, passed := judged(kept)
			g.Expect(passed).To(Equal(c.passes))
			if passed {
				g.Expect(got).To(Equal(want))
			}
		})
	}
}

// TestWhatIsNotListedLetsNothingPass: a test that passes by what is listed passes by all events, whatever the parties did.
func TestWhatIsNotListedLetsNothingPass(t *testing.T) {
	operations := append([]v1alpha1.TestOperation{v1alpha1.OperationStore, v1alpha1.OperationStoreRelationship, v1alpha1.OperationEndRelationship}, polled...)
	passes := 0
	check := func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		noise := rapid.IntRange(0, 30).Draw(t, "noise")
		h := play(func(h *history) {
			for range noise {
				h.ask([]v1alpha1.TestParty{organizer, producer}[random.IntN(2)], operations[random.IntN(len(operations))])
				e := &h.all[len(h.all)-1]
				switch random.IntN(12) {
				case 0: // the archive was slow to hear of the end
					e.Reason, e.Client = "", "c1"
				case 1:
					e.Professional = "card of " + string([]v1alpha1.TestParty{organizer, producer}[random.IntN(2)])
				case 2:
					e.Document = fmt.Sprint(random.IntN(40))
				case 3:
					e.Client = fmt.Sprint("c", random.IntN(3))
				}
			}
		})
		var l list
		var kept []v1alpha1.TestEvent
		for i, e := range h.all {
			l.add(listed{TestEvent: e})
			if len(kept) == len(l.events) {
				continue
			}
			kept = append(kept, l.events[len(l.events)-1].TestEvent)
			if _, passed := judged(kept); passed {
				passes++
				if steps, all := judged(h.all[:i+1]); !all {
					t.Fatalf("passes by %d events that are listed and not by all %d: %v", len(kept), i+1, steps)
				}
				return // the window closes
			}
		}
	}
	for round := 0; round == 0 || (passes == 0 && !t.Failed() && round < 100); round++ {
		rapid.Check(t, check)
	}
	if passes == 0 {
		t.Fatal("none has passed")
	}
}
