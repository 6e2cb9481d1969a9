// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Tested are the systems as they are now; nil where one is not known.
func Tested(p *Plan) *v1alpha1.TestedSystems {
	if p.Organizer == nil || p.Producer == nil {
		return nil
	}
	of := func(o *v1alpha1.ClientSystem) v1alpha1.TestedSystem {
		return v1alpha1.TestedSystem{
			Name: v1alpha1.ObjectName(o.Name), Vendor: o.Spec.Vendor, Product: o.Spec.Product, Version: o.Spec.Version,
			Formats: slices.Sorted(slices.Values(o.Spec.Formats)),
		}
	}
	return &v1alpha1.TestedSystems{Organizer: of(p.Organizer), Producer: of(p.Producer)}
}

// TermsOf are what a test is judged by: what was agreed on, and the systems as they were when the window opened, whatever
// has become of them since.
func TermsOf(test *v1alpha1.DeploymentTest) *Terms {
	terms := &Terms{
		Unit: test.Spec.Run.ProducerUnit, ServiceTask: test.Spec.Run.ServiceTask,
		Organizer: System{Name: string(test.Spec.Systems.Organizer)}, Producer: System{Name: string(test.Spec.Systems.Producer)},
	}
	if systems := test.Status.Systems; systems != nil {
		terms.Organizer.Formats, terms.Producer.Formats = systems.Organizer.Formats, systems.Producer.Formats
	}
	if window := test.Status.Window; window != nil && window.ClosedAt != nil {
		terms.Until = window.ClosedAt.Time
	}
	return terms
}

// Found is what is found of a test whose window is open.
type Found struct {
	// Plan has the test, with its window, and what it rests on.
	Plan *Plan
	// Judgement is how far the steps have come.
	Judgement *Judgement
	// Conflict tells what stands where the test's registry or grant belongs; empty where nothing does.
	Conflict string
	// Whole tells that the test's registry and grant are there.
	Whole bool
	// Simulation is how the Job of a simulated test goes.
	Simulation Simulation
}

// Over tells whether the window is to be closed, and what took the test its ground, if that is why. What was taken from a
// test comes before what was seen in it: nobody can tell which of the two was first.
func Over(f *Found) (why string, over bool) {
	test := f.Plan.Test
	window := test.Status.Window
	switch {
	case f.Judgement.Broken != "": // the steps tell
		return "", true
	case test.DeletionTimestamp != nil:
		return "The test was deleted.", true
	case test.Spec.Cancellation != nil:
		return "The organizer called the test off: " + string(test.Spec.Cancellation.Reason) + ".", true
	case f.Conflict != "":
		return f.Conflict, true
	case !f.Whole:
		return "The test's registry or grant was deleted.", true
	}
	if answer := Interrupted(f.Plan, window); !answer.OK {
		return answer.Message, true
	}
	if !equality.Semantic.DeepEqual(Tested(f.Plan), test.Status.Systems) {
		return "One of the systems was changed during the test: what was tested is not what is used now.", true
	}
	if f.Judgement.Passed || !f.Plan.Now.Before(window.ClosesAt.Time) {
		return "", true
	}
	if f.Simulation.Failed { // nobody is left to play the steps that were not seen
		return f.Simulation.Message, true
	}
	return "", false
}

// Verdict gives what a test comes to whose window has closed. One that lost its ground in the window does not pass, also
// where the archive tells the last steps only after the close.
func Verdict(test *v1alpha1.DeploymentTest, judgement *Judgement) (v1alpha1.DeploymentTestState, v1alpha1.DeploymentTestResult) {
	switch {
	case judgement.Broken != "":
		return v1alpha1.TestFailed, v1alpha1.ResultFailed
	case judgement.Passed && test.Status.Window.Message == "":
		return v1alpha1.TestPassed, v1alpha1.ResultPassed
	case test.Spec.Cancellation != nil:
		return v1alpha1.TestCanceled, ""
	default:
		return v1alpha1.TestFailed, v1alpha1.ResultFailed
	}
}
