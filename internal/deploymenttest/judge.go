// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Terms are what is judged by.
type Terms struct {
	// Unit is the OID of the unit that takes part.
	Unit v1alpha1.OID
	// ServiceTask is the service task that the relationship has to be for.
	ServiceTask v1alpha1.ServiceTaskCode
	// Organizer and Producer are the systems with the formats that each declares.
	Organizer, Producer System
	// Until is the instant at which the window closed: nothing counts after it. Zero while it is open.
	Until time.Time
}

// System is a client system as the judgement sees it.
type System struct {
	Name    string
	Formats []v1alpha1.DocumentFormat
}

// Judgement is how far the steps have come.
type Judgement struct {
	// Steps are all steps in their order.
	Steps []v1alpha1.TestStep
	// Passed tells that every step was seen; PassedAt is when the last one was.
	Passed   bool
	PassedAt time.Time
	// Broken tells that the test has failed whatever else may be seen, and why.
	Broken string
	// Notes are what a person should know besides, as sentences; the same for the same events.
	Notes []string
}

// Seen counts the steps that were seen.
func (j *Judgement) Seen() (n int) {
	for i := range j.Steps {
		if j.Steps[i].State == v1alpha1.StepSeen {
			n++
		}
	}
	return n
}

// Next is the first step that was not seen, or nil.
func (j *Judgement) Next() *v1alpha1.TestStep {
	for i := range j.Steps {
		if j.Steps[i].State != v1alpha1.StepSeen {
			return &j.Steps[i]
		}
	}
	return nil
}

// Judge holds what the archive saw against the steps. The same events in the same order always give the same judgement.
func Judge(events []v1alpha1.TestEvent, terms *Terms) Judgement {
	if !terms.Until.IsZero() {
		events = slices.DeleteFunc(slices.Clone(events), func(e v1alpha1.TestEvent) bool { return e.At != nil && e.At.After(terms.Until) })
	}
	all := clients(events)
	best := walk(events, all[0], terms)
	for _, client := range all[1:] {
		// Of two that came equally far the first counts, so that the steps shown stay where they are.
		if w := walk(events, client, terms); len(w.seen) > len(best.seen) {
			best = w
		}
	}
	judgement := Judgement{Steps: best.steps(events)}
	if len(best.seen) == len(steps) {
		judgement.Passed, judgement.PassedAt = true, at(events, best.seen[len(steps)-1]).Time
	}
	judgement.Notes = notes(events)
	if first, second, shared := sharedCard(events); shared {
		judgement.breakAt(first, second)
	}
	return judgement
}

// clients are the clients that relationships were stored for, in that order; no client where there were none.
func clients(events []v1alpha1.TestEvent) (out []string) {
	for i := range events {
		if e := &events[i]; e.Operation == v1alpha1.OperationStoreRelationship && e.Client != "" && !slices.Contains(out, e.Client) {
			out = append(out, e.Client)
		}
	}
	if out == nil {
		return []string{""}
	}
	return out
}

// walked is how far the steps of one client have come: the numbers of the events that they rest on.
type walked struct {
	client string
	terms  *Terms
	// turn is whose the step is that is looked for.
	turn v1alpha1.TestParty
	seen []int
	// wrong tells of the step that is next what was wrong with the last try at it; empty where it was not tried.
	wrong string
	// early are the steps that were tried before their time, with the event.
	early map[v1alpha1.TestStepName]int32
}

// walk takes each step with the first event that is one. A step that is taken earlier never stands in the way of a later
// one, so the first is as good as any.
func walk(events []v1alpha1.TestEvent, client string, terms *Terms) walked {
	w := walked{client: client, terms: terms, early: map[v1alpha1.TestStepName]int32{}}
	next := 0 // the first event that may be the next step
	for _, step := range steps {
		found := -1
		w.turn = step.party
		for i := next; i < len(events) && client != ""; i++ {
			if step.is(&w, events, i) {
				found = i
				break
			}
		}
		if found < 0 {
			break
		}
		w.seen, next = append(w.seen, found), found+1
	}
	if len(w.seen) < len(steps) {
		w.explain(events, next)
	}
	return w
}

// explain finds out what was wrong with the last try at the next step, and which steps were tried too early.
func (w *walked) explain(events []v1alpha1.TestEvent, next int) {
	for k := len(w.seen); k < len(steps); k++ {
		s := &steps[k]
		for i := range events {
			e := &events[i]
			if e.Party != s.party || !slices.Contains(s.operations, e.Operation) || slices.Contains(w.seen, i) {
				continue
			}
			if k == len(w.seen) && i >= next {
				if text := s.fault(w, e); text != "" {
					w.wrong = text
				}
				continue
			}
			if s.name != v1alpha1.StepProducerRefused && e.Reason == "" && e.Client == w.client && w.client != "" {
				w.early[s.name] = e.Number
			}
		}
	}
}

func (w *walked) steps(events []v1alpha1.TestEvent) []v1alpha1.TestStep {
	out := make([]v1alpha1.TestStep, len(steps))
	for k, step := range steps {
		out[k] = v1alpha1.TestStep{Name: step.name, Party: step.party, State: v1alpha1.StepPending}
		if k < len(w.seen) {
			e := &events[w.seen[k]]
			out[k].State, out[k].Event = v1alpha1.StepSeen, ptr.To(e.Number)
			out[k].SeenAt = ptr.To(metav1.NewTime(at(events, w.seen[k]).Time))
			continue
		}
		out[k].Message = w.words(k)
		if k == len(w.seen) && w.wrong != "" {
			out[k].State = v1alpha1.StepFailed
		}
		if k == len(w.seen) && !w.terms.Until.IsZero() {
			out[k].State, out[k].Message = v1alpha1.StepFailed, cut("Not seen before the window closed. "+out[k].Message)
		}
	}
	return out
}

// breakAt makes the judgement a failure because two events were of one card.
func (j *Judgement) breakAt(first, second *v1alpha1.TestEvent) {
	j.Passed, j.PassedAt = false, time.Time{}
	j.Broken = sharedCardText(first, second)
	step := j.Next()
	for i := range j.Steps {
		if j.Steps[i].Event != nil && *j.Steps[i].Event >= second.Number {
			step = &j.Steps[i]
			break
		}
	}
	if step == nil {
		step = &j.Steps[len(j.Steps)-1]
	}
	step.State, step.Message = v1alpha1.StepFailed, j.Broken
}

// sharedCard finds the first two events, one of each party, of one card.
func sharedCard(events []v1alpha1.TestEvent) (first, second *v1alpha1.TestEvent, shared bool) {
	for i := range events {
		for k := range events[:i] {
			a, b := &events[k], &events[i]
			if a.Party != "" && b.Party != "" && a.Party != b.Party && a.Professional != "" && a.Professional == b.Professional {
				return a, b, true
			}
		}
	}
	return nil, nil, false
}

func at(events []v1alpha1.TestEvent, i int) metav1.MicroTime {
	return ptr.Deref(events[i].At, metav1.MicroTime{})
}
