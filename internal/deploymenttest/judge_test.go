// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	unitOID = v1alpha1.OID("1.2.246.10.1.20.1")
	o       = v1alpha1.PartyOrganizer
	p       = v1alpha1.PartyProducer
	json    = v1alpha1.FormatJSON
	xhtml   = v1alpha1.FormatXHTML
)

func terms() *Terms {
	return &Terms{
		Unit: unitOID, ServiceTask: "elderly",
		Organizer: System{Name: "area-system", Formats: []v1alpha1.DocumentFormat{json}},
		Producer:  System{Name: "company-system", Formats: []v1alpha1.DocumentFormat{json, xhtml}},
	}
}

// event makes the event of a party that acts with its own card.
func event(party v1alpha1.TestParty, operation v1alpha1.TestOperation, change ...func(*v1alpha1.TestEvent)) v1alpha1.TestEvent {
	e := v1alpha1.TestEvent{
		Party: party, Operation: operation, Client: "c", Certificate: "certificate of " + string(party), Professional: "card of " + string(party),
	}
	switch operation {
	case v1alpha1.OperationStoreRelationship:
		e.Unit, e.ServiceTasks = unitOID, []v1alpha1.ServiceTaskCode{"families", "elderly"}
	case v1alpha1.OperationEndRelationship:
		e.Unit = unitOID
	case v1alpha1.OperationSearch:
		e.Count = ptr.To(int32(1))
	case v1alpha1.OperationStore:
		e.Format, e.Document, e.StoredBy = json, "d1", party
	case v1alpha1.OperationRead:
		e.Format, e.Document = json, "d1"
		if e.StoredBy = o; party == o {
			e.StoredBy = p
		}
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

func document(id string) func(*v1alpha1.TestEvent) {
	return func(e *v1alpha1.TestEvent) { e.Document = id }
}

func reason(code string) func(*v1alpha1.TestEvent) {
	return func(e *v1alpha1.TestEvent) { e.Reason = code }
}

func client(id string) func(*v1alpha1.TestEvent) {
	return func(e *v1alpha1.TestEvent) { e.Client = id }
}

// smooth is a test as it should be.
func smooth() []v1alpha1.TestEvent {
	return []v1alpha1.TestEvent{
		event(o, v1alpha1.OperationStoreRelationship),
		event(o, v1alpha1.OperationStore),
		event(p, v1alpha1.OperationSearch),
		event(p, v1alpha1.OperationRead),
		event(p, v1alpha1.OperationStore, document("d2")),
		event(o, v1alpha1.OperationSearch),
		event(o, v1alpha1.OperationRead, document("d2")),
		event(o, v1alpha1.OperationEndRelationship),
		event(p, v1alpha1.OperationSearch, reason("relationship-ended")),
	}
}

// numbered gives events their numbers and instants, a minute apart.
func numbered(events []v1alpha1.TestEvent) []v1alpha1.TestEvent {
	for i := range events {
		events[i].Number = int32(i + 1)
		events[i].At = ptr.To(metav1.NewMicroTime(now.Add(time.Duration(i) * time.Minute)))
	}
	return events
}

func TestASmoothTestPasses(t *testing.T) {
	g := NewWithT(t)
	j := Judge(numbered(smooth()), terms())
	g.Expect(j.Passed).To(BeTrue())
	g.Expect(j.PassedAt).To(BeTemporally("==", now.Add(8*time.Minute)))
	g.Expect(j.Broken).To(BeEmpty())
	g.Expect(j.Notes).To(BeEmpty())
	g.Expect(j.Next()).To(BeNil())
	var numbers []int32
	for _, s := range j.Steps {
		g.Expect(s.State).To(Equal(v1alpha1.StepSeen))
		g.Expect(s.Message).To(BeEmpty())
		numbers = append(numbers, *s.Event)
	}
	g.Expect(numbers).To(Equal([]int32{2, 3, 4, 5, 6, 7, 8, 9}))
}

func TestNothingSeenTellsWhoBegins(t *testing.T) {
	g := NewWithT(t)
	j := Judge(nil, terms())
	g.Expect(j.Passed).To(BeFalse())
	g.Expect(j.Steps).To(HaveLen(8))
	for _, s := range j.Steps {
		g.Expect(s.State).To(Equal(v1alpha1.StepPending))
		who := "The " + strings.ToLower(string(s.Party)) + " must "
		g.Expect(s.Message).To(HavePrefix(who))
	}
	g.Expect(j.Next().Message).To(And(ContainSubstring("area-system"), ContainSubstring(string(unitOID)), ContainSubstring("JSON")))
}

// Each case changes a smooth test so that the named step is not seen, or all are.
func TestWhatIsNotAsItShouldBe(t *testing.T) {
	set := func(i int, change func(*v1alpha1.TestEvent)) func([]v1alpha1.TestEvent) []v1alpha1.TestEvent {
		return func(events []v1alpha1.TestEvent) []v1alpha1.TestEvent {
			change(&events[i])
			return events
		}
	}
	drop := func(i int) func([]v1alpha1.TestEvent) []v1alpha1.TestEvent {
		return func(events []v1alpha1.TestEvent) []v1alpha1.TestEvent { return slices.Delete(events, i, i+1) }
	}
	insert := func(i int, more ...v1alpha1.TestEvent) func([]v1alpha1.TestEvent) []v1alpha1.TestEvent {
		return func(events []v1alpha1.TestEvent) []v1alpha1.TestEvent { return slices.Insert(events, i, more...) }
	}
	swap := func(i, k int) func([]v1alpha1.TestEvent) []v1alpha1.TestEvent {
		return func(events []v1alpha1.TestEvent) []v1alpha1.TestEvent {
			events[i], events[k] = events[k], events[i]
			return events
		}
	}
	// until leaves the refusal at the end out.
	until := func(change func([]v1alpha1.TestEvent) []v1alpha1.TestEvent) func([]v1alpha1.TestEvent) []v1alpha1.TestEvent {
		return func(events []v1alpha1.TestEvent) []v1alpha1.TestEvent {
			events = change(events)
			return events[:len(events)-1]
		}
	}
	pending, failed := v1alpha1.StepPending, v1alpha1.StepFailed
	for name, test := range map[string]struct {
		change func([]v1alpha1.TestEvent) []v1alpha1.TestEvent
		next   v1alpha1.TestStepName // empty = passes
		state  v1alpha1.TestStepState
		says   string
	}{
		"the document before the relationship": {swap(0, 1), "", "", ""},
		"no relationship":                      {drop(0), v1alpha1.StepRelationshipStored, pending, "client relationship document"},
		"no document to read":                  {drop(1), v1alpha1.StepRelationshipStored, pending, "a document of the same client"},
		"a relationship with another unit":     {set(0, func(e *v1alpha1.TestEvent) { e.Unit = "1.2.3" }), v1alpha1.StepRelationshipStored, failed, "named another unit"},
		"a relationship for another service task": {
			set(0, func(e *v1alpha1.TestEvent) { e.ServiceTasks = []v1alpha1.ServiceTaskCode{"families"} }), v1alpha1.StepRelationshipStored, failed, "another service task than elderly"},
		"a relationship that was refused": {set(0, reason("client-missing")), v1alpha1.StepRelationshipStored, failed, "refused: client-missing"},
		"a document in a format that the organizer's system does not declare": {
			set(1, func(e *v1alpha1.TestEvent) { e.Format = xhtml }), v1alpha1.StepRelationshipStored, failed, "XHTML, which ClientSystem area-system does not declare"},
		"a search that found nothing": {until(set(2, func(e *v1alpha1.TestEvent) { e.Count = ptr.To(int32(0)) })), v1alpha1.StepProducerSearched, failed, "found nothing"},
		"a search that was refused":   {until(set(2, reason("professional-missing"))), v1alpha1.StepProducerSearched, failed, "refused: professional-missing"},
		"no search":                   {until(drop(2)), v1alpha1.StepProducerSearched, pending, "must search"},
		"no card":                     {set(3, func(e *v1alpha1.TestEvent) { e.Professional = "" }), v1alpha1.StepProducerRead, failed, "no professional's card"},
		"the producer reads its own":  {set(3, document("other")), v1alpha1.StepProducerRead, failed, "read no version of a document that the other party stored"},
		"a format that the reader does not declare": {func(events []v1alpha1.TestEvent) []v1alpha1.TestEvent {
			events[4].Format, events[6].Format = xhtml, xhtml
			return events
		}, v1alpha1.StepOrganizerRead, failed, "XHTML, which ClientSystem area-system does not declare"},
		"the producer stores before it reads":       {swap(3, 4), v1alpha1.StepProducerStored, pending, "Request 4 came too early: step ProducerRead had not been seen"},
		"the organizer reads before it searches":    {swap(5, 6), v1alpha1.StepOrganizerRead, pending, "Request 6 came too early: step OrganizerSearched"},
		"the organizer reads what it stored itself": {set(6, document("d1")), v1alpha1.StepOrganizerRead, failed, "read no version of a document that the other party stored"},
		"the organizer reads its own correction of what the producer stored": {until(func(events []v1alpha1.TestEvent) []v1alpha1.TestEvent {
			events[6].StoredBy = o
			return slices.Insert(events, 6, event(o, v1alpha1.OperationStore, document("d2")))
		}), v1alpha1.StepOrganizerRead, failed, "read no version of a document that the other party stored"},
		"the producer reads its own version of what the organizer stored": {func(events []v1alpha1.TestEvent) []v1alpha1.TestEvent {
			events[3].StoredBy = p
			return slices.Insert(events, 3, event(p, v1alpha1.OperationStore))
		}, v1alpha1.StepProducerRead, failed, "read no version of a document that the other party stored"},
		"a version of nobody":                         {set(6, func(e *v1alpha1.TestEvent) { e.StoredBy = "" }), v1alpha1.StepOrganizerRead, failed, "read no version of a document"},
		"the organizer does not end":                  {drop(7), v1alpha1.StepRelationshipEnded, pending, "must end the relationship"},
		"the end comes before the organizer has read": {swap(6, 7), v1alpha1.StepRelationshipEnded, pending, "Request 7 came too early"},
		"the producer is answered after the end": {insert(8, event(p, v1alpha1.OperationRead)), v1alpha1.StepRelationshipEnded, failed,
			"After request 8, which ended the relationship, the producer was still answered"},
		"another end after which it is refused": {insert(8, event(p, v1alpha1.OperationRead), event(o, v1alpha1.OperationEndRelationship)), "", "", ""},
		"the producer does not come back":       {drop(8), v1alpha1.StepProducerRefused, pending, "one more request"},
		"the refusal is for another reason":     {set(8, reason("view-stale")), v1alpha1.StepProducerRefused, pending, "one more request"},
		"another refusal before the right one":  {insert(8, event(p, v1alpha1.OperationSearch, reason("view-stale"))), "", "", ""},
		"the refusal finds no client": {set(8, func(e *v1alpha1.TestEvent) {
			e.Client, e.Reason, e.Operation = "", "no-relationship", v1alpha1.OperationOther
		}), "", "", ""},
		"a step for another client":       {set(4, client("another")), v1alpha1.StepProducerStored, failed, "another client"},
		"a try that fails is tried again": {insert(2, event(p, v1alpha1.OperationSearch, reason("professional-missing")), event(p, v1alpha1.OperationRead, document("x"))), "", "", ""},
		"the producer as organizer":       {set(0, func(e *v1alpha1.TestEvent) { e.Party, e.Professional = p, "card of Producer" }), v1alpha1.StepRelationshipStored, pending, "must store"},
		"requests of nobody in the test":  {set(5, func(e *v1alpha1.TestEvent) { e.Party = "" }), v1alpha1.StepOrganizerSearched, pending, "must search"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			j := Judge(numbered(test.change(smooth())), terms())
			g.Expect(j.Broken).To(BeEmpty())
			g.Expect(j.Passed).To(Equal(test.next == ""))
			if test.next == "" {
				return
			}
			next := j.Next()
			g.Expect(next.Name).To(Equal(test.next))
			g.Expect(next.State).To(Equal(test.state), next.Message)
			g.Expect(next.Message).To(ContainSubstring(test.says))
		})
	}
}

func TestAnEndHasTimeToReachEveryReplica(t *testing.T) {
	for after, passes := range map[time.Duration]bool{16 * time.Millisecond: true, 10 * time.Second: true, 11 * time.Second: false} {
		g := NewWithT(t)
		events := numbered(slices.Insert(smooth(), 8, event(p, v1alpha1.OperationSearch)))
		events[8].At = ptr.To(metav1.NewMicroTime(events[7].At.Add(after)))
		j := Judge(events, terms())
		g.Expect(j.Passed).To(Equal(passes), after.String())
		if passes {
			g.Expect(j.Steps[7].Event).To(HaveValue(BeEquivalentTo(10)), "the refusal is the step")
		}
	}
}

func TestOneCardOnBothSidesFails(t *testing.T) {
	g := NewWithT(t)
	events := smooth()
	events[5].Professional = events[3].Professional
	j := Judge(numbered(events), terms())
	g.Expect(j.Passed).To(BeFalse())
	g.Expect(j.Broken).To(And(ContainSubstring("Requests 3 and 6"), ContainSubstring("one system played both parts")))
	g.Expect(j.Steps[4].State).To(Equal(v1alpha1.StepFailed), "the step that the card was used for")
	g.Expect(j.Steps[4].Message).To(Equal(j.Broken))

	// Also where it is used for no step.
	events = append(smooth(), event(o, v1alpha1.OperationOther, func(e *v1alpha1.TestEvent) { e.Professional = "card of Producer" }))
	j = Judge(numbered(events), terms())
	g.Expect(j.Passed).To(BeFalse())
	g.Expect(j.Steps[7].State).To(Equal(v1alpha1.StepFailed))
}

func TestForeignCertificatesAreTold(t *testing.T) {
	g := NewWithT(t)
	foreign := event("", v1alpha1.OperationOther, reason("registry-mismatch"), func(e *v1alpha1.TestEvent) { e.Professional = "card of Producer" })
	j := Judge(numbered(append([]v1alpha1.TestEvent{foreign}, smooth()...)), terms())
	g.Expect(j.Passed).To(BeTrue(), "it counts for nothing, and against nobody")
	g.Expect(j.Notes).To(ConsistOf(And(ContainSubstring("(1)"), ContainSubstring("not of this test"))))
}

func TestWhatComesAfterTheCloseCountsForNothing(t *testing.T) {
	g := NewWithT(t)
	terms, events := terms(), numbered(smooth())
	terms.Until = events[7].At.Time
	j := Judge(events, terms)
	g.Expect(j.Passed).To(BeFalse())
	g.Expect(j.Seen()).To(Equal(7), "the instant of closing belongs to the window")
	g.Expect(j.Steps[7].State).To(Equal(v1alpha1.StepFailed))
	g.Expect(j.Steps[7].Message).To(And(HavePrefix("Not seen before the window closed."), ContainSubstring("The producer must")))

	terms.Until = events[1].At.Time
	j = Judge(events, terms)
	g.Expect(j.Steps[1].State).To(Equal(v1alpha1.StepFailed))
	for _, s := range j.Steps[2:] {
		g.Expect(s.State).To(Equal(v1alpha1.StepPending), "only the first of the missing ones failed")
		g.Expect(s.Message).NotTo(BeEmpty())
	}
}

// someEvents draws histories that are a smooth test with anything done to it.
func someEvents(t *rapid.T) []v1alpha1.TestEvent {
	var events []v1alpha1.TestEvent
	if rapid.Bool().Draw(t, "smooth") {
		events = smooth()
	}
	one := func() v1alpha1.TestEvent {
		party := rapid.SampledFrom([]v1alpha1.TestParty{o, p, o, p, ""}).Draw(t, "party")
		e := event(party, rapid.SampledFrom([]v1alpha1.TestOperation{
			v1alpha1.OperationStoreRelationship, v1alpha1.OperationEndRelationship, v1alpha1.OperationStore,
			v1alpha1.OperationSearch, v1alpha1.OperationRead, v1alpha1.OperationOther,
		}).Draw(t, "operation"))
		e.Client = rapid.SampledFrom([]string{"c", "c", "c", "other", ""}).Draw(t, "client")
		e.Document = rapid.SampledFrom([]string{"d1", "d2", "d3"}).Draw(t, "document")
		if e.Operation == v1alpha1.OperationRead {
			e.StoredBy = rapid.SampledFrom([]v1alpha1.TestParty{o, p, e.StoredBy, ""}).Draw(t, "stored by")
		}
		e.Format = rapid.SampledFrom([]v1alpha1.DocumentFormat{json, json, xhtml, ""}).Draw(t, "format")
		e.Unit = rapid.SampledFrom([]v1alpha1.OID{unitOID, unitOID, "1.2.3"}).Draw(t, "unit")
		if rapid.IntRange(0, 9).Draw(t, "another task") == 7 {
			e.ServiceTasks = []v1alpha1.ServiceTaskCode{"families"}
		}
		e.Count = rapid.SampledFrom([]*int32{nil, ptr.To(int32(0)), ptr.To(int32(2)), ptr.To(int32(2))}).Draw(t, "count")
		e.Reason = rapid.SampledFrom([]string{"", "", "", "relationship-ended", "no-relationship", "view-stale"}).Draw(t, "reason")
		if rapid.IntRange(0, 9).Draw(t, "cardless") == 7 {
			e.Professional = ""
		}
		return e
	}
	for range rapid.IntRange(0, 6).Draw(t, "changes") {
		switch i := rapid.IntRange(0, len(events)).Draw(t, "where"); {
		case i == len(events) || rapid.Bool().Draw(t, "insert"):
			events = slices.Insert(events, i, one())
		case rapid.Bool().Draw(t, "replace"):
			events[i] = one()
		case rapid.Bool().Draw(t, "swap"):
			k := rapid.IntRange(0, len(events)-1).Draw(t, "with")
			events[i], events[k] = events[k], events[i]
		default:
			events = slices.Delete(events, i, i+1)
		}
	}
	at := now
	for i := range numbered(events) {
		at = at.Add(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 10 * time.Second, time.Minute}).Draw(t, "after"))
		events[i].At = ptr.To(metav1.NewMicroTime(at))
	}
	return events
}

// naive counts the steps of a client by trying every way to choose their events. It shares no code with the machine.
func naive(events []v1alpha1.TestEvent, c string, t *Terms) int {
	declares := func(s System, f v1alpha1.DocumentFormat) bool { return slices.Contains(s.Formats, f) }
	good := func(e v1alpha1.TestEvent, who v1alpha1.TestParty, what v1alpha1.TestOperation) bool {
		return e.Party == who && e.Operation == what && e.Client == c && e.Reason == "" && e.Professional != ""
	}
	organizerStores := func(e v1alpha1.TestEvent) bool {
		return good(e, o, "Store") && e.Document != "" && declares(t.Organizer, e.Format)
	}
	producerStores := func(e v1alpha1.TestEvent) bool {
		return good(e, p, "Store") && e.Document != "" && declares(t.Producer, e.Format)
	}
	relates := func(e v1alpha1.TestEvent) bool {
		return good(e, o, "StoreRelationship") && e.Unit == t.Unit && slices.Contains(e.ServiceTasks, t.ServiceTask)
	}
	refusal := func(e v1alpha1.TestEvent) bool {
		return e.Party == p && e.Professional != "" && (e.Client == c || e.Client == "") && (e.Reason == "relationship-ended" || e.Reason == "no-relationship")
	}
	most := 0
	var try func(chosen []int)
	try = func(chosen []int) {
		most = max(most, len(chosen))
		from := 0
		if len(chosen) > 0 {
			from = chosen[len(chosen)-1] + 1
		}
		for i := from; i < len(events); i++ {
			e, fits := events[i], false
			switch len(chosen) {
			case 0:
				for k := 0; k < i; k++ {
					fits = fits || relates(e) && organizerStores(events[k]) || organizerStores(e) && relates(events[k])
				}
			case 1:
				fits = good(e, p, "Search") && e.Count != nil && *e.Count > 0
			case 2:
				for k := 0; k < i; k++ {
					fits = fits || good(e, p, "Read") && e.StoredBy == o && declares(t.Producer, e.Format) && organizerStores(events[k]) && events[k].Document == e.Document
				}
			case 3:
				fits = producerStores(e)
			case 4:
				fits = good(e, o, "Search") && e.Count != nil && *e.Count > 0
			case 5:
				for k := chosen[3]; k < i; k++ {
					fits = fits || good(e, o, "Read") && e.StoredBy == p && declares(t.Organizer, e.Format) && producerStores(events[k]) && events[k].Document == e.Document
				}
			case 6:
				fits = good(e, o, "EndRelationship") && (e.Unit == "" || e.Unit == t.Unit)
				for k := i + 1; k < len(events) && fits; k++ {
					if refusal(events[k]) {
						break
					}
					late := events[k].At.Sub(e.At.Time) > 10*time.Second
					fits = !(late && events[k].Party == p && events[k].Client == c && events[k].Reason == "")
				}
			case 7:
				fits = refusal(e)
			}
			if fits {
				try(append(slices.Clone(chosen), i))
			}
		}
	}
	try(nil)
	return most
}

func TestTheStepsAgreeWithANaiveSearch(t *testing.T) {
	drawn := map[int]int{}
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		events, terms := someEvents(t), terms()
		most := max(naive(events, "c", terms), naive(events, "other", terms))
		shared := false
		for _, a := range events {
			for _, b := range events {
				shared = shared || a.Party == o && b.Party == p && a.Professional != "" && a.Professional == b.Professional
			}
		}
		j := Judge(events, terms)
		drawn[most]++
		g.Expect(j.Broken != "").To(Equal(shared))
		g.Expect(j.Passed).To(Equal(most == 8 && !shared))
		g.Expect(j.Seen()).To(Equal(most))
		for i, s := range j.Steps {
			g.Expect(s.State == v1alpha1.StepSeen).To(Equal(i < most), "what was seen comes first")
			g.Expect(s.Event != nil).To(Equal(i < most))
			g.Expect(s.Message != "").To(Equal(i >= most), "what was not says who should do what")
			g.Expect(len(s.Message)).To(BeNumerically("<=", 1024))
			g.Expect(utf8.ValidString(s.Message)).To(BeTrue())
			g.Expect(s.Message).NotTo(ContainSubstring("%!"))
		}
	})
	t.Logf("steps seen: %v", drawn)
}

func TestMoreEventsNeverUnsayAStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		events := someEvents(t)
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		before, after := Judge(events[:cut], terms()), Judge(events, terms())
		// An end is taken back by an answer that follows it; nothing else is.
		g.Expect(after.Seen()).To(BeNumerically(">=", min(before.Seen(), 6)))
		if before.Passed && after.Broken == "" {
			g.Expect(after.Passed).To(BeTrue())
			g.Expect(after.PassedAt).To(Equal(before.PassedAt))
		}
		terms := terms()
		if cut > 0 {
			terms.Until = events[cut-1].At.Time
			closed := Judge(events, terms)
			g.Expect(closed.Seen()).To(Equal(before.Seen()), "closing takes and gives nothing")
			g.Expect(closed.Passed).To(Equal(before.Passed))
		}
	})
}
