// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Plan is what it depends on whether a test can be run at the time that the organizer proposes. A nil pointer means that
// the object was looked for and not found.
type Plan struct {
	Now  time.Time
	Test *v1alpha1.DeploymentTest
	// Registry is the one that the combination is wanted for.
	Registry *v1alpha1.Registry
	// RegistryDetail tells why it is not accepted; empty where it is.
	RegistryDetail string
	Unit           *v1alpha1.ProducerUnit
	// UnitDetail tells why it is not accepted; empty where it is.
	UnitDetail string
	// Organizer and Producer are the systems to be tested.
	Organizer, Producer *v1alpha1.ClientSystem
	// Others are the tests of the namespace; the test itself may be among them.
	Others []*v1alpha1.DeploymentTest
	// Image tells that there is an image to simulate with.
	Image bool
}

// Answer tells whether a test can be run, and else who has to do what.
type Answer struct {
	// OK tells that nothing is missing.
	OK bool
	// Reason and Message tell what is missing.
	Reason, Message string
	// Refused tells that the test itself has to be changed.
	Refused bool
}

// Schedule looks for the first thing that is missing. The window is the one that the organizer proposes, or the one that
// is open.
func Schedule(p *Plan, window *v1alpha1.TestWindow) Answer {
	answer := prerequisites(p, window)
	if !p.Now.Before(window.ClosesAt.Time) {
		message := fmt.Sprintf("The window from %s to %s has passed and the test was not run. The organizer must set another spec.run.startsAt, which the unit must accept.",
			instant(window.OpensAt.Time), instant(window.ClosesAt.Time))
		if !answer.OK {
			message += " Besides: " + answer.Message
		}
		return Answer{Reason: v1alpha1.TestWindowPastReason, Message: message, Refused: true}
	}
	return answer
}

func prerequisites(p *Plan, window *v1alpha1.TestWindow) Answer {
	return first(p, window, registryFits, systemsKnown, unitFits, systemsUsed, systemsFit, formatsMeet, noOverlap, imageKnown, timeAccepted)
}

// Interrupted tells whether an open window must be closed because of what it rests on: one of the parties, or its
// system, is not what it was when the window opened.
func Interrupted(p *Plan, window *v1alpha1.TestWindow) Answer {
	return first(p, window, registryFits, systemsKnown, unitFits, systemsUsed, systemsFit, formatsMeet, timeAccepted)
}

func first(p *Plan, window *v1alpha1.TestWindow, checks ...func(*Plan, *v1alpha1.TestWindow) Answer) Answer {
	for _, check := range checks {
		if answer := check(p, window); !answer.OK {
			return answer
		}
	}
	return ok()
}

func ok() Answer { return Answer{OK: true} }

func waits(reason, format string, args ...any) Answer {
	return Answer{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func refuses(reason, format string, args ...any) Answer {
	return Answer{Reason: reason, Message: fmt.Sprintf(format, args...), Refused: true}
}

func registryFits(p *Plan, _ *v1alpha1.TestWindow) Answer {
	switch name := p.Test.Spec.Run.Registry.Name; {
	case p.Registry == nil:
		return waits(v1alpha1.TestRegistryUnfitReason, "There is no Registry named %s in this namespace: the organizer must make it.", name)
	case IsTestRegistry(p.Registry.Spec.OID):
		return refuses(v1alpha1.TestRegistryUnfitReason, "Registry %s is itself one of a deployment test. The organizer must name the registry that the combination is wanted for.", name)
	case p.RegistryDetail != "":
		return waits(v1alpha1.TestRegistryUnfitReason, "Registry %s is not accepted. %s", name, p.RegistryDetail)
	}
	return ok()
}

func systemsKnown(p *Plan, _ *v1alpha1.TestWindow) Answer {
	for _, s := range sides(p) {
		if s.system == nil {
			return waits(v1alpha1.TestSystemUnknownReason, "There is no ClientSystem named %s: the platform must record it.", s.name)
		}
	}
	return ok()
}

func unitFits(p *Plan, _ *v1alpha1.TestWindow) Answer {
	run := p.Test.Spec.Run
	switch {
	case p.Unit == nil:
		return waits(v1alpha1.TestUnitUnfitReason, "No ProducerUnit with OID %s is known. The producer must make it, or the organizer must name another unit in another test.", run.ProducerUnit)
	case p.UnitDetail != "":
		return waits(v1alpha1.TestUnitUnfitReason, "Unit %s is not accepted. %s", run.ProducerUnit, p.UnitDetail)
	case !slices.Contains(p.Unit.Spec.ServiceTasks, run.ServiceTask):
		return waits(v1alpha1.TestUnitUnfitReason, "Unit %s is not registered for service task %s. The producer must register it, or the organizer must make another test, for another task.", run.ProducerUnit, run.ServiceTask)
	}
	return ok()
}

func systemsUsed(p *Plan, _ *v1alpha1.TestWindow) Answer {
	if used := p.Registry.Spec.ClientSystem; used != p.Test.Spec.Systems.Organizer {
		return refuses(v1alpha1.TestSystemDiffersReason, "Registry %s uses ClientSystem %s, and the test is of %s. The organizer must make a test of the system that it uses.",
			p.Registry.Name, used, p.Test.Spec.Systems.Organizer)
	}
	if used := p.Unit.Spec.ClientSystem; used != p.Test.Spec.Systems.Producer {
		return refuses(v1alpha1.TestSystemDiffersReason, "Unit %s uses ClientSystem %s, and the test is of %s. The organizer must make a test of the system that the unit uses.",
			p.Unit.Spec.OID, used, p.Test.Spec.Systems.Producer)
	}
	return ok()
}

// side is one of the two parties with its system.
type side struct {
	party  string
	name   v1alpha1.ObjectName
	system *v1alpha1.ClientSystem
}

func sides(p *Plan) []side {
	return []side{
		{"organizer", p.Test.Spec.Systems.Organizer, p.Organizer},
		{"producer", p.Test.Spec.Systems.Producer, p.Producer},
	}
}

// systemsFit asks for what the test's steps need, now and until the window's end.
func systemsFit(p *Plan, window *v1alpha1.TestWindow) Answer {
	for _, s := range sides(p) {
		spec := s.system.Spec
		switch {
		case !strings.HasPrefix(string(spec.Certificate.Class), "A"):
			return waits(v1alpha1.TestSystemUnfitReason, "ClientSystem %s of the %s is not certified in class A. Its vendor must have it certified.", s.name, s.party)
		case !slices.Contains(spec.Features, v1alpha1.FeatureRegisterAccess):
			return waits(v1alpha1.TestSystemUnfitReason, "ClientSystem %s of the %s lacks the feature %s. Its vendor must have it certified.", s.name, s.party, v1alpha1.FeatureRegisterAccess)
		case spec.Certificate.ValidFrom.After(window.OpensAt.Time):
			return waits(v1alpha1.TestSystemUnfitReason, "The certificate of ClientSystem %s of the %s is valid from %s, after the window opens. The organizer must choose a later time.",
				s.name, s.party, instant(spec.Certificate.ValidFrom.Time))
		case spec.Certificate.ValidUntil.Before(&window.ClosesAt):
			return waits(v1alpha1.TestSystemUnfitReason, "The certificate of ClientSystem %s of the %s ends at %s, before the window closes. Its vendor must renew it, or the organizer must choose an earlier time.",
				s.name, s.party, instant(spec.Certificate.ValidUntil.Time))
		}
	}
	return ok()
}

func formatsMeet(p *Plan, _ *v1alpha1.TestWindow) Answer {
	for _, format := range p.Organizer.Spec.Formats {
		if slices.Contains(p.Producer.Spec.Formats, format) {
			return ok()
		}
	}
	return waits(v1alpha1.TestSystemUnfitReason, "ClientSystem %s of the organizer and ClientSystem %s of the producer share no document format: one of the vendors must add one.",
		p.Test.Spec.Systems.Organizer, p.Test.Spec.Systems.Producer)
}

func noOverlap(p *Plan, window *v1alpha1.TestWindow) Answer {
	for _, other := range p.Others {
		if !rivals(p.Test, other, p.Now) || !overlap(window, windowOf(other)) {
			continue
		}
		if held(other) && !held(p.Test) || held(other) == held(p.Test) && older(other, p.Test) {
			return refuses(v1alpha1.TestOverlapReason, "DeploymentTest %s of the same registry and unit has the time from %s to %s. The organizer must call it off or choose another time.",
				other.Name, instant(windowOf(other).OpensAt.Time), instant(windowOf(other).ClosesAt.Time))
		}
	}
	return ok()
}

// rivals tells whether another test may stand in the way: it is of the same pair and has not ended.
func rivals(test, other *v1alpha1.DeploymentTest, now time.Time) bool {
	return other.UID != test.UID && Runs(other) && !Ended(other) && other.DeletionTimestamp == nil && other.Spec.Cancellation == nil &&
		other.Spec.Run.Registry == test.Spec.Run.Registry && other.Spec.Run.ProducerUnit == test.Spec.Run.ProducerUnit &&
		now.Before(windowOf(other).ClosesAt.Time)
}

// windowOf is the window that is open, or else the proposed one.
func windowOf(test *v1alpha1.DeploymentTest) *v1alpha1.TestWindow {
	if held(test) && test.Status.Window != nil {
		return test.Status.Window
	}
	window := Proposed(test.Spec.Run)
	return &window
}

// held tells whether a test has its time.
func held(test *v1alpha1.DeploymentTest) bool {
	switch test.Status.State {
	case v1alpha1.TestScheduled, v1alpha1.TestOpen, v1alpha1.TestClosing:
		return true
	default:
		return false
	}
}

// Ended tells whether a test has come to its end.
func Ended(test *v1alpha1.DeploymentTest) bool {
	switch test.Status.State {
	case v1alpha1.TestPassed, v1alpha1.TestFailed, v1alpha1.TestCanceled:
		return true
	default:
		return false
	}
}

// Destroyed tells whether the archive has said that nothing is left in the test's registry.
func Destroyed(test *v1alpha1.DeploymentTest) bool {
	o := test.Status.Observation
	return o != nil && o.RegistryOID == test.Status.RegistryOID && o.Destruction != nil
}

// older orders tests; creation has whole seconds, so names break ties.
func older(a, b *v1alpha1.DeploymentTest) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Name < b.Name
}

func imageKnown(p *Plan, _ *v1alpha1.TestWindow) Answer {
	if p.Test.Spec.Mode == v1alpha1.ModeSimulated && !p.Image {
		return waits(v1alpha1.TestImageUnknownReason, "The manager was not told with which image to simulate: the platform must start it with --archive-image.")
	}
	return ok()
}

func timeAccepted(p *Plan, window *v1alpha1.TestWindow) Answer {
	if accepts(p, window) {
		return ok()
	}
	return waits(v1alpha1.TestNotAcceptedReason, "Unit %s has not accepted the time. The producer must add {registryOID: %s, testRegistryOID: %s, startsAt: %q, closesAt: %q} to spec.acceptTests of its ProducerUnit.",
		p.Unit.Spec.OID, p.Registry.Spec.OID, RegistryOID(p.Test.UID), instant(window.OpensAt.Time), instant(window.ClosesAt.Time))
}

func accepts(p *Plan, window *v1alpha1.TestWindow) bool {
	return Accepts(p.Unit, RegistryOID(p.Test.UID), &v1alpha1.RegistryTest{
		Mode: p.Test.Spec.Mode, RegistryOID: p.Registry.Spec.OID, StartsAt: window.OpensAt, ClosesAt: window.ClosesAt,
	})
}

// AcceptsExtension tells whether the unit accepts that an open window closes as late as the organizer asks.
func AcceptsExtension(p *Plan, window *v1alpha1.TestWindow) bool {
	asked := p.Test.Spec.Run.Extension
	if asked == nil || p.Unit == nil || p.Registry == nil {
		return false
	}
	extended := *window
	extended.ClosesAt = asked.Until
	return accepts(p, &extended)
}

// CertifiedUntil is when the first of two systems' certificates ends; zero where one is not known.
func CertifiedUntil(a, b *v1alpha1.ClientSystem) time.Time {
	if a == nil || b == nil {
		return time.Time{}
	}
	if a.Spec.Certificate.ValidUntil.Before(&b.Spec.Certificate.ValidUntil) {
		return a.Spec.Certificate.ValidUntil.Time
	}
	return b.Spec.Certificate.ValidUntil.Time
}
