// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// history is a random history of an API server, what of it has come to the index and to the model, and a clock.
type history struct {
	index *index.Index
	model *model
	now   time.Time
	// log is every state that any object ever had, in the order of revisions.
	log  []object
	uids byte
	// words are the ends that documents said, until the document is opened again.
	words map[index.DocumentID]*word
}

// truth is the objects of a kind as they stood at a revision.
func (h *history) truth(kind index.Kind, revision uint64) []object {
	var standing []object
	for _, o := range h.log {
		if o.kind != kind || o.revision > revision {
			continue
		}
		standing = slices.DeleteFunc(standing, func(other object) bool { return other.uid == o.uid })
		if !o.deleted {
			standing = append(standing, o)
		}
	}
	return standing
}

func (h *history) revision() uint64 { return uint64(len(h.log)) }

// append adds a state to the history.
func (h *history) append(o object) object {
	o.revision = h.revision() + 1
	if !o.deleted {
		stamp(&o)
	}
	h.log = append(h.log, o)
	return o
}

// stamp puts the object's identity into its body.
func stamp(o *object) {
	switch b := o.body.(type) {
	case index.Registry:
		b.Key, b.UID, b.Revision = o.key, o.uid, o.revision
		o.body = b
	case index.Grant:
		b.Key, b.UID, b.Revision = o.key, o.uid, o.revision
		o.body = b
	case index.Relationship:
		b.Key, b.UID, b.Revision = o.key, o.uid, o.revision
		o.body = b
	case index.Unit:
		b.Key, b.UID, b.Revision = o.key, o.uid, o.revision
		o.body = b
	case index.Organization:
		b.Name, b.UID, b.Revision = o.key.Name, o.uid, o.revision
		o.body = b
	case index.ClientSystem:
		b.Name, b.UID, b.Revision = o.key.Name, o.uid, o.revision
		o.body = b
	}
}

// tell brings an event to the index and to the model, and checks that the index owns up to what it took away.
func (h *history) tell(t *rapid.T, o object) {
	before := h.allowedProbes()
	var change index.Change
	var err error
	switch b := o.body.(type) {
	case index.Registry:
		change, err = h.index.UpsertRegistry(b)
	case index.Grant:
		change, err = h.index.UpsertGrant(b)
	case index.Relationship:
		change, err = h.index.UpsertRelationship(b)
	case index.Unit:
		change, err = h.index.UpsertUnit(b)
	case index.Organization:
		change, err = h.index.UpsertOrganization(b)
	case index.ClientSystem:
		change, err = h.index.UpsertClientSystem(b)
	default:
		change = h.index.Delete(o.kind, o.uid, o.revision)
	}
	if err != nil {
		t.Fatalf("the index refused %+v: %v", o, err)
	}
	if o.deleted {
		h.model.remove(o.uid)
	} else {
		h.model.upsert(o)
	}
	h.checkTookAway(t, before, change)
}

// checkLive compares the list of live relationships with the model's.
func (h *history) checkLive(t *rapid.T, req access.Request) {
	said := func(ref access.Ref, unit string, tasks []string, start, end time.Time) string {
		tasks = slices.Sorted(slices.Values(tasks))
		return fmt.Sprint(ref, unit, slices.Compact(tasks), start.UnixMicro(), end.UnixMicro())
	}
	var got, want []string
	for _, l := range h.index.Live(req.Registry, req.Caller.Unit, req.Client, h.now) {
		got = append(got, said(l.Ref, l.Unit, l.Tasks.Codes(), l.Start, l.End))
	}
	for _, r := range h.model.live(req.Registry, req.Caller.Unit, req.Client, h.now) {
		want = append(want, said(access.Ref{UID: r.UID, Revision: r.Revision}, r.Unit, r.Tasks, r.Start, h.model.endOf(r)))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("live %v, ought to be %v\nrequest %+v\nnow %s\nobjects %s", got, want, req, h.now, h.dump())
	}
}

func (h *history) checkTookAway(t *rapid.T, before []access.Request, change index.Change) {
	for _, req := range before {
		if d := h.index.Decide(&req, h.now); !d.Allowed && !change.TookAway {
			t.Fatalf("change %+v took %+v away (now %s) and does not tell", change, req, d.Reason)
		}
	}
}

// allowedProbes is the requests of a fixed set that are allowed now.
func (h *history) allowedProbes() []access.Request {
	var allowed []access.Request
	for _, req := range probes {
		if h.index.Decide(&req, h.now).Allowed {
			allowed = append(allowed, req)
		}
	}
	return allowed
}

var probes = func() []access.Request {
	var all []access.Request
	for _, registry := range registryOIDs[:2] {
		for _, unit := range []string{"", unitOIDs[0], unitOIDs[1]} {
			for fingerprint := byte(1); fingerprint <= 3; fingerprint++ {
				for client := byte(1); client <= 2; client++ {
					for _, operation := range []access.Operation{access.Search, access.ManageMatter} {
						for _, task := range tasks {
							all = append(all, access.Request{
								Caller:       access.Caller{TrustedRegistry: registry, Unit: unit, Fingerprint: indextest.Fingerprint(fingerprint)},
								Professional: true, Registry: registry, Operation: operation,
								Client: indextest.Client(client), ServiceTask: task,
							})
						}
					}
				}
			}
		}
	}
	return all
}()

// check compares the decision on a random request with the model's.
func (h *history) check(t *rapid.T, seen map[access.Reason]int) {
	req := drawRequest(t)
	got, want := h.index.Decide(&req, h.now), h.model.decide(req, h.now)
	seen[want.reason]++
	if got.Reason != want.reason || got.Allowed != (want.reason == access.ReasonAllowed) || got.Detail != want.detail {
		t.Fatalf("decided %q (%q), ought to be %q (%q)\nrequest %+v\nnow %s\nobjects %s",
			got.Reason, got.Detail, want.reason, want.detail, req, h.now, h.dump())
	}
	if shows := got.Allowed && (req.Caller.Unit == "" || h.model.shows(req.Registry)); got.ShowsNonDisclosure != shows {
		t.Fatalf("shows non-disclosure: %v, ought to be %v", got.ShowsNonDisclosure, shows)
	}
	h.checkLive(t, req)
	codes := got.Tasks.Codes()
	slices.Sort(codes)
	if !slices.Equal(codes, want.tasks) {
		t.Fatalf("tasks %v, ought to be %v", codes, want.tasks)
	}
	if got.Allowed {
		h.checkSafe(t, req, got)
	}
}

// checkSafe checks what must hold of every allowed request, from the objects that the decision says it rests on.
func (h *history) checkSafe(t *rapid.T, req access.Request, d access.Decision) {
	if age := h.now.Sub(h.model.provenAt); age > 2*time.Hour || age < -time.Second {
		t.Fatalf("allowed with a view of age %s", age)
	}
	if req.Caller.Unit == "" {
		return
	}
	grant := h.model.objects[h.model.find(d.RestsOn.Grant.UID)].body.(index.Grant)
	listed := slices.ContainsFunc(grant.Credentials, func(c index.Credential) bool {
		return c.Fingerprint == req.Caller.Fingerprint && c.NotAfter.After(h.now)
	})
	if !listed || !grant.Ready || grant.Suspended || grant.Deleting || grant.Revision != d.RestsOn.Grant.Revision {
		t.Fatalf("allowed under grant %+v", grant)
	}
	r := h.model.objects[h.model.find(d.RestsOn.Relationship.UID)].body.(index.Relationship)
	h.checkWord(t, r)
	if !r.Accepted || r.Deleting || r.Client != req.Client || r.Unit != req.Caller.Unit ||
		h.now.Before(r.Start) || (!r.End.IsZero() && !h.now.Before(r.End)) || r.Revision != d.RestsOn.Relationship.Revision {
		t.Fatalf("allowed on relationship %+v", r)
	}
}

// relist lists the kind as it stood at the revision, in any order and with late events in between, and then
// tells what came after. Then the index has what is.
func (h *history) relist(t *rapid.T, kind index.Kind, revision uint64) {
	relist := h.index.BeginRelist(kind)
	h.model.beginRelist(kind)
	listed := h.truth(kind, revision)
	if len(listed) > 0 {
		listed = rapid.Permutation(listed).Draw(t, "order")
	}
	for _, o := range listed {
		h.tell(t, o)
		if sixteenth(t, "late event") < 3 {
			h.tell(t, rapid.SampledFrom(h.besides(listed, revision)).Draw(t, "late"))
		}
	}
	before := h.allowedProbes()
	h.model.endRelist(kind, revision)
	h.checkTookAway(t, before, h.index.EndRelist(relist, revision))
	for _, o := range h.log[revision:] {
		if o.kind == kind {
			h.tell(t, o)
		}
	}
	h.converged(t, kind)
}

// besides is what may be told in between a list: anything but an old state of what the list knows to be gone.
func (h *history) besides(listed []object, revision uint64) []object {
	return slices.DeleteFunc(slices.Clone(h.log), func(o object) bool {
		return !o.deleted && o.revision <= revision &&
			!slices.ContainsFunc(listed, func(l object) bool { return l.uid == o.uid })
	})
}

// converged checks that index and model hold what the API server does, whatever was told before.
func (h *history) converged(t *rapid.T, kind index.Kind) {
	want := h.truth(kind, h.revision())
	if n := h.index.Stats(kind).Entries; n != len(want) {
		t.Fatalf("after a relist the index has %d %s, there are %d", n, kind, len(want))
	}
	for _, o := range want {
		i := h.model.find(o.uid)
		if i < 0 || !reflect.DeepEqual(h.model.objects[i].body, o.body) {
			t.Fatalf("after a relist the model lacks %+v", o)
		}
	}
}

func (h *history) load(t *rapid.T) {
	for _, kind := range index.Kinds() {
		h.relist(t, kind, h.revision())
		h.index.SetComplete(kind)
	}
	h.model.complete = true
	h.prove(h.now)
}

func (h *history) prove(at time.Time) {
	h.index.SetFreshness(at)
	h.model.provenAt = at
}

func (h *history) dump() string {
	s := ""
	for _, o := range h.model.objects {
		s += fmt.Sprintf("\n%+v", o.body)
	}
	return s
}

// step is one thing that happens.
func (h *history) step(t *rapid.T) {
	kind := pick(t, index.Kinds(), "kind")
	seconds := time.Duration(sixteenth(t, "seconds")) * time.Second
	switch n := sixteenth(t, "what"); n {
	case 0:
		h.drop(t, kind)
	case 1, 2:
		h.tell(t, rapid.SampledFrom(h.log).Draw(t, "late or repeated event"))
	case 3:
		h.relist(t, kind, h.revision()-uint64(min(sixteenth(t, "back"), len(h.log)-1)))
	case 4:
		h.reset(t)
	case 5, 6:
		h.now = h.now.Add(seconds)
	case 7:
		h.now = h.now.Add(-seconds)
	case 8:
		h.prove(h.now.Add(-seconds / 8))
	case 9:
		h.stepOfDocument(t)
	default:
		h.write(t, kind, drawKey(t, kind), sixteenth(t, "told") < 12)
	}
}

// drop deletes an object.
func (h *history) drop(t *rapid.T, kind index.Kind) {
	standing := h.truth(kind, h.revision())
	if len(standing) == 0 {
		t.Skip("nothing to delete")
	}
	o := pick(t, standing, "object")
	gone := h.append(object{kind: o.kind, key: o.key, uid: o.uid, deleted: true})
	if sixteenth(t, "told") < 12 {
		h.tell(t, gone)
	}
}

// reset makes index and model forget, and loads them anew. At times the process itself begins anew: then what the
// documents say comes from the store.
func (h *history) reset(t *rapid.T) {
	if rapid.Bool().Draw(t, "restart") {
		h.index = index.New()
		for document, end := range h.model.ends {
			h.index.SetDocumentEnd(document, end)
		}
	} else {
		h.index.Reset()
	}
	maps.DeleteFunc(h.words, func(_ index.DocumentID, w *word) bool { return w.carried != nil })
	h.model = &model{ends: h.model.ends}
	h.load(t)
}

// write creates an object or edits the one that has the name.
func (h *history) write(t *rapid.T, kind index.Kind, key index.Key, told bool) {
	o := object{kind: kind, key: key, body: drawBody(t, kind, key)}
	for _, other := range h.truth(kind, h.revision()) {
		if other.key == key {
			o.uid = other.uid
		}
	}
	if o.uid == (access.UID{}) {
		h.uids++
		o.uid = indextest.UID(h.uids)
	}
	o = h.append(o)
	if told {
		h.tell(t, o)
	}
}

// firstObjects are what a history begins with.
var firstObjects = []object{
	{kind: index.Relationships, key: index.Key{Namespace: "one", Name: "x1"}},
	{kind: index.Relationships, key: index.Key{Namespace: "one", Name: "x2"}},
	{kind: index.Relationships, key: index.Key{Namespace: "one", Name: "x3"}},
	{kind: index.Grants, key: index.Key{Namespace: "one", Name: "x1"}},
	{kind: index.Grants, key: index.Key{Namespace: "one", Name: "x2"}},
	{kind: index.Registries, key: index.Key{Namespace: "one", Name: "r1"}},
	{kind: index.Units, key: index.Key{Namespace: "one", Name: "x1"}},
	{kind: index.Units, key: index.Key{Namespace: "one", Name: "x2"}},
	{kind: index.Organizations, key: index.Key{Name: "o1"}},
	{kind: index.Organizations, key: index.Key{Name: "o2"}},
	{kind: index.Organizations, key: index.Key{Name: "o3"}},
	{kind: index.ClientSystems, key: index.Key{Name: "s1"}},
	{kind: index.ClientSystems, key: index.Key{Name: "s2"}},
}

func TestRandomHistoriesAgreeWithTheModel(t *testing.T) {
	seen := map[access.Reason]int{}
	unseen := func() bool {
		return slices.ContainsFunc(access.Reasons(), func(reason access.Reason) bool { return seen[reason] == 0 })
	}
	for part := 0; part < 4 || (unseen() && !t.Failed() && part < 100); part++ {
		t.Run(fmt.Sprintf("part %d", part), rapid.MakeCheck(func(t *rapid.T) { play(t, seen) }))
	}
	for _, reason := range access.Reasons() {
		t.Logf("%7d %s", seen[reason], reason)
		if seen[reason] == 0 && !t.Failed() {
			t.Errorf("no history came to %s", reason)
		}
	}
}

// play plays one history and counts the reasons that it comes to.
func play(t *rapid.T, seen map[access.Reason]int) {
	h := &history{index: index.New(), model: &model{ends: map[index.DocumentID]time.Time{}}, now: indextest.Now, words: map[index.DocumentID]*word{}}
	h.check(t, seen)
	for _, first := range firstObjects {
		h.write(t, first.kind, first.key, false)
	}
	h.load(t)
	t.Repeat(map[string]func(*rapid.T){
		"step": h.step,
		"": func(t *rapid.T) {
			// Proof comes often enough that most decisions get past it.
			if age := h.now.Sub(h.model.provenAt); (age > 5*time.Second || age < 0) && sixteenth(t, "no proof") < 12 {
				h.prove(h.now)
			}
			for range 8 {
				h.check(t, seen)
			}
		},
	})
}
