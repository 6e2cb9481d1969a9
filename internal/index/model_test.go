// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
)

// object is one object in full, as the model keeps it and as an event brings it.
type object struct {
	kind     index.Kind
	key      index.Key
	uid      access.UID
	revision uint64
	deleted  bool
	// body is the object as its index type.
	body any
	// listed tells that the running relist named it.
	listed bool
}

// model is the naive twin of the index: full objects in a slice, and every rule a plain loop.
type model struct {
	objects  []object
	gone     []object
	complete bool
	provenAt time.Time
	// ends are the ends that documents say.
	ends map[index.DocumentID]time.Time
}

// endOf is when the relationship ends, by itself or by its document.
func (m *model) endOf(r index.Relationship) time.Time {
	said, ok := m.ends[r.Document]
	if ok && (r.End.IsZero() || said.Before(r.End)) {
		return said
	}
	return r.End
}

func (m *model) find(uid access.UID) int {
	return slices.IndexFunc(m.objects, func(o object) bool { return o.uid == uid })
}

func (m *model) upsert(o object) {
	if i := m.find(o.uid); i >= 0 {
		m.objects[i].listed = true
		if o.revision > m.objects[i].revision {
			o.listed = true
			m.objects[i] = o
		}
		return
	}
	for _, dead := range m.gone {
		if dead.uid == o.uid && (dead.deleted || o.revision <= dead.revision) {
			return
		}
	}
	if o.kind != index.Relationships {
		for i, other := range m.objects {
			if other.kind != o.kind || other.key != o.key {
				continue
			}
			if other.revision > o.revision {
				m.gone = append(m.gone, object{uid: o.uid, deleted: true})
				return
			}
			m.gone = append(m.gone, object{uid: other.uid, deleted: true})
			m.objects = slices.Delete(m.objects, i, i+1)
			break
		}
	}
	o.listed = true
	m.objects = append(m.objects, o)
}

func (m *model) remove(uid access.UID) {
	m.gone = append(m.gone, object{uid: uid, deleted: true})
	if i := m.find(uid); i >= 0 {
		m.objects = slices.Delete(m.objects, i, i+1)
	}
}

func (m *model) beginRelist(kind index.Kind) {
	for i := range m.objects {
		if m.objects[i].kind == kind {
			m.objects[i].listed = false
		}
	}
}

func (m *model) endRelist(kind index.Kind, revision uint64) {
	var kept []object
	for _, o := range m.objects {
		if o.kind == kind && !o.listed {
			m.gone = append(m.gone, object{uid: o.uid, revision: revision})
		} else {
			kept = append(kept, o)
		}
	}
	m.objects = kept
}

// all returns the model's objects of one type.
func all[T any](m *model) []T {
	var found []T
	for _, o := range m.objects {
		if body, ok := o.body.(T); ok {
			found = append(found, body)
		}
	}
	return found
}

// only returns the single element that the test holds for.
func only[T any](of []T, test func(T) bool) (T, bool) {
	var found []T
	for _, one := range of {
		if test(one) {
			found = append(found, one)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	var none T
	return none, false
}

// shows says whether units see documents under a non-disclosure in the registry, if it is accepted.
func (m *model) shows(registry string) bool {
	for _, r := range all[index.Registry](m) {
		if r.OID == registry && r.Accepted && !r.Deleting {
			return r.ShowNonDisclosure
		}
	}
	return false
}

// live lists the client's live relationships in the one accepted registry with the OID, by their start.
func (m *model) live(oid, unit string, client access.ClientID, now time.Time) (live []index.Relationship) {
	registry, found := only(all[index.Registry](m), func(r index.Registry) bool { return r.OID == oid && r.Accepted && !r.Deleting })
	if !found || client.IsZero() {
		return nil
	}
	for _, r := range all[index.Relationship](m) {
		if end := m.endOf(r); r.Client == client && (unit == "" || r.Unit == unit) && r.Accepted && !r.Deleting &&
			r.Key.Namespace == registry.Key.Namespace && r.RegistryName == registry.Key.Name &&
			!r.Start.After(now) && (end.IsZero() || end.After(now)) {
			live = append(live, r)
		}
	}
	slices.SortFunc(live, func(a, b index.Relationship) int {
		return cmp.Or(a.Start.Compare(b.Start), bytes.Compare(a.UID[:], b.UID[:]))
	})
	return live
}

// outcome is what the model says of a request.
type outcome struct {
	reason access.Reason
	detail string
	tasks  []string
}

func deny(reason access.Reason) outcome { return outcome{reason: reason} }

// decide says what the index ought to decide.
func (m *model) decide(req access.Request, now time.Time) outcome {
	unitCaller := req.Caller.Unit != ""
	claimants := []index.Registry{}
	for _, r := range all[index.Registry](m) {
		if r.OID == req.Registry {
			claimants = append(claimants, r)
		}
	}
	registry, found := only(claimants, func(r index.Registry) bool { return r.Accepted && !r.Deleting })

	// Is the view good enough?
	bound := 10 * time.Second
	if found && unitCaller && registry.ProducerBound != 0 {
		bound = registry.ProducerBound
	}
	if found && !unitCaller {
		bound = time.Hour
		if registry.OrganizerBound != 0 {
			bound = registry.OrganizerBound
		}
	}
	if !m.complete {
		return deny(access.ReasonViewIncomplete)
	}
	if m.provenAt.IsZero() || now.After(m.provenAt.Add(bound)) || now.Before(m.provenAt.Add(-time.Second)) {
		return deny(access.ReasonViewStale)
	}

	// Is the registry?
	if !found {
		for _, r := range claimants {
			if r.Accepted && !r.Deleting {
				return deny(access.ReasonRegistryUnknown)
			}
		}
		if len(claimants) > 0 {
			return deny(access.ReasonRegistryNotAccepted)
		}
		return deny(access.ReasonRegistryUnknown)
	}
	if closes := registry.Test.ClosesAt; !closes.IsZero() && now.Compare(closes) >= 0 {
		return deny(access.ReasonRegistryNotAccepted)
	}
	if req.Caller.TrustedRegistry != registry.OID {
		return deny(access.ReasonRegistryMismatch)
	}
	if !m.joined(registry.Organization, now) {
		return deny(access.ReasonOrganizerEnded)
	}
	if !unitCaller {
		return m.decideOrganizer(req, registry, now)
	}

	unit, found := only(all[index.Unit](m), func(u index.Unit) bool {
		return u.OID == req.Caller.Unit && u.Accepted && !u.Deleting
	})
	if !found {
		return deny(access.ReasonUnitUnknown)
	}
	accepts := slices.Contains(unit.AcceptFrom, registry.Organization)
	if test := registry.Test; test.Unit != "" {
		accepts = test.Simulated
		for _, t := range unit.AcceptTests {
			accepts = accepts || t.Own == registry.OID && t.Registry == test.Registry && t.StartsAt.Equal(test.StartsAt) && t.ClosesAt.Compare(test.ClosesAt) >= 0
		}
		accepts = accepts && unit.OID == test.Unit
	}
	if !accepts {
		return deny(access.ReasonUnitWithdrawn)
	}
	if !m.joined(unit.Organization, now) {
		return deny(access.ReasonProducerEnded)
	}
	if !m.certified(registry.ClientSystem, now) || !m.certified(unit.ClientSystem, now) {
		return deny(access.ReasonSystemNotValid)
	}

	grants := all[index.Grant](m)
	slices.SortFunc(grants, func(a, b index.Grant) int { return bytes.Compare(a.UID[:], b.UID[:]) })
	best := deny(access.ReasonGrantMissing)
	for _, grant := range grants {
		if grant.Deleting || grant.Unit != unit.OID ||
			grant.Key.Namespace != registry.Key.Namespace || grant.RegistryName != registry.Key.Name {
			continue
		}
		got := m.decideGrant(req, registry, unit, grant, now)
		if got.reason == access.ReasonAllowed {
			return got
		}
		if slices.Index(progress, got.reason) > slices.Index(progress, best.reason) {
			best = got
		}
	}
	return best
}

// progress is the reasons that may differ between grants, from the farthest to the nearest.
var progress = []access.Reason{
	access.ReasonGrantMissing, access.ReasonGrantSuspended, access.ReasonGrantExpired,
	access.ReasonSocialCareNotBought, access.ReasonGrantNotReady, access.ReasonGrantNotYetValid,
	access.ReasonCredentialNotListed, access.ReasonCredentialSuperseded,
	access.ReasonCredentialExpired, access.ReasonCredentialNotYetValid,
	access.ReasonProfessionalMissing, access.ReasonExtentInsufficient,
	access.ReasonDocumentMissing, access.ReasonDocumentOtherRegistry, access.ReasonOldClientData, access.ReasonClientMissing,
	access.ReasonNoRelationship, access.ReasonRelationshipNotAccepted,
	access.ReasonRelationshipNotStarted, access.ReasonRelationshipEnded,
	access.ReasonDocumentOtherClient, access.ReasonTaskNotCovered, access.ReasonNotOwnDocument,
	access.ReasonPatientData,
}

func (m *model) decideOrganizer(req access.Request, registry index.Registry, now time.Time) outcome {
	if bad := ledgerSays(registry.Credentials, req.Caller.Fingerprint, now); bad != 0 {
		return deny(bad)
	}
	if !req.Professional {
		return deny(access.ReasonProfessionalMissing)
	}
	if req.Operation < access.FindClient || req.Operation > access.Supervise {
		return deny(access.ReasonExtentInsufficient)
	}
	if aboutDocument(req.Operation) && req.Document == nil {
		return deny(access.ReasonDocumentMissing)
	}
	if req.Document != nil && req.Document.Registry != req.Registry {
		return deny(access.ReasonDocumentOtherRegistry)
	}
	if req.Document != nil && req.Client != (access.ClientID{}) && req.Document.Client != req.Client {
		return deny(access.ReasonDocumentOtherClient)
	}
	return outcome{reason: access.ReasonAllowed}
}

func (m *model) decideGrant(req access.Request, registry index.Registry, unit index.Unit, grant index.Grant, now time.Time) outcome {
	switch {
	case grant.Suspended:
		return deny(access.ReasonGrantSuspended)
	case !grant.ValidUntil.IsZero() && !grant.ValidUntil.After(now):
		return deny(access.ReasonGrantExpired)
	case grant.Buys == access.BuysHealth:
		return deny(access.ReasonSocialCareNotBought)
	case !grant.Ready:
		return outcome{reason: access.ReasonGrantNotReady, detail: grant.NotReadyReason}
	case grant.ValidFrom.After(now):
		return deny(access.ReasonGrantNotYetValid)
	}
	if bad := ledgerSays(grant.Credentials, req.Caller.Fingerprint, now); bad != 0 {
		return deny(bad)
	}
	if !req.Professional {
		return deny(access.ReasonProfessionalMissing)
	}
	basic := []access.Operation{access.FindClient, access.Search, access.Read, access.Store, access.NewVersion, access.Summary}
	extended := []access.Operation{access.Annul, access.Correct, access.ManageMatter, access.ManageRelationship}
	if !(slices.Contains(basic, req.Operation) && grant.Extent >= access.Basic) &&
		!(slices.Contains(extended, req.Operation) && grant.Extent == access.Extended) || req.IncomingOldData {
		return deny(access.ReasonExtentInsufficient)
	}
	if req.Document != nil && req.Document.Registry != req.Registry {
		return deny(access.ReasonDocumentOtherRegistry)
	}
	if req.Document != nil && req.Document.Old {
		return deny(access.ReasonOldClientData)
	}
	if req.Client == (access.ClientID{}) {
		switch {
		case req.Operation == access.FindClient:
			return deny(access.ReasonNoRelationship)
		case aboutDocument(req.Operation) && req.Document == nil:
			return deny(access.ReasonDocumentMissing)
		}
		return deny(access.ReasonClientMissing)
	}

	var open []string
	var live, toStart, over, unaccepted bool
	for _, r := range all[index.Relationship](m) {
		if r.Deleting || r.Client != req.Client || r.Unit != unit.OID ||
			r.Key.Namespace != registry.Key.Namespace || r.RegistryName != registry.Key.Name {
			continue
		}
		end := m.endOf(r)
		switch {
		case !end.IsZero() && !end.After(now):
			over = true
		case !r.Accepted:
			unaccepted = true
		case r.Start.After(now):
			toStart = true
		default:
			live = true
			open = append(open, r.Tasks...)
		}
	}
	switch {
	case live:
	case toStart:
		return deny(access.ReasonRelationshipNotStarted)
	case over:
		return deny(access.ReasonRelationshipEnded)
	case unaccepted:
		return deny(access.ReasonRelationshipNotAccepted)
	default:
		return deny(access.ReasonNoRelationship)
	}

	if aboutDocument(req.Operation) && req.Document == nil {
		return deny(access.ReasonDocumentMissing)
	}
	if req.Document != nil && req.Document.Client != req.Client {
		return deny(access.ReasonDocumentOtherClient)
	}
	if len(grant.Tasks) > 0 {
		open = slices.DeleteFunc(open, func(task string) bool { return !slices.Contains(grant.Tasks, task) })
	}
	slices.Sort(open)
	open = slices.Compact(open)
	if !tasksFit(req, open) {
		return deny(access.ReasonTaskNotCovered)
	}
	if req.Operation == access.NewVersion && grant.Extent == access.Basic && req.Document.AuthorUnit != req.Caller.Unit {
		return deny(access.ReasonNotOwnDocument)
	}
	if req.IncomingSector == access.HealthCare && grant.Buys == access.BuysSocial|access.BuysHealth {
		return deny(access.ReasonPatientData)
	}
	return outcome{reason: access.ReasonAllowed, tasks: open}
}

func tasksFit(req access.Request, open []string) bool {
	if len(open) == 0 {
		return false
	}
	if req.ServiceTask != "" && !slices.Contains(open, req.ServiceTask) {
		return false
	}
	var has []string
	if req.Document != nil {
		has = req.Document.ServiceTasks
		if !slices.ContainsFunc(has, func(task string) bool { return slices.Contains(open, task) }) {
			return false
		}
	}
	for _, task := range req.IncomingTasks {
		if !slices.Contains(open, task) && !slices.Contains(has, task) {
			return false
		}
	}
	return req.Operation != access.Store || req.ServiceTask != "" || len(req.IncomingTasks) > 0
}

func aboutDocument(o access.Operation) bool {
	return slices.Contains([]access.Operation{access.Read, access.NewVersion, access.Annul, access.Correct}, o)
}

func (m *model) joined(oid string, now time.Time) bool {
	standing := func(oid string) (index.Organization, bool) {
		o, ok := only(all[index.Organization](m), func(o index.Organization) bool {
			return o.OID == oid && o.Accepted && !o.Deleting
		})
		return o, ok && !o.JoinedFrom.After(now) && (o.EndedAt.IsZero() || o.EndedAt.After(now))
	}
	o, ok := standing(oid)
	if !ok || o.MainJoiner == "" {
		return ok
	}
	main, ok := standing(o.MainJoiner)
	return ok && main.MainJoiner == ""
}

func (m *model) certified(name string, now time.Time) bool {
	for _, s := range all[index.ClientSystem](m) {
		if s.Name == name && !s.Deleting && !s.ValidFrom.After(now) && (s.ValidUntil.IsZero() || s.ValidUntil.After(now)) {
			return true
		}
	}
	return false
}

func ledgerSays(lines []index.Credential, fingerprint access.Fingerprint, now time.Time) access.Reason {
	for _, line := range lines {
		if line.Fingerprint != fingerprint {
			continue
		}
		switch {
		case !line.AcceptUntil.IsZero() && !line.AcceptUntil.After(now):
			return access.ReasonCredentialSuperseded
		case !line.NotAfter.After(now):
			return access.ReasonCredentialExpired
		case line.NotBefore.After(now):
			return access.ReasonCredentialNotYetValid
		}
		return 0
	}
	return access.ReasonCredentialNotListed
}
