// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

const day = indextest.Day

var now = indextest.Now

// decisionCase puts one thing of a world in order out of it.
type decisionCase struct {
	name string
	give func(w *indextest.World)
	want access.Reason
}

func run(t *testing.T, cases []decisionCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			w := indextest.New()
			c.give(w)
			d := w.Decide()
			g.Expect(d.Reason.Code()).To(Equal(c.want.Code()))
			g.Expect(d.Allowed).To(Equal(c.want == access.ReasonAllowed))
			g.Expect(d.Tasks.IsEmpty()).To(Equal(!d.Allowed), "tasks are told only when allowed")
		})
	}
}

func TestDecide_View(t *testing.T) {
	run(t, []decisionCase{
		{"everything in order", func(w *indextest.World) {}, access.ReasonAllowed},
		{"no proof", func(w *indextest.World) { w.ProvenAt = time.Time{} }, access.ReasonViewStale},
		{"at the default bound", func(w *indextest.World) { w.ProvenAt = now.Add(-10 * time.Second) }, access.ReasonAllowed},
		{"past the default bound", func(w *indextest.World) { w.ProvenAt = now.Add(-10*time.Second - 1) }, access.ReasonViewStale},
		{"past the registry's bound", func(w *indextest.World) {
			w.Registry.ProducerBound = 2 * time.Second
			w.ProvenAt = now.Add(-3 * time.Second)
		}, access.ReasonViewStale},
		{"within the registry's longer bound", func(w *indextest.World) {
			w.Registry.ProducerBound = time.Minute
			w.ProvenAt = now.Add(-30 * time.Second)
		}, access.ReasonAllowed},
		{"organizer within its hour", func(w *indextest.World) {
			w.AsOrganizer().ProvenAt = now.Add(-time.Hour)
		}, access.ReasonAllowed},
		{"organizer past its hour", func(w *indextest.World) {
			w.AsOrganizer().ProvenAt = now.Add(-time.Hour - 1)
		}, access.ReasonViewStale},
		{"organizer past the registry's bound", func(w *indextest.World) {
			w.AsOrganizer().Registry.OrganizerBound = time.Minute
			w.ProvenAt = now.Add(-2 * time.Minute)
		}, access.ReasonViewStale},
		{"proof just ahead of the clock", func(w *indextest.World) { w.ProvenAt = now.Add(time.Second) }, access.ReasonAllowed},
		{"clock stepped back", func(w *indextest.World) { w.ProvenAt = now.Add(time.Second + 1) }, access.ReasonViewStale},
		{"stale comes before what the registry says", func(w *indextest.World) {
			w.ProvenAt = now.Add(-2 * time.Hour)
			w.Request.Caller.TrustedRegistry = "another"
		}, access.ReasonViewStale},
		{"an unknown registry has the default bound", func(w *indextest.World) {
			w.AsOrganizer().Request.Registry = "another"
			w.ProvenAt = now.Add(-time.Minute)
		}, access.ReasonViewStale},
		{"a registry that is not accepted has no say in the bound", func(w *indextest.World) {
			w.Registry.Accepted, w.Registry.ProducerBound = false, time.Hour
			w.ProvenAt = now.Add(-time.Minute)
		}, access.ReasonViewStale},
	})
}

// A clock that was never set agrees with a proof that never came; that proves nothing.
func TestDecide_NoProofAndNoClock(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.ProvenAt = time.Time{}
	g.Expect(w.Index().Decide(&w.Request, time.Time{}).Reason).To(Equal(access.ReasonViewStale))
}

// anyCertificate is a view whose ledgers list every certificate, none at all included.
type anyCertificate struct{ access.View }

func (anyCertificate) GrantCredential(access.Handle, access.Fingerprint) (access.Credential, bool) {
	return access.Credential{NotAfter: now.Add(day)}, true
}

func TestDecide_NoCertificateIsNeverListed(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Index().Read(func(view access.View) {
		w.Request.Caller.Fingerprint = indextest.Fingerprint(77)
		g.Expect(access.Decide(&w.Request, anyCertificate{view}, now).Reason).To(Equal(access.ReasonAllowed))
		w.Request.Caller.Fingerprint = access.Fingerprint{}
		g.Expect(access.Decide(&w.Request, anyCertificate{view}, now).Reason).To(Equal(access.ReasonCredentialNotListed))
	})
}

func TestDecide_ViewIncomplete(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := index.New()
	w.Load(x)
	x.SetFreshness(now)
	kinds := index.Kinds()
	for _, kind := range kinds {
		g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonViewIncomplete), "before %s", kind)
		x.SetComplete(kind)
	}
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonAllowed))
}

// The archive's own bounds hold where a registry says nothing, and for no registry that is unknown.
func TestDecide_ArchiveBounds(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	x.SetBounds(3*time.Second, 5*time.Second)
	x.SetFreshness(now)
	after := func(seconds int) access.Reason {
		return x.Decide(&w.Request, now.Add(time.Duration(seconds)*time.Second)).Reason
	}
	g.Expect(after(3)).To(Equal(access.ReasonAllowed))
	g.Expect(after(4)).To(Equal(access.ReasonViewStale))
	w.AsOrganizer()
	g.Expect(after(5)).To(Equal(access.ReasonAllowed))
	g.Expect(after(6)).To(Equal(access.ReasonViewStale))

	w.Registry.Revision, w.Registry.OrganizerBound = 200, time.Minute
	_, err := x.UpsertRegistry(w.Registry)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(after(60)).To(Equal(access.ReasonAllowed))

	x.SetBounds(time.Hour, time.Hour)
	w.Request.Registry = "1.2.3"
	g.Expect(after(11)).To(Equal(access.ReasonViewStale))
	g.Expect(after(10)).To(Equal(access.ReasonRegistryUnknown))
}

func TestDecide_Registry(t *testing.T) {
	run(t, []decisionCase{
		{"unknown", func(w *indextest.World) { w.Request.Registry = "1.2.3" }, access.ReasonRegistryUnknown},
		{"no OID", func(w *indextest.World) {
			w.Registry.OID, w.Request.Registry, w.Request.Caller.TrustedRegistry = "", "", ""
		}, access.ReasonRegistryUnknown},
		{"not accepted", func(w *indextest.World) { w.Registry.Accepted = false }, access.ReasonRegistryNotAccepted},
		{"being deleted", func(w *indextest.World) { w.Registry.Deleting = true }, access.ReasonRegistryNotAccepted},
		{"certificate for another", func(w *indextest.World) { w.Request.Caller.TrustedRegistry = "1.2.3" }, access.ReasonRegistryMismatch},
		{"two accepted ones claim the OID", func(w *indextest.World) {
			other := w.Registry
			other.UID, other.Key.Namespace = indextest.UID(9), "elsewhere"
			w.Registries = append(w.Registries, other)
		}, access.ReasonRegistryUnknown},
		{"one that is not accepted claims the OID", func(w *indextest.World) {
			other := w.Registry
			other.UID, other.Key.Namespace, other.Accepted = indextest.UID(9), "elsewhere", false
			w.Registries = append(w.Registries, other)
		}, access.ReasonAllowed},
	})
}

func TestDecide_Organizations(t *testing.T) {
	cases := []decisionCase{}
	for _, side := range []struct {
		name   string
		pick   func(w *indextest.World) *index.Organization
		reason access.Reason
	}{
		{"organizer", func(w *indextest.World) *index.Organization { return &w.Organizer }, access.ReasonOrganizerEnded},
		{"organizer for itself", func(w *indextest.World) *index.Organization { return &w.AsOrganizer().Organizer }, access.ReasonOrganizerEnded},
		{"producer", func(w *indextest.World) *index.Organization { return &w.Producer }, access.ReasonProducerEnded},
	} {
		through := func(change func(joiner *index.Organization)) func(w *indextest.World) {
			return func(w *indextest.World) {
				joiner := indextest.Organization("joiner", 20, "1.2.20")
				side.pick(w).MainJoiner = joiner.OID
				change(&joiner)
				w.Others = append(w.Others, joiner)
			}
		}
		cases = append(cases, []decisionCase{
			{side.name + " gone", func(w *indextest.World) { side.pick(w).OID = "1.2.99" }, side.reason},
			{side.name + " not accepted", func(w *indextest.World) { side.pick(w).Accepted = false }, side.reason},
			{side.name + " being deleted", func(w *indextest.World) { side.pick(w).Deleting = true }, side.reason},
			{side.name + " ends now", func(w *indextest.World) { side.pick(w).EndedAt = now }, side.reason},
			{side.name + " ends next", func(w *indextest.World) { side.pick(w).EndedAt = now.Add(1) }, access.ReasonAllowed},
			{side.name + " joins now", func(w *indextest.World) { side.pick(w).JoinedFrom = now }, access.ReasonAllowed},
			{side.name + " joins later", func(w *indextest.World) { side.pick(w).JoinedFrom = now.Add(1) }, side.reason},
			{side.name + " without dates", func(w *indextest.World) {
				side.pick(w).JoinedFrom, side.pick(w).EndedAt = time.Time{}, time.Time{}
			}, access.ReasonAllowed},
			{side.name + " claimed twice", func(w *indextest.World) {
				w.Others = append(w.Others, indextest.Organization("twin", 21, side.pick(w).OID))
			}, side.reason},
			{side.name + " through a main joiner", through(func(*index.Organization) {}), access.ReasonAllowed},
			{side.name + "'s main joiner unknown", through(func(j *index.Organization) { j.OID = "1.2.99" }), side.reason},
			{side.name + "'s main joiner ended", through(func(j *index.Organization) { j.EndedAt = now }), side.reason},
			{side.name + "'s main joiner to join", through(func(j *index.Organization) { j.JoinedFrom = now.Add(1) }), side.reason},
			{side.name + "'s main joiner not accepted", through(func(j *index.Organization) { j.Accepted = false }), side.reason},
			{side.name + "'s main joiner itself joint", through(func(j *index.Organization) { j.MainJoiner = indextest.OrganizerOID }), side.reason},
			{side.name + " its own main joiner", func(w *indextest.World) { side.pick(w).MainJoiner = side.pick(w).OID }, side.reason},
		}...)
	}
	run(t, cases)
}

func TestDecide_Organizer(t *testing.T) {
	organizer := func(change func(w *indextest.World)) func(w *indextest.World) {
		return func(w *indextest.World) { change(w.AsOrganizer()) }
	}
	run(t, []decisionCase{
		{"in order", organizer(func(w *indextest.World) {}), access.ReasonAllowed},
		{"needs no grant, unit or relationship", organizer(func(w *indextest.World) {
			w.Grants, w.Units, w.Relationships = nil, nil, nil
		}), access.ReasonAllowed},
		{"certificate not listed", organizer(func(w *indextest.World) { w.Registry.Credentials = nil }), access.ReasonCredentialNotListed},
		{"a unit's certificate", organizer(func(w *indextest.World) {
			w.Request.Caller.Fingerprint = indextest.Fingerprint(2)
		}), access.ReasonCredentialNotListed},
		{"no certificate against an empty line", organizer(func(w *indextest.World) {
			w.Request.Caller.Fingerprint = access.Fingerprint{}
			w.Registry.Credentials = []index.Credential{indextest.Credential(0)}
		}), access.ReasonCredentialNotListed},
		{"superseded, still accepted", organizer(func(w *indextest.World) { w.Registry.Credentials[0].AcceptUntil = now.Add(1) }), access.ReasonAllowed},
		{"superseded, no longer accepted", organizer(func(w *indextest.World) { w.Registry.Credentials[0].AcceptUntil = now }), access.ReasonCredentialSuperseded},
		{"expires now", organizer(func(w *indextest.World) { w.Registry.Credentials[0].NotAfter = now }), access.ReasonCredentialExpired},
		{"no expiry", organizer(func(w *indextest.World) { w.Registry.Credentials[0].NotAfter = time.Time{} }), access.ReasonCredentialExpired},
		{"starts now", organizer(func(w *indextest.World) { w.Registry.Credentials[0].NotBefore = now }), access.ReasonAllowed},
		{"starts later", organizer(func(w *indextest.World) { w.Registry.Credentials[0].NotBefore = now.Add(1) }), access.ReasonCredentialNotYetValid},
		{"no professional", organizer(func(w *indextest.World) { w.Request.Professional = false }), access.ReasonProfessionalMissing},
		{"unknown operation", organizer(func(w *indextest.World) { w.Request.Operation = 0 }), access.ReasonExtentInsufficient},
		{"operation out of range", organizer(func(w *indextest.World) { w.Request.Operation = 255 }), access.ReasonExtentInsufficient},
		{"no document", organizer(func(w *indextest.World) { w.Request.Document = nil }), access.ReasonDocumentMissing},
		{"document of another registry", organizer(func(w *indextest.World) { w.Request.Document.Registry = "1.2.3" }), access.ReasonDocumentOtherRegistry},
		{"document of another client", organizer(func(w *indextest.World) { w.Request.Document.Client = indextest.Client(2) }), access.ReasonDocumentOtherClient},
		{"document without a client named", organizer(func(w *indextest.World) { w.Request.Client = access.ClientID{} }), access.ReasonAllowed},
		{"any unit's document, any task", organizer(func(w *indextest.World) {
			w.Request.Operation, w.Request.ServiceTask = access.Annul, "anything"
			w.Request.Document.ServiceTasks = nil
		}), access.ReasonAllowed},
	})
}

// inTest makes the registry one of a deployment test that the unit accepts, while it does not accept the organizer.
func inTest(change func(*indextest.World)) func(*indextest.World) {
	return func(w *indextest.World) {
		starts := now.Add(-time.Minute)
		w.Registry.Test = index.Test{Registry: "1.2.246.1", Unit: indextest.UnitOID, StartsAt: starts, ClosesAt: now.Add(time.Minute)}
		w.Units[0].AcceptFrom, w.Units[0].AcceptTests = nil, []index.AcceptedTest{{
			Registry: "1.2.246.1", Own: w.Registry.OID, StartsAt: starts, ClosesAt: now.Add(time.Minute),
		}}
		change(w)
	}
}

func TestDecide_Unit(t *testing.T) {
	run(t, []decisionCase{
		{"unknown", func(w *indextest.World) { w.Units = nil }, access.ReasonUnitUnknown},
		{"not accepted", func(w *indextest.World) { w.Units[0].Accepted = false }, access.ReasonUnitUnknown},
		{"being deleted", func(w *indextest.World) { w.Units[0].Deleting = true }, access.ReasonUnitUnknown},
		{"two accepted ones claim the OID", func(w *indextest.World) {
			other := indextest.Unit()
			other.UID, other.Key.Name = indextest.UID(9), "twin"
			w.Units = append(w.Units, other)
		}, access.ReasonUnitUnknown},
		{"one that is not accepted claims the OID", func(w *indextest.World) {
			other := indextest.Unit()
			other.UID, other.Key.Name, other.Accepted = indextest.UID(9), "twin", false
			w.Units = append(w.Units, other)
		}, access.ReasonAllowed},
		{"withdrawn", func(w *indextest.World) { w.Units[0].AcceptFrom = []string{"1.2.3"} }, access.ReasonUnitWithdrawn},
		{"accepts nobody", func(w *indextest.World) { w.Units[0].AcceptFrom = nil }, access.ReasonUnitWithdrawn},
		{"in a test that it accepts", inTest(func(*indextest.World) {}), access.ReasonAllowed},
		{"in a test that it does not accept", inTest(func(w *indextest.World) { w.Units[0].AcceptTests = nil }), access.ReasonUnitWithdrawn},
		{"in a test of another time", inTest(func(w *indextest.World) { w.Units[0].AcceptTests[0].StartsAt = now }), access.ReasonUnitWithdrawn},
		{"in a test for another registry", inTest(func(w *indextest.World) { w.Units[0].AcceptTests[0].Registry = "1.2.3" }), access.ReasonUnitWithdrawn},
		{"in another test of the registry", inTest(func(w *indextest.World) { w.Units[0].AcceptTests[0].Own = "2.25.2" }), access.ReasonUnitWithdrawn},
		{"in a test that takes longer", inTest(func(w *indextest.World) {
			w.Registry.Test.ClosesAt = w.Registry.Test.ClosesAt.Add(time.Second)
		}), access.ReasonUnitWithdrawn},
		{"in a test that takes less long", inTest(func(w *indextest.World) {
			w.Registry.Test.ClosesAt = w.Registry.Test.ClosesAt.Add(-time.Second)
		}), access.ReasonAllowed},
		{"in another unit's test", inTest(func(w *indextest.World) { w.Registry.Test.Unit = "1.2.3" }), access.ReasonUnitWithdrawn},
		{"in a test, accepting the organizer", inTest(func(w *indextest.World) {
			w.Units[0].AcceptTests, w.Units[0].AcceptFrom = nil, []string{indextest.OrganizerOID}
		}), access.ReasonUnitWithdrawn},
		{"in a simulated test", inTest(func(w *indextest.World) { w.Units[0].AcceptTests, w.Registry.Test.Simulated = nil, true }), access.ReasonAllowed},
		{"in another unit's simulated test", inTest(func(w *indextest.World) { w.Registry.Test.Unit, w.Registry.Test.Simulated = "1.2.3", true }), access.ReasonUnitWithdrawn},
		{"in a test that closes now", inTest(func(w *indextest.World) { w.Registry.Test.ClosesAt = now }), access.ReasonRegistryNotAccepted},
		{"the organizer in a test that closes now", inTest(func(w *indextest.World) { w.AsOrganizer().Registry.Test.ClosesAt = now }), access.ReasonRegistryNotAccepted},
		{"the organizer in a test", inTest(func(w *indextest.World) { w.AsOrganizer() }), access.ReasonAllowed},
		{"that accepts a test, elsewhere", inTest(func(w *indextest.World) { w.Registry.Test = index.Test{} }), access.ReasonUnitWithdrawn},
		{"organizer's system gone", func(w *indextest.World) { w.Registry.ClientSystem = "gone" }, access.ReasonSystemNotValid},
		{"organizer names no system", func(w *indextest.World) { w.Registry.ClientSystem = "" }, access.ReasonSystemNotValid},
		{"organizer's system expires now", func(w *indextest.World) { w.OrganizerSystem.ValidUntil = now }, access.ReasonSystemNotValid},
		{"organizer's system valid later", func(w *indextest.World) { w.OrganizerSystem.ValidFrom = now.Add(1) }, access.ReasonSystemNotValid},
		{"unit's system gone", func(w *indextest.World) { w.Units[0].ClientSystem = "gone" }, access.ReasonSystemNotValid},
		{"unit's system being deleted", func(w *indextest.World) { w.UnitSystem.Deleting = true }, access.ReasonSystemNotValid},
		{"unit's system expires now", func(w *indextest.World) { w.UnitSystem.ValidUntil = now }, access.ReasonSystemNotValid},
		{"unit's system without dates", func(w *indextest.World) {
			w.UnitSystem.ValidFrom, w.UnitSystem.ValidUntil = time.Time{}, time.Time{}
		}, access.ReasonAllowed},
		{"no professional", func(w *indextest.World) { w.Request.Professional = false }, access.ReasonProfessionalMissing},
	})
}

func TestDecide_Grant(t *testing.T) {
	run(t, []decisionCase{
		{"missing", func(w *indextest.World) { w.Grants = nil }, access.ReasonGrantMissing},
		{"being deleted", func(w *indextest.World) { w.Grants[0].Deleting = true }, access.ReasonGrantMissing},
		{"for another registry", func(w *indextest.World) { w.Grants[0].RegistryName = "other" }, access.ReasonGrantMissing},
		{"in another namespace", func(w *indextest.World) { w.Grants[0].Key.Namespace = "hoiva" }, access.ReasonGrantMissing},
		{"for another unit", func(w *indextest.World) { w.Grants[0].Unit = "1.2.3" }, access.ReasonGrantMissing},
		{"suspended", func(w *indextest.World) { w.Grants[0].Suspended = true }, access.ReasonGrantSuspended},
		{"not ready", func(w *indextest.World) { w.Grants[0].Ready = false }, access.ReasonGrantNotReady},
		{"ends now", func(w *indextest.World) { w.Grants[0].ValidUntil = now }, access.ReasonGrantExpired},
		{"ended and not ready", func(w *indextest.World) { w.Grants[0].ValidUntil, w.Grants[0].Ready = now, false }, access.ReasonGrantExpired},
		{"starts now", func(w *indextest.World) { w.Grants[0].ValidFrom = now }, access.ReasonAllowed},
		{"starts later", func(w *indextest.World) { w.Grants[0].ValidFrom = now.Add(1) }, access.ReasonGrantNotYetValid},
		{"starts later and not ready", func(w *indextest.World) { w.Grants[0].ValidFrom, w.Grants[0].Ready = now.Add(1), false }, access.ReasonGrantNotReady},
		{"open-ended", func(w *indextest.World) { w.Grants[0].ValidFrom, w.Grants[0].ValidUntil = time.Time{}, time.Time{} }, access.ReasonAllowed},
		{"certificate not listed", func(w *indextest.World) { w.Grants[0].Credentials = nil }, access.ReasonCredentialNotListed},
		{"the organizer's certificate", func(w *indextest.World) { w.Request.Caller.Fingerprint = indextest.Fingerprint(1) }, access.ReasonCredentialNotListed},
		{"certificate superseded", func(w *indextest.World) { w.Grants[0].Credentials[0].AcceptUntil = now }, access.ReasonCredentialSuperseded},
		{"certificate expired", func(w *indextest.World) { w.Grants[0].Credentials[0].NotAfter = now }, access.ReasonCredentialExpired},
		{"lost right is told before the certificate", func(w *indextest.World) {
			w.Grants[0].Suspended, w.Grants[0].Credentials = true, nil
		}, access.ReasonGrantSuspended},
		{"a second grant serves", func(w *indextest.World) {
			second := indextest.Grant()
			second.UID, second.Key.Name = indextest.UID(9), "second"
			w.Grants[0].Suspended = true
			w.Grants = append(w.Grants, second)
		}, access.ReasonAllowed},
		{"a second grant serves, told first", func(w *indextest.World) {
			second := indextest.Grant()
			second.UID, second.Key.Name, second.Suspended = indextest.UID(9), "second", true
			w.Grants = append(w.Grants, second)
		}, access.ReasonAllowed},
		{"of two that fail, the nearer is told", func(w *indextest.World) {
			second := indextest.Grant()
			second.UID, second.Key.Name, second.Ready = indextest.UID(9), "second", false
			w.Grants[0].Suspended = true
			w.Grants = append(w.Grants, second)
		}, access.ReasonGrantNotReady},
	})
}

func TestDecide_Relationship(t *testing.T) {
	another := func(change func(r *index.Relationship)) func(w *indextest.World) {
		return func(w *indextest.World) {
			second := indextest.Relationship()
			second.UID, second.Key.Name = indextest.UID(9), "c2"
			change(&second)
			w.Relationships = append(w.Relationships, second)
		}
	}
	with := func(first func(r *index.Relationship), second func(r *index.Relationship)) func(w *indextest.World) {
		return func(w *indextest.World) {
			first(&w.Relationships[0])
			another(second)(w)
		}
	}
	ended := func(r *index.Relationship) { r.End = now }
	future := func(r *index.Relationship) { r.Start = now.Add(1) }
	unaccepted := func(r *index.Relationship) { r.Accepted = false }
	live := func(*index.Relationship) {}
	run(t, []decisionCase{
		{"missing", func(w *indextest.World) { w.Relationships = nil }, access.ReasonNoRelationship},
		{"of another client", func(w *indextest.World) { w.Relationships[0].Client = indextest.Client(2) }, access.ReasonNoRelationship},
		{"of another unit", func(w *indextest.World) { w.Relationships[0].Unit = "1.2.3" }, access.ReasonNoRelationship},
		{"of another registry", func(w *indextest.World) { w.Relationships[0].RegistryName = "other" }, access.ReasonNoRelationship},
		{"in another namespace", func(w *indextest.World) { w.Relationships[0].Key.Namespace = "hoiva" }, access.ReasonNoRelationship},
		{"being deleted", func(w *indextest.World) { w.Relationships[0].Deleting = true }, access.ReasonNoRelationship},
		{"not accepted", func(w *indextest.World) { unaccepted(&w.Relationships[0]) }, access.ReasonRelationshipNotAccepted},
		{"starts now", func(w *indextest.World) { w.Relationships[0].Start = now }, access.ReasonAllowed},
		{"starts later", func(w *indextest.World) { future(&w.Relationships[0]) }, access.ReasonRelationshipNotStarted},
		{"ends next", func(w *indextest.World) { w.Relationships[0].End = now.Add(1) }, access.ReasonAllowed},
		{"ends now", func(w *indextest.World) { ended(&w.Relationships[0]) }, access.ReasonRelationshipEnded},
		{"ended before the acceptance is renewed", func(w *indextest.World) {
			ended(&w.Relationships[0])
			unaccepted(&w.Relationships[0])
		}, access.ReasonRelationshipEnded},
		{"open-ended", func(w *indextest.World) { w.Relationships[0].End = time.Time{} }, access.ReasonAllowed},
		{"ends in the year 9999", func(w *indextest.World) { w.Relationships[0].End = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) }, access.ReasonAllowed},
		{"ended before counting began", func(w *indextest.World) { w.Relationships[0].End = time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC) }, access.ReasonRelationshipEnded},
		{"another one is live", with(ended, live), access.ReasonAllowed},
		{"another one is not live", another(ended), access.ReasonAllowed},
		{"to start tells more than ended", with(ended, future), access.ReasonRelationshipNotStarted},
		{"to start tells more than ended, told first", with(future, ended), access.ReasonRelationshipNotStarted},
		{"ended tells more than not accepted", with(unaccepted, ended), access.ReasonRelationshipEnded},
		{"no client named", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document, w.Request.Client = access.Search, nil, access.ClientID{}
		}, access.ReasonClientMissing},
		{"no client named, against one without a client", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document, w.Request.Client = access.Search, nil, access.ClientID{}
			w.Relationships[0].Client = access.ClientID{}
		}, access.ReasonClientMissing},
		{"an identity code of nobody looks like one of a stranger", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document, w.Request.Client = access.FindClient, nil, access.ClientID{}
		}, access.ReasonNoRelationship},
		{"neither document nor client", func(w *indextest.World) {
			w.Request.Document, w.Request.Client = nil, access.ClientID{}
		}, access.ReasonDocumentMissing},
	})
}

func TestDecide_Tasks(t *testing.T) {
	store := func(change func(w *indextest.World)) func(w *indextest.World) {
		return func(w *indextest.World) {
			w.Request.Operation, w.Request.Document = access.Store, nil
			change(w)
		}
	}
	version := func(change func(w *indextest.World)) func(w *indextest.World) {
		return func(w *indextest.World) {
			w.Request.Operation = access.NewVersion
			change(w)
		}
	}
	run(t, []decisionCase{
		{"named task outside the relationship", func(w *indextest.World) { w.Request.ServiceTask = indextest.BoughtTask }, access.ReasonTaskNotCovered},
		{"named task outside the agreement", func(w *indextest.World) { w.Request.ServiceTask = indextest.OtherTask }, access.ReasonTaskNotCovered},
		{"named task never heard of", func(w *indextest.World) { w.Request.ServiceTask = "x" }, access.ReasonTaskNotCovered},
		{"no task named", func(w *indextest.World) { w.Request.ServiceTask = "" }, access.ReasonAllowed},
		{"agreement restricts nothing", func(w *indextest.World) {
			w.Grants[0].Tasks = nil
			w.Request.ServiceTask = indextest.OtherTask
		}, access.ReasonAllowed},
		{"agreement and relationship have nothing in common", func(w *indextest.World) {
			w.Grants[0].Tasks = []string{indextest.BoughtTask}
			w.Request.Operation, w.Request.Document, w.Request.ServiceTask = access.Search, nil, ""
		}, access.ReasonTaskNotCovered},
		{"relationship without tasks", func(w *indextest.World) {
			w.Relationships[0].Tasks = nil
			w.Request.Operation, w.Request.Document, w.Request.ServiceTask = access.FindClient, nil, ""
		}, access.ReasonTaskNotCovered},
		{"document of another task", func(w *indextest.World) { w.Request.Document.ServiceTasks = []string{indextest.OtherTask} }, access.ReasonTaskNotCovered},
		{"document of no task", func(w *indextest.World) { w.Request.Document.ServiceTasks = nil }, access.ReasonTaskNotCovered},
		{"document of several tasks, one covered", func(w *indextest.World) {
			w.Request.Document.ServiceTasks = []string{indextest.OtherTask, indextest.Task}
		}, access.ReasonAllowed},
		{"tasks of two live relationships", func(w *indextest.World) {
			second := indextest.Relationship()
			second.UID, second.Key.Name, second.Tasks = indextest.UID(9), "c2", []string{indextest.BoughtTask}
			w.Relationships = append(w.Relationships, second)
			w.Request.ServiceTask = ""
			w.Request.Document.ServiceTasks = []string{indextest.BoughtTask}
		}, access.ReasonAllowed},
		{"tasks of one that ended do not count", func(w *indextest.World) {
			second := indextest.Relationship()
			second.UID, second.Key.Name, second.Tasks, second.End = indextest.UID(9), "c2", []string{indextest.BoughtTask}, now
			w.Relationships = append(w.Relationships, second)
			w.Request.ServiceTask = indextest.BoughtTask
		}, access.ReasonTaskNotCovered},
		{"store in the named task", store(func(w *indextest.World) {}), access.ReasonAllowed},
		{"store in the document's task", store(func(w *indextest.World) {
			w.Request.ServiceTask, w.Request.IncomingTasks = "", []string{indextest.Task}
		}), access.ReasonAllowed},
		{"store in no task", store(func(w *indextest.World) { w.Request.ServiceTask = "" }), access.ReasonTaskNotCovered},
		{"store in one task too many", store(func(w *indextest.World) {
			w.Request.IncomingTasks = []string{indextest.Task, indextest.OtherTask}
		}), access.ReasonTaskNotCovered},
		{"new version keeps its tasks", version(func(w *indextest.World) {
			w.Request.Document.ServiceTasks = []string{indextest.Task, indextest.OtherTask}
			w.Request.IncomingTasks = []string{indextest.Task, indextest.OtherTask}
		}), access.ReasonAllowed},
		{"new version moves to another task", version(func(w *indextest.World) {
			w.Request.IncomingTasks = []string{indextest.OtherTask}
		}), access.ReasonTaskNotCovered},
	})
}

func TestDecide_Documents(t *testing.T) {
	run(t, []decisionCase{
		{"missing", func(w *indextest.World) { w.Request.Document = nil }, access.ReasonDocumentMissing},
		{"of another registry", func(w *indextest.World) { w.Request.Document.Registry = "1.2.3" }, access.ReasonDocumentOtherRegistry},
		{"of another client", func(w *indextest.World) { w.Request.Document.Client = indextest.Client(2) }, access.ReasonDocumentOtherClient},
		{"old client data", func(w *indextest.World) { w.Request.Document.Old = true }, access.ReasonOldClientData},
		{"old client data, extended", func(w *indextest.World) {
			w.Request.Document.Old, w.Grants[0].Extent, w.Request.Operation = true, access.Extended, access.Correct
		}, access.ReasonOldClientData},
		{"old client data after the end tells no more", func(w *indextest.World) {
			w.Request.Document.Old, w.Relationships[0].End = true, now
		}, access.ReasonOldClientData},
		{"old client data, organizer", func(w *indextest.World) { w.AsOrganizer().Request.Document.Old = true }, access.ReasonAllowed},
		{"storing old client data", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document, w.Request.IncomingOldData = access.Store, nil, true
		}, access.ReasonExtentInsufficient},
		{"storing old client data, extended", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document, w.Request.IncomingOldData = access.Store, nil, true
			w.Grants[0].Extent = access.Extended
		}, access.ReasonExtentInsufficient},
		{"storing old client data, organizer", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document, w.Request.IncomingOldData = access.Store, nil, true
			w.AsOrganizer()
		}, access.ReasonAllowed},
		{"of another unit, read", func(w *indextest.World) { w.Request.Document.AuthorUnit = "1.2.3" }, access.ReasonAllowed},
		{"of another unit, new version", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document.AuthorUnit = access.NewVersion, "1.2.3"
		}, access.ReasonNotOwnDocument},
		{"of the organizer, new version", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document.AuthorUnit = access.NewVersion, ""
		}, access.ReasonNotOwnDocument},
		{"of another unit, new version, extended", func(w *indextest.World) {
			w.Request.Operation, w.Request.Document.AuthorUnit = access.NewVersion, "1.2.3"
			w.Grants[0].Extent = access.Extended
		}, access.ReasonAllowed},
	})
}

func TestDecide_TheAgreementDecidesTheRegistry(t *testing.T) {
	bringing := func(operation access.Operation, buys access.Bought, sector access.CareSector) func(w *indextest.World) {
		return func(w *indextest.World) {
			w.Request.Operation, w.Request.IncomingTasks, w.Request.IncomingSector = operation, []string{indextest.Task}, sector
			w.Grants[0].Buys, w.Grants[0].Extent = buys, access.Extended
			if operation == access.Store {
				w.Request.Document = nil
			}
		}
	}
	const both = access.BuysSocial | access.BuysHealth
	for _, operation := range []access.Operation{access.Store, access.NewVersion, access.Correct} {
		t.Run(operation.String(), func(t *testing.T) {
			run(t, []decisionCase{
				{"nothing said, social", bringing(operation, 0, access.SocialCare), access.ReasonAllowed},
				{"nothing said, health", bringing(operation, 0, access.HealthCare), access.ReasonAllowed},
				{"social only, health", bringing(operation, access.BuysSocial, access.HealthCare), access.ReasonAllowed},
				{"both, social", bringing(operation, both, access.SocialCare), access.ReasonAllowed},
				{"both, health", bringing(operation, both, access.HealthCare), access.ReasonPatientData},
				{"health only, health", bringing(operation, access.BuysHealth, access.HealthCare), access.ReasonSocialCareNotBought},
				{"health only, social", bringing(operation, access.BuysHealth, access.SocialCare), access.ReasonSocialCareNotBought},
				{"the organizer's rests on no agreement", func(w *indextest.World) {
					bringing(operation, both, access.HealthCare)(w)
					w.AsOrganizer()
				}, access.ReasonAllowed},
			})
		})
	}
	run(t, []decisionCase{
		{"both, reading", func(w *indextest.World) { w.Grants[0].Buys = both }, access.ReasonAllowed},
		{"health only, reading", func(w *indextest.World) { w.Grants[0].Buys = access.BuysHealth }, access.ReasonSocialCareNotBought},
		{"told before what the controller says of it", func(w *indextest.World) {
			w.Grants[0].Buys, w.Grants[0].Ready = access.BuysHealth, false
		}, access.ReasonSocialCareNotBought},
	})
}

func TestDecide_OperationTable(t *testing.T) {
	const none, basic, extended, organizer = 0, 1, 2, 4
	for operation, who := range map[access.Operation]int{
		0:                         none,
		access.FindClient:         basic | extended | organizer,
		access.RegisterClient:     organizer,
		access.Search:             basic | extended | organizer,
		access.Read:               basic | extended | organizer,
		access.Store:              basic | extended | organizer,
		access.NewVersion:         basic | extended | organizer,
		access.Annul:              extended | organizer,
		access.Correct:            extended | organizer,
		access.ManageMatter:       extended | organizer,
		access.ManageRelationship: extended | organizer,
		access.Summary:            basic | extended | organizer,
		access.Supervise:          organizer,
		200:                       none,
	} {
		t.Run(operation.String(), func(t *testing.T) {
			g := NewWithT(t)
			for caller, change := range map[int]func(w *indextest.World){
				none:      func(w *indextest.World) { w.Grants[0].Extent = 0 },
				basic:     func(w *indextest.World) {},
				extended:  func(w *indextest.World) { w.Grants[0].Extent = access.Extended },
				organizer: func(w *indextest.World) { w.AsOrganizer() },
			} {
				w := indextest.New()
				change(w)
				w.Request.Operation = operation
				want := access.ReasonExtentInsufficient
				if who&caller != 0 {
					want = access.ReasonAllowed
				}
				g.Expect(w.Decide().Reason.Code()).To(Equal(want.Code()), "caller %d", caller)
			}
		})
	}
}

func TestDecide_Facts(t *testing.T) {
	g := NewWithT(t)
	ref := func(uid byte) access.Ref { return access.Ref{UID: indextest.UID(uid), Revision: 100 + uint64(uid)} }

	w := indextest.New()
	d := w.Decide()
	g.Expect(d.Tasks.Codes()).To(ConsistOf(indextest.Task), "relationship and agreement have only this in common")
	g.Expect(d.Tasks.All()).To(BeFalse())
	g.Expect(d.RestsOn).To(Equal(access.RestsOn{Registry: ref(1), Grant: ref(2), Relationship: ref(3), Unit: ref(4)}))
	g.Expect(d.ViewAge).To(Equal(time.Second))

	d = indextest.New().AsOrganizer().Decide()
	g.Expect(d.Tasks.All()).To(BeTrue())
	g.Expect(d.RestsOn).To(Equal(access.RestsOn{Registry: ref(1)}))

	w = indextest.New()
	w.Grants[0].Ready, w.Grants[0].NotReadyReason = false, "DeploymentTestMissing"
	g.Expect(w.Decide().Detail).To(Equal("DeploymentTestMissing"))

	w = indextest.New()
	w.ProvenAt = now.Add(time.Millisecond)
	g.Expect(w.Decide().ViewAge).To(BeZero())

	times := []struct {
		give          func(w *indextest.World)
		starts, ended time.Time
	}{
		{func(w *indextest.World) { w.Relationships[0].Start = now.Add(day) }, now.Add(day), time.Time{}},
		{func(w *indextest.World) { w.Relationships[0].End = now.Add(-day) }, time.Time{}, now.Add(-day)},
		{func(w *indextest.World) { w.Grants[0].ValidFrom = now.Add(day) }, now.Add(day), time.Time{}},
		{func(w *indextest.World) { w.Grants[0].ValidUntil = now.Add(-day) }, time.Time{}, now.Add(-day)},
		{func(w *indextest.World) { w.Grants[0].Credentials[0].NotAfter = now }, time.Time{}, now},
		{func(w *indextest.World) { w.Grants[0].Credentials[0].AcceptUntil = now }, time.Time{}, now},
		{func(w *indextest.World) { w.Grants[0].Credentials[0].NotBefore = now.Add(day) }, now.Add(day), time.Time{}},
		{func(w *indextest.World) { w.Producer.EndedAt = now }, time.Time{}, now},
		{func(w *indextest.World) { w.Producer.JoinedFrom = now.Add(day) }, now.Add(day), time.Time{}},
		{func(w *indextest.World) { w.UnitSystem.ValidUntil = now }, time.Time{}, now},
		{func(w *indextest.World) {}, time.Time{}, time.Time{}},
	}
	for i, c := range times {
		w := indextest.New()
		c.give(w)
		d := w.Decide()
		g.Expect(d.StartsAt.Equal(c.starts)).To(BeTrue(), "case %d: starts at %s", i, d.StartsAt)
		g.Expect(d.EndedAt.Equal(c.ended)).To(BeTrue(), "case %d: ended at %s", i, d.EndedAt)
	}
}

// The use log should name the relationship that the request is about, not just any live one.
func TestDecide_RestsOnTheRelationshipThatServes(t *testing.T) {
	for _, served := range []string{indextest.Task, indextest.BoughtTask} {
		g := NewWithT(t)
		w := indextest.New()
		second := indextest.Relationship()
		second.UID, second.Key.Name, second.Tasks = indextest.UID(9), "c2", []string{indextest.BoughtTask}
		w.Relationships = append(w.Relationships, second)
		w.Request.ServiceTask = served
		w.Request.Document.ServiceTasks = []string{served}
		want := indextest.UID(3)
		if served == indextest.BoughtTask {
			want = indextest.UID(9)
		}
		g.Expect(w.Decide().RestsOn.Relationship.UID).To(Equal(want))
	}
}

// Documents under a non-disclosure are masked unless the registry says, in so many words, that units see them.
func TestDecide_ShowsNonDisclosure(t *testing.T) {
	for name, c := range map[string]struct {
		give func(w *indextest.World)
		want bool
	}{
		"unit, nothing said":      {func(*indextest.World) {}, false},
		"unit, shown":             {func(w *indextest.World) { w.Registry.ShowNonDisclosure = true }, true},
		"organizer, nothing said": {func(w *indextest.World) { w.AsOrganizer() }, true},
		"unit, refused": {func(w *indextest.World) {
			w.Registry.ShowNonDisclosure = true
			w.Relationships[0].End = now
		}, false},
		"organizer, refused": {func(w *indextest.World) { w.AsOrganizer().Registry.Credentials = nil }, false},
		"unknown registry":   {func(w *indextest.World) { w.Registry.ShowNonDisclosure, w.Request.Registry = true, "1.2.3" }, false},
		"registry not accepted": {func(w *indextest.World) {
			w.Registry.ShowNonDisclosure, w.Registry.Accepted = true, false
		}, false},
		"two registries, one shown": {func(w *indextest.World) {
			rival := w.Registry
			rival.UID, rival.Key.Name, rival.ShowNonDisclosure = indextest.UID(40), "rival", true
			w.Registries = append(w.Registries, rival)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := indextest.New()
			c.give(w)
			NewWithT(t).Expect(w.Decide().ShowsNonDisclosure).To(Equal(c.want))
		})
	}
}
