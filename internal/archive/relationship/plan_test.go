// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const openEnd = ""

// at reads an instant: none, or minutes from noon.
func at(minutes string) time.Time {
	if minutes == openEnd {
		return time.Time{}
	}
	d, err := time.ParseDuration(minutes)
	if err != nil {
		panic(err)
	}
	return noon.Add(d)
}

func says(end string) store.Relationship {
	return store.Relationship{Unit: "1.2.3", Start: noon.Add(-24 * time.Hour), End: at(end), Procurement: "Voucher"}
}

func TestPlan(t *testing.T) {
	client, document := uuid.New(), uuid.New()
	record := func(version, agreed int, end, uid string) *store.RelationshipRecord {
		return &store.RelationshipRecord{
			DocumentID: document, Registry: "1.2.9", ClientID: client, Version: version, ServiceTasks: []string{"a", "b"},
			Relationship: says(end), AgreedVersion: agreed, ObjectUID: uid,
		}
	}
	object := func(version int, end string) *Object {
		o := says(end)
		return &Object{
			UID: "u", Registry: "1.2.9", ClientID: client, ServiceTasks: []string{"b", "a"}, Unit: o.Unit, Start: o.Start,
			End: o.End, Procurement: o.Procurement, Version: version,
		}
	}
	base := func(end string) *store.Relationship { r := says(end); return &r }
	annulled := func(r *store.RelationshipRecord) *store.RelationshipRecord { r.AnnulledAt = noon; return r }
	future := func(r *store.RelationshipRecord) *store.RelationshipRecord { r.Start = noon.Add(time.Hour); return r }
	foreign := func(o *Object) *Object { o.Foreign = true; return o }
	voucher := func(o *Object) *Object { o.Procurement = "Outsourced"; return o }
	unit := func(o *Object) *Object { o.Unit = "1.2.4"; return o }
	agreed := func(version int, uid string) Standing {
		return Standing{Agreement: store.AgreementReached, AgreedVersion: version, ObjectUID: uid}
	}
	conflict := func(detail string, version int, uid string) Standing {
		return Standing{store.AgreementConflict, detail, version, uid}
	}

	for _, c := range []struct {
		name   string
		record *store.RelationshipRecord
		base   *store.Relationship
		object *Object
		step   Step
		end    string
		want   Standing
	}{
		{"nothing", nil, nil, nil, Rest, "", Standing{}},
		{"an object alone gets a document", nil, nil, object(0, "5m"), StoreDocument, "5m", Standing{}},
		{"an object that names another's document", nil, nil, foreign(object(7, "")), Rest, "", conflict(detailOther, 0, "")},
		{"a document alone gets an object", record(1, 0, "", ""), base(""), nil, CreateObject, "", Standing{}},
		{"even one that has ended", record(2, 0, "-5m", ""), base(""), nil, CreateObject, "-5m", Standing{}},
		{"another object has the name", record(1, 0, "", ""), base(""), foreign(object(0, "")), Rest, "", conflict(detailTaken, 0, "")},
		{"the object was deleted and another has the name", record(1, 1, "", "v"), base(""), foreign(object(0, "")), StoreVersion, "0s", Standing{}},
		{"the object is gone and another has the name", record(2, 2, "-5m", ""), base(""), foreign(object(0, "")), Rest, "", agreed(2, "")},
		{"both say the same", record(2, 1, "5m", "u"), base(""), object(2, "5m"), Rest, "", agreed(2, "u")},
		{"both say the same, to the second", record(2, 1, "5m0.9s", "u"), base(""), object(2, "5m"), Rest, "", agreed(2, "u")},
		{"the object does not name the version", record(2, 1, "5m", "u"), base(""), object(1, "5m"), ApplyDocument, "5m", Standing{}},
		{"the object does not name the document", record(1, 0, "", ""), base(""), object(0, ""), ApplyDocument, "", Standing{}},
		{"the document was ended", record(2, 1, "-5m", "u"), base(""), object(1, ""), ApplyDocument, "-5m", Standing{}},
		{"the document was opened again", record(2, 1, "", "u"), base("5m"), object(1, "5m"), ApplyDocument, "", Standing{}},
		{"the object was ended", record(1, 1, "", "u"), base(""), object(1, "5m"), StoreVersion, "5m", Standing{}},
		{"the object was opened again", record(1, 1, "5m", "u"), base("5m"), object(1, ""), StoreVersion, "", Standing{}},
		{"both were ended, in another way", record(2, 1, "5m", "u"), base(""), object(1, "6m"), Rest, "", conflict(detailAnotherEnd, 1, "u")},
		{"both were ended, in one way", record(2, 1, "5m", "u"), base(""), object(1, "5m"), ApplyDocument, "5m", Standing{}},
		{"the object is bought in another way", record(1, 1, "", "u"), base(""), voucher(object(1, "")), StoreVersion, "", Standing{}},
		{"the object is about another unit", record(1, 1, "", "u"), base(""), unit(object(1, "")), Rest, "", conflict(detailOther, 1, "u")},
		{"the document was annulled", annulled(record(1, 1, "", "u")), base(""), object(1, ""), DeleteObject, "", Standing{}},
		{"the document was annulled and the object changed", annulled(record(1, 1, "", "u")), base(""), object(1, "5m"), Rest, "", conflict(detailAnnulled, 1, "u")},
		{"the document was annulled and the object is gone", annulled(record(1, 1, "", "u")), base(""), nil, Rest, "", agreed(1, "")},
		{"the document was annulled before the object was made", annulled(record(1, 0, "", "")), base(""), nil, Rest, "", agreed(1, "")},
		{"the object was deleted", record(1, 1, "", "u"), base(""), nil, StoreVersion, "0s", Standing{}},
		{"the object was deleted before its end", record(1, 1, "5m", "u"), base("5m"), nil, StoreVersion, "0s", Standing{}},
		{"the object was deleted after its end", record(1, 1, "-5m", "u"), base("-5m"), nil, Rest, "", agreed(1, "")},
		{"the object was deleted before its start", future(record(1, 1, "", "u")), base(""), nil, StoreVersion, "1h0m1s", Standing{}},
		{"and that is told once", future(record(2, 1, "1h0m1s", "u")), base(""), nil, Rest, "", agreed(2, "")},
		{"the object is gone and stays gone", record(2, 2, "-5m", ""), base("-5m"), nil, Rest, "", agreed(2, "")},
		{"the end of one that is gone was corrected", record(3, 2, "-4m", ""), base("-5m"), nil, Rest, "", agreed(3, "")},
		{"one that is gone was opened again by the document", record(3, 2, "", ""), base("-5m"), nil, CreateObject, "", Standing{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			got := Plan(Situation{Record: c.record, Base: c.base, Object: c.object, Now: noon})
			g.Expect(got.Step).To(Equal(c.step))
			g.Expect(got.Standing).To(Equal(c.want))
			g.Expect(got.Says.End).To(BeTemporally("==", at(c.end)))
		})
	}
}

// sides is a document and an object as the planner's property test has them, with what happened to them.
type sides struct {
	now      time.Time
	record   *store.RelationshipRecord
	versions []store.Relationship
	object   *Object
	uids     int
	lost     bool // the next settlement is lost, as by a crash
	// said are the ends that people chose.
	said []time.Time
}

func (s *sides) situation() Situation {
	out := Situation{Record: s.record, Object: s.object, Now: s.now}
	if s.record != nil {
		base := s.versions[BaseVersion(s.record, s.object)-1]
		out.Base = &base
	}
	return out
}

// do carries an action out.
func (s *sides) do(t *rapid.T, a Action) {
	r := s.record
	switch a.Step {
	case CreateObject:
		if s.object != nil {
			t.Fatal("a second object")
		}
		s.uids++
		s.object = &Object{
			UID: fmt.Sprint("uid-", s.uids), Registry: r.Registry, ClientID: r.ClientID, ServiceTasks: r.ServiceTasks, Unit: r.Unit,
			Start: startOf(a.Says), End: wholeSecond(a.Says.End), Procurement: a.Says.Procurement, Version: r.Version,
		}
	case ApplyDocument:
		if !a.Says.End.Equal(r.End) {
			t.Fatal("the object is to say what the document does not")
		}
		s.object.End, s.object.Procurement, s.object.Version = wholeSecond(a.Says.End), a.Says.Procurement, r.Version
	case DeleteObject:
		s.object = nil
	case StoreVersion:
		s.addVersion(a.Says)
	case Rest:
		if s.lost {
			s.lost = false
			return
		}
		r.Agreement, r.Detail, r.AgreedVersion, r.ObjectUID = a.Standing.Agreement, a.Standing.Detail, a.Standing.AgreedVersion, a.Standing.ObjectUID
	default:
		t.Fatalf("step %d", a.Step)
	}
}

func (s *sides) addVersion(says store.Relationship) {
	s.versions = append(s.versions, says)
	s.record.Relationship, s.record.Version = says, len(s.versions)
	s.record.Agreement = store.AgreementPending
}

// converge plans until it rests, and checks each step.
func (s *sides) converge(t *rapid.T) {
	for range 8 {
		before := *s
		action := Plan(s.situation())
		if again := Plan(s.situation()); again != action {
			t.Fatal("planned another way")
		}
		s.checkExtends(t, action)
		s.do(t, action)
		if action.Step == Rest && before.lost == s.lost {
			s.checkRest(t, action.Standing)
			return
		}
	}
	t.Fatalf("does not come to rest: %+v", s.situation())
}

// checkExtends checks that a step takes no end away that someone chose, unless someone chose what takes its place.
func (s *sides) checkExtends(t *rapid.T, a Action) {
	var before time.Time
	switch a.Step {
	case ApplyDocument:
		before = s.object.End
	case StoreVersion:
		before = s.record.End
	default:
		return
	}
	base := s.situation().Base
	if longer(a.Says.End, before) && !wholeSecond(base.End).Equal(wholeSecond(before)) {
		t.Fatalf("%+v takes the end %s away, which is news", a, before)
	}
	chosen := a.Says.End.Equal(earliestEnd(s.now, s.record.Start)) ||
		slices.ContainsFunc(s.said, func(end time.Time) bool { return wholeSecond(end).Equal(wholeSecond(a.Says.End)) })
	if !chosen {
		t.Fatalf("nobody chose the end of %+v", a)
	}
}

// longer tells whether end a is after end b, in whole seconds; zero is open.
func longer(a, b time.Time) bool {
	return !b.IsZero() && (a.IsZero() || wholeSecond(a).After(wholeSecond(b)))
}

func (s *sides) checkRest(t *rapid.T, standing Standing) {
	r, o := s.record, s.object
	switch standing.Agreement {
	case store.AgreementReached:
		switch {
		case o == nil && r.AnnulledAt.IsZero() && (r.End.IsZero() || r.End.After(earliestEnd(s.now, r.Start))):
			t.Fatal("agreed on an open document without an object")
		case o != nil && (!wholeSecond(r.End).Equal(o.End) || o.Procurement != r.Procurement || o.Version != r.Version || !r.AnnulledAt.IsZero()):
			t.Fatalf("agreed on %+v and %+v", r, o)
		case standing.AgreedVersion != r.Version:
			t.Fatal("agreed on an old version")
		}
	case store.AgreementConflict:
		base := s.situation().Base
		if o == nil || (termsOf(o.says()) == termsOf(*base)) || (r.AnnulledAt.IsZero() && termsOf(r.Relationship) == termsOf(*base)) {
			t.Fatalf("a conflict although only one side has moved: %+v and %+v from %+v", r, o, base)
		}
	default:
		t.Fatalf("came to rest as %q", standing.Agreement)
	}
	before := *s
	if again := Plan(before.situation()); again.Step != Rest || again.Standing != standing {
		t.Fatalf("at rest as %+v and then %+v", standing, again)
	}
}

// TestPlansConverge: from any history of changes on both sides, with crashes before what was done is recorded, the plan
// comes to rest, in agreement unless both sides moved; no step takes an end away that is news; a rest stays one.
func TestPlansConverge(t *testing.T) {
	outcomes := map[store.Agreement]int{}
	history := func(t *rapid.T) {
		s := &sides{now: noon}
		client := uuid.New()
		first := says(rapid.SampledFrom([]string{"", "10m", "-10m"}).Draw(t, "first end"))
		s.versions = []store.Relationship{first}
		s.said = append(s.said, first.End)
		s.record = &store.RelationshipRecord{
			DocumentID: uuid.New(), Registry: "1.2.9", ClientID: client, Version: 1, ServiceTasks: []string{"a"},
			Relationship: first, Agreement: store.AgreementPending,
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {},
			"time passes": func(t *rapid.T) {
				s.now = s.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "seconds")) * time.Second)
			},
			"the document gets a version": func(t *rapid.T) {
				if !s.record.AnnulledAt.IsZero() {
					t.Skip("annulled")
				}
				next := s.record.Relationship
				next.End = s.drawEnd(t)
				s.addVersion(next)
			},
			"the object gets an end": func(t *rapid.T) {
				if s.object == nil {
					t.Skip("no object")
				}
				s.object.End = wholeSecond(s.drawEnd(t))
			},
			"the object is bought in another way": func(t *rapid.T) {
				if s.object == nil {
					t.Skip("no object")
				}
				s.object.Procurement = rapid.SampledFrom([]string{"Outsourced", "Voucher"}).Draw(t, "procurement")
			},
			"the object is deleted": func(t *rapid.T) { s.object = nil },
			"the document is annulled": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "rarely") == 0 && s.record.AnnulledAt.IsZero() {
					s.record.AnnulledAt, s.record.Agreement = s.now, store.AgreementPending
				}
			},
			"it crashes after a few steps": func(t *rapid.T) {
				for range rapid.IntRange(0, 3).Draw(t, "steps") {
					if a := Plan(s.situation()); a.Step != Rest {
						s.checkExtends(t, a)
						s.do(t, a)
					}
				}
			},
			"it crashes before it records": func(*rapid.T) { s.lost = true },
			"it settles": func(t *rapid.T) {
				s.converge(t)
				outcomes[s.record.Agreement]++
			},
		})
		s.lost = false
		s.converge(t)
	}
	// Few histories come to a conflict: without one there are more.
	for round := 0; round == 0 || (outcomes[store.AgreementConflict] == 0 && !t.Failed() && round < 100); round++ {
		rapid.Check(t, history)
	}
	t.Log(outcomes)
	for _, agreement := range []store.Agreement{store.AgreementReached, store.AgreementConflict} {
		if outcomes[agreement] == 0 && !t.Failed() {
			t.Errorf("no history came to %s", agreement)
		}
	}
}

func (s *sides) drawEnd(t *rapid.T) time.Time {
	end := at(rapid.SampledFrom([]string{"", "10m", "-10m", "20m", "20m0.5s", "5h"}).Draw(t, "end"))
	s.said = append(s.said, end)
	return end
}
