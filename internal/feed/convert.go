// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/relationship/naming"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/pki"
)

// The functions of this file turn API objects into the index's compact records.
// What cannot be understood is turned into its denying form: a credential that does
// not parse is left out, a client id that does not parse matches nobody.

func registry(o *v1alpha1.Registry, revision uint64, archiveName string) index.Registry {
	var producers, organizer time.Duration
	if s := o.Spec.Policies.Staleness; s != nil {
		producers, organizer = seconds(s.ProducersSeconds), seconds(s.OrganizerSeconds)
	}
	purpose := access.PurposeProduction
	if o.Spec.Purpose == v1alpha1.PurposeTest {
		purpose = access.PurposeTest
	}
	test, believed := testOf(o)
	return index.Registry{
		Key: key(o), UID: uid(o.UID), Revision: revision,
		OID: string(o.Spec.OID), Controller: string(o.Spec.ControllerOID), Organization: string(o.Spec.Organization), ClientSystem: string(o.Spec.ClientSystem),
		Purpose: purpose,
		// Another archive's registry is none of ours.
		Accepted:      believed && string(o.Spec.ArchiveName) == archiveName && accepted(o.Status.Conditions, v1alpha1.AcceptedCondition),
		Deleting:      deleting(o),
		ProducerBound: producers, OrganizerBound: organizer,
		ShowNonDisclosure: o.Spec.Policies.NonDisclosure == v1alpha1.NonDisclosureShow, // all else masks
		Credentials:       credentials(o.Status.Credentials),
		Test:              test,
	}
}

// testOf tells which deployment test a registry was made for, as the controller says. An OID that is kept for such
// registries is believed with that word only, and for synthetic clients only.
func testOf(o *v1alpha1.Registry) (test index.Test, believed bool) {
	told := o.Status.Test
	switch reserved := deploymenttest.IsTestRegistry(o.Spec.OID); {
	case told == nil && !reserved:
		return index.Test{}, true
	case told == nil || !reserved || o.Spec.Purpose != v1alpha1.PurposeTest:
		return index.Test{}, false
	}
	return index.Test{
		Registry: string(told.RegistryOID), Unit: string(told.ProducerUnit), Simulated: told.Mode == v1alpha1.ModeSimulated,
		StartsAt: told.StartsAt.UTC(), ClosesAt: told.ClosesAt.UTC(),
	}, true
}

// acceptedTests keeps instants in one zone: they are compared.
func acceptedTests(tests []v1alpha1.TestAcceptance) []index.AcceptedTest {
	var out []index.AcceptedTest
	for i := range tests {
		out = append(out, index.AcceptedTest{
			Registry: string(tests[i].RegistryOID), Own: string(tests[i].TestRegistryOID),
			StartsAt: tests[i].StartsAt.UTC(), ClosesAt: tests[i].ClosesAt.UTC(),
		})
	}
	return out
}

func grant(o *v1alpha1.RegistryAccessGrant, revision uint64) index.Grant {
	extent := access.Basic
	if o.Spec.Extent == v1alpha1.ExtentExtended {
		extent = access.Extended
	}
	out := index.Grant{
		Key: key(o), UID: uid(o.UID), Revision: revision,
		RegistryName: string(o.Spec.RegistryRef.Name), Unit: string(o.Spec.ProducerUnit), Extent: extent,
		Suspended: ptr.Deref(o.Spec.Suspend, false), Deleting: deleting(o),
		ValidUntil: instant(o.Status.ValidUntil), Credentials: credentials(o.Status.Credentials),
	}
	if agreement := o.Spec.Agreement; agreement != nil {
		out.ValidFrom = agreement.ValidFrom.Time
		out.ValidUntil = earlier(out.ValidUntil, instant(agreement.ValidUntil))
		out.Tasks, out.Buys = texts(agreement.ServiceTasks), bought(agreement.Buys)
	}
	ready := condition(o.Status.Conditions, v1alpha1.ReadyCondition)
	switch {
	case ready == nil || ready.ObservedGeneration != o.Generation:
		// The controller has not accepted what the grant says now.
		out.NotReadyReason = v1alpha1.ProgressingReason
	case ready.Status == metav1.ConditionTrue:
		out.Ready = true
	default:
		out.NotReadyReason = ready.Reason
	}
	return out
}

// bought gives what an agreement buys. A branch of care that this program does not know narrows as health care does.
func bought(sectors []v1alpha1.CareSector) (b access.Bought) {
	for _, sector := range sectors {
		switch sector {
		case v1alpha1.CareSectorSocial:
			b |= access.BuysSocial
		default:
			b |= access.BuysHealth
		}
	}
	return b
}

func relationship(o *v1alpha1.ServiceRelationship, revision uint64) index.Relationship {
	out := index.Relationship{
		Key: key(o), UID: uid(o.UID), Revision: revision,
		RegistryName: string(o.Spec.RegistryRef.Name), Unit: string(o.Spec.ProducerUnit),
		Tasks: texts(o.Spec.ServiceTasks), Start: o.Spec.Start.Time, End: instant(o.Spec.End),
		Document: index.DocumentID(naming.DocumentOf(o)), Deleting: deleting(o),
	}
	if client, err := uuid.Parse(o.Spec.ClientID); err == nil {
		out.Client = access.ClientID(client)
	}
	if c := condition(o.Status.Conditions, v1alpha1.AcceptedCondition); c != nil && c.Status == metav1.ConditionTrue {
		out.Accepted = true
		if c.ObservedGeneration != o.Generation {
			// Only the end can have changed. An earlier one counts at once, a later one when it is accepted.
			out.End = earlier(out.End, instant(o.Status.AcceptedEnd))
		}
	}
	return out
}

func unit(o *v1alpha1.ProducerUnit, revision uint64) index.Unit {
	return index.Unit{
		Key: key(o), UID: uid(o.UID), Revision: revision,
		OID: string(o.Spec.OID), Organization: string(o.Spec.Organization), ClientSystem: string(o.Spec.ClientSystem),
		AcceptFrom: texts(o.Spec.AcceptFrom), AcceptTests: acceptedTests(o.Spec.AcceptTests),
		Accepted: accepted(o.Status.Conditions, v1alpha1.AcceptedCondition),
		Deleting: deleting(o),
	}
}

func organization(o *v1alpha1.Organization, revision uint64) index.Organization {
	return index.Organization{
		Name: o.Name, UID: uid(o.UID), Revision: revision,
		OID: string(o.Spec.OID), Accepted: accepted(o.Status.Conditions, v1alpha1.ReadyCondition), Deleting: deleting(o),
		JoinedFrom: o.Spec.Joining.JoinedAt.Time, EndedAt: instant(o.Spec.Joining.EndedAt),
		MainJoiner: string(o.Spec.Joining.MainJoiner),
	}
}

func clientSystem(o *v1alpha1.ClientSystem, revision uint64) index.ClientSystem {
	return index.ClientSystem{
		Name: o.Name, UID: uid(o.UID), Revision: revision, Deleting: deleting(o),
		ValidFrom: o.Spec.Certificate.ValidFrom.Time, ValidUntil: o.Spec.Certificate.ValidUntil.Time,
	}
}

// credentials keeps what the archive may accept: a credential that is still being issued is not among it.
func credentials(ledger []v1alpha1.Credential) []index.Credential {
	var out []index.Credential
	for i := range ledger {
		entry := &ledger[i]
		fingerprint, err := pki.ParseFingerprint(entry.Fingerprint)
		if err != nil || entry.State == v1alpha1.CredentialIssuing {
			continue
		}
		c := index.Credential{Fingerprint: access.Fingerprint(fingerprint), NotBefore: entry.NotBefore.Time, NotAfter: entry.NotAfter.Time}
		if entry.State == v1alpha1.CredentialSuperseded {
			if c.AcceptUntil = instant(entry.AcceptUntil); c.AcceptUntil.IsZero() {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

func condition(conditions []metav1.Condition, conditionType string) *metav1.Condition {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return &conditions[i]
		}
	}
	return nil
}

// accepted takes the controller's word also while it has not yet looked at the newest generation: what
// the generation may have changed is either immutable or judged from the spec itself.
func accepted(conditions []metav1.Condition, conditionType string) bool {
	c := condition(conditions, conditionType)
	return c != nil && c.Status == metav1.ConditionTrue
}

func key(o metav1.Object) index.Key {
	return index.Key{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func uid(id types.UID) access.UID {
	parsed, err := uuid.Parse(string(id))
	if err != nil {
		return access.UID{}
	}
	return access.UID(parsed)
}

func deleting(o metav1.Object) bool { return o.GetDeletionTimestamp() != nil }

func instant(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// earlier returns the earlier of two instants of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func texts[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

// seconds is zero where nothing is said.
func seconds(value *int32) time.Duration {
	return time.Duration(ptr.Deref(value, 0)) * time.Second
}
