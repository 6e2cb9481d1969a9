// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/deploymenttest"
)

func (r *DeploymentTestReconciler) updateStatus(s *testScope) {
	set := conditions.For(s.test, s.now)
	reported, note := s.reported()
	s.test.Status.Reported = reported
	if recorded := s.test.Spec.Recorded; recorded != nil {
		r.updateRecorded(s, set, note)
		return
	}
	text := func(parts ...string) string { return sentences(append([]string{s.mark()}, parts...)...) }
	window, unproven := s.test.Status.Window, s.unproven()
	switch s.test.Status.State {
	case v1alpha1.TestScheduled:
		set.Waiting(v1alpha1.TestScheduledReason, text(fmt.Sprintf("Both parties have accepted the time: the window opens at %s and closes at %s.", rfc3339(window.OpensAt), rfc3339(window.ClosesAt)), note))
	case v1alpha1.TestOpen:
		set.Waiting(v1alpha1.TestOpenReason, text(s.progress(), s.stuck(), s.unlisted(), s.simulation.Message, s.note, note))
	case v1alpha1.TestClosing:
		set.Waiting(v1alpha1.TestClosingReason, text("The window has closed.", window.Message, "What is waited for: "+strings.Join(s.awaits, "; ")+".", note))
	case v1alpha1.TestPassed:
		set.Ready(v1alpha1.TestPassedReason, text(fmt.Sprintf("All steps were seen by %s.", rfc3339(*s.test.Status.PassedAt)), reportText(reported), unproven, s.unreported, note))
	case v1alpha1.TestFailed:
		set.Ready(v1alpha1.TestFailedReason, text("The test failed: it opens nothing.", windowMessage(window), s.firstFailure(), s.unlisted(), unproven, s.unreported, note))
	case v1alpha1.TestCanceled:
		set.Ready(v1alpha1.TestCanceledReason, text("The test was called off: "+string(s.test.Spec.Cancellation.Reason)+".", unproven, note))
	default:
		if s.answer.Refused {
			set.Stalled(s.answer.Reason, text(s.answer.Message, note))
		} else if s.answer.Reason != "" {
			set.Waiting(s.answer.Reason, text(s.answer.Message, note))
		} else {
			set.Waiting(v1alpha1.ProgressingReason, text("What was made for the test is being deleted."))
		}
	}
}

func (r *DeploymentTestReconciler) updateRecorded(s *testScope, set conditions.Setter, note string) {
	recorded := s.test.Spec.Recorded
	switch {
	case s.unknown != "":
		set.Waiting(v1alpha1.TestSystemUnknownReason, "There is no ClientSystem named "+s.unknown+": the platform must record it.")
	case recorded.TestedAt.After(s.now):
		set.Waiting(v1alpha1.TestInFutureReason, "The recorded time of the test has not come yet.")
	case recorded.Result == v1alpha1.ResultFailed:
		set.Ready(v1alpha1.TestFailedReason, sentences("The test failed: it opens nothing. Record another test when the systems work together.", note))
	default:
		set.Ready(v1alpha1.TestPassedReason, sentences("The combination of systems has been tested, report "+string(recorded.ReportReference)+".", note))
	}
}

// mark tells everywhere that no party's own system takes part.
func (s *testScope) mark() string {
	if s.test.Spec.Mode == v1alpha1.ModeSimulated {
		return "A simulation, in which one program plays both parties."
	}
	return ""
}

// progress tells how far an open test has come, and who should do what.
func (s *testScope) progress() string {
	window := s.test.Status.Window
	if window.OpenedAt == nil {
		return fmt.Sprintf("The window is being opened; it closes at %s.", rfc3339(window.ClosesAt))
	}
	next := ""
	if step := s.judgement.Next(); step != nil {
		next = "Next: " + step.Message
	}
	return sentences(append([]string{
		fmt.Sprintf("The window is open until %s; %d of %d steps were seen.", rfc3339(window.ClosesAt), s.judgement.Seen(), len(s.judgement.Steps)), next,
	}, s.judgement.Notes...)...)
}

// stuck tells what a person must change before a party of an open test can have its credential.
func (s *testScope) stuck() string {
	var texts []string
	if s.registry != nil {
		texts = append(texts, stuckText("Registry", s.registry))
	}
	if s.grant != nil {
		texts = append(texts, stuckText("RegistryAccessGrant", s.grant))
	}
	return sentences(texts...)
}

func stuckText(kind string, o conditions.Object) string {
	stalled := conditions.Get(o, v1alpha1.StalledCondition)
	if stalled == nil {
		return ""
	}
	return fmt.Sprintf("%s %s is stalled: %s", kind, o.GetName(), stalled.Message)
}

// firstFailure is what the first step that failed says.
func (s *testScope) firstFailure() string {
	for i := range s.test.Status.Steps {
		if step := &s.test.Status.Steps[i]; step.State == v1alpha1.StepFailed {
			return sentences(append([]string{string(step.Name) + ": " + step.Message}, deploymenttest.Judge(s.events(), deploymenttest.TermsOf(s.test)).Notes...)...)
		}
	}
	return ""
}

// unlisted tells how many requests are not among the events.
func (s *testScope) unlisted() string {
	o := s.test.Status.Observation
	if o == nil || o.RegistryOID != s.test.Status.RegistryOID || ptr.Deref(o.Unlisted, 0) == 0 {
		return ""
	}
	return fmt.Sprintf("Requests that are not listed: %d, which said again what others had said, or came when %d were listed.", *o.Unlisted, len(o.Events))
}

// unproven tells, of a test that has ended after its window was open, that nobody knows whether its data is destroyed.
func (s *testScope) unproven() string {
	status := &s.test.Status
	if !deploymenttest.Ended(s.test) || status.Window == nil || status.Window.OpenedAt == nil || deploymenttest.Destroyed(s.test) {
		return ""
	}
	archive := "Its Archive"
	if status.ArchiveName != "" {
		archive = "Archive " + string(status.ArchiveName)
	}
	return archive + " could not be waited for: nobody has access to the test registry, but that its data is destroyed is not proven, and no report is signed until it is."
}

func windowMessage(window *v1alpha1.TestWindow) string {
	if window == nil {
		return ""
	}
	return window.Message
}

func reportText(reported *v1alpha1.TestReporting) string {
	if reported == nil {
		return "The organizer and the producer must give the report to Kela, and the organizer must set spec.reporting."
	}
	return "Kela has the report, reference " + string(reported.Reference) + "."
}

// tell makes an event of each change of state that a person may wait for.
func (r *DeploymentTestReconciler) tell(s *testScope) {
	before, after := s.before.Status.State, s.test.Status.State
	if before == after || s.test.Spec.Run == nil || after == "" {
		r.tellExtension(s)
		return
	}
	kind := corev1.EventTypeNormal
	if after == v1alpha1.TestFailed || after == v1alpha1.TestWaiting && before != "" {
		kind = corev1.EventTypeWarning
	}
	ready := conditions.Get(s.test, v1alpha1.ReadyCondition)
	r.events.Eventf(s.test, nil, kind, ready.Reason, "Test", "%s", ready.Message)
	if unproven := s.unproven(); unproven != "" {
		r.events.Eventf(s.test, nil, corev1.EventTypeWarning, v1alpha1.TestDestructionUnprovenReason, "Test", "%s", unproven)
	}
}

func (r *DeploymentTestReconciler) tellExtension(s *testScope) {
	before, after := s.before.Status.Window, s.test.Status.Window
	if before == nil || after == nil || len(before.Extensions) >= len(after.Extensions) {
		return
	}
	last := after.Extensions[len(after.Extensions)-1]
	r.events.Eventf(s.test, nil, corev1.EventTypeNormal, "TestExtended", "Test", "The window closes at %s: %s", rfc3339(last.Until), last.Reason)
}

func rfc3339(t metav1.Time) string { return t.UTC().Format(time.RFC3339) }
