// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// found is what is found in the middle of a test that lacks nothing, half an hour after it opened.
func found(judgement *Judgement) *Found {
	plan := aPlan()
	plan.Now = now.Add(90 * time.Minute)
	status := &plan.Test.Status
	status.State, status.RegistryOID, status.Systems = v1alpha1.TestOpen, RegistryOID(testUID), Tested(plan)
	status.Window = ptr.To(Proposed(plan.Test.Spec.Run))
	status.Window.OpenedAt = ptr.To(in(time.Hour))
	return &Found{Plan: plan, Judgement: judgement, Whole: true}
}

// TestAnInterruptedTestDoesNotPass: each case takes something from a test, once before the steps are all seen, once when
// they are, and once with the last steps told only after the close.
func TestAnInterruptedTestDoesNotPass(t *testing.T) {
	failed, canceled := v1alpha1.TestFailed, v1alpha1.TestCanceled
	for name, c := range map[string]struct {
		take  func(f *Found)
		says  string // empty = nothing was taken
		comes v1alpha1.DeploymentTestState
	}{
		"nothing":             {func(*Found) {}, "", v1alpha1.TestPassed},
		"the test is deleted": {func(f *Found) { f.Plan.Test.DeletionTimestamp = ptr.To(in(0)) }, "deleted", failed},
		"the test is called off": {func(f *Found) { f.Plan.Test.Spec.Cancellation = &v1alpha1.TestCancellation{Reason: "a flood"} },
			"a flood", canceled},
		"another's registry":            {func(f *Found) { f.Conflict = "Registry first is not this test's." }, "not this test's", failed},
		"the grant is deleted":          {func(f *Found) { f.Whole = false }, "registry or grant was deleted", failed},
		"the registry":                  {func(f *Found) { f.Plan.Registry = nil }, "no Registry named", failed},
		"the registry is not accepted":  {func(f *Found) { f.Plan.RegistryDetail = "Not listed." }, "Not listed.", failed},
		"the unit":                      {func(f *Found) { f.Plan.Unit = nil }, "No ProducerUnit", failed},
		"the unit is not accepted":      {func(f *Found) { f.Plan.UnitDetail = "Not listed." }, "Not listed.", failed},
		"the unit's task":               {func(f *Found) { f.Plan.Unit.Spec.ServiceTasks = nil }, "not registered for service task", failed},
		"the unit's word":               {func(f *Found) { f.Plan.Unit.Spec.AcceptTests = nil }, "has not accepted the time", failed},
		"the unit's word on all of it":  {func(f *Found) { f.Plan.Unit.Spec.AcceptTests[0].ClosesAt = in(100 * time.Minute) }, "has not accepted the time", failed},
		"the unit's system":             {func(f *Found) { f.Plan.Unit.Spec.ClientSystem = "x" }, "uses ClientSystem x", failed},
		"the registry's system":         {func(f *Found) { f.Plan.Registry.Spec.ClientSystem = "x" }, "uses ClientSystem x", failed},
		"the organizer's system":        {func(f *Found) { f.Plan.Organizer = nil }, "no ClientSystem named area-system", failed},
		"a certificate's end":           {func(f *Found) { f.Plan.Producer.Spec.Certificate.ValidUntil = in(100 * time.Minute) }, "before the window closes", failed},
		"a certificate's class":         {func(f *Found) { f.Plan.Producer.Spec.Certificate.Class = "B" }, "class A", failed},
		"a feature":                     {func(f *Found) { f.Plan.Organizer.Spec.Features = nil }, "lacks the feature", failed},
		"a version":                     {func(f *Found) { f.Plan.Producer.Spec.Version = "1.1" }, "was changed during the test", failed},
		"a product":                     {func(f *Found) { f.Plan.Organizer.Spec.Product = "x" }, "was changed during the test", failed},
		"a format more":                 {func(f *Found) { f.Plan.Organizer.Spec.Formats = append(f.Plan.Organizer.Spec.Formats, xhtml) }, "was changed during the test", failed},
		"the time, but nothing besides": {func(f *Found) { f.Plan.Now = now.Add(2 * time.Hour) }, "", v1alpha1.TestPassed},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			for _, passed := range []bool{true, false} {
				f := found(&Judgement{Passed: passed})
				c.take(f)
				why, over := Over(f)
				g.Expect(over).To(Equal(passed || c.says != "" || name != "nothing"))
				if c.says == "" {
					g.Expect(why).To(BeEmpty())
				} else {
					g.Expect(why).To(ContainSubstring(c.says))
				}
				test := f.Plan.Test
				test.Status.Window.Message = why
				state, result := Verdict(test, &Judgement{Passed: true})
				g.Expect(state).To(Equal(c.comes))
				g.Expect(result == v1alpha1.ResultPassed).To(Equal(c.comes == v1alpha1.TestPassed))
				state, _ = Verdict(test, &Judgement{})
				g.Expect(state).To(BeElementOf(failed, canceled))
				state, result = Verdict(test, &Judgement{Broken: "one system played both parts"})
				g.Expect(state).To(Equal(failed), "what is broken cannot be called off")
				g.Expect(result).To(Equal(v1alpha1.ResultFailed))
			}
		})
	}
}

// What was called off after it had passed is passed: nothing was taken from it while it ran.
func TestACancellationAfterTheCloseTakesNothing(t *testing.T) {
	g := NewWithT(t)
	f := found(&Judgement{Passed: true})
	test := f.Plan.Test
	test.Spec.Cancellation = &v1alpha1.TestCancellation{Reason: "late"}
	state, result := Verdict(test, f.Judgement)
	g.Expect(state).To(Equal(v1alpha1.TestPassed))
	g.Expect(result).To(Equal(v1alpha1.ResultPassed))
	state, result = Verdict(test, &Judgement{})
	g.Expect(state).To(Equal(v1alpha1.TestCanceled))
	g.Expect(result).To(BeEmpty())
}

// TestATestIsJudgedByWhatItsSystemsDeclaredWhenItOpened: whatever a system declares later, the terms stay as they were.
func TestATestIsJudgedByWhatItsSystemsDeclaredWhenItOpened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		formats := rapid.SliceOfNDistinct(rapid.SampledFrom([]v1alpha1.DocumentFormat{json, xhtml}), 1, 2, rapid.ID[v1alpha1.DocumentFormat])
		plan := aPlan()
		plan.Organizer.Spec.Formats, plan.Producer.Spec.Formats = formats.Draw(t, "organizer"), formats.Draw(t, "producer")
		plan.Test.Status.Systems = Tested(plan)
		before := TermsOf(plan.Test)
		g.Expect(before.Organizer.Formats).To(ConsistOf(plan.Organizer.Spec.Formats))
		g.Expect(before.Producer.Formats).To(ConsistOf(plan.Producer.Spec.Formats))
		g.Expect(before.ServiceTask).To(Equal(plan.Test.Spec.Run.ServiceTask))
		plan.Organizer.Spec.Formats[0] = xhtml // in place, too
		plan.Organizer.Spec.Formats, plan.Producer = formats.Draw(t, "organizer later"), nil
		g.Expect(TermsOf(plan.Test)).To(Equal(before))
	})
	g := NewWithT(t)
	plan := aPlan()
	g.Expect(TermsOf(plan.Test).Organizer.Formats).To(BeEmpty(), "what was not written down declares nothing")
	plan.Organizer.Spec.Formats = []v1alpha1.DocumentFormat{xhtml, json}
	tested := Tested(plan)
	plan.Organizer.Spec.Formats = []v1alpha1.DocumentFormat{json, xhtml}
	g.Expect(Tested(plan)).To(Equal(tested), "another order is no change")
}

func TestTheUnitIsToldOfAnExtensionToAccept(t *testing.T) {
	g := NewWithT(t)
	f := found(&Judgement{})
	plan, test := f.Plan, f.Plan.Test
	g.Expect(Asked(test)).To(Equal(in(2 * time.Hour)))
	g.Expect(AcceptsExtension(plan, test.Status.Window)).To(BeFalse(), "nothing is asked")
	test.Spec.Run.Extension = &v1alpha1.TestExtension{Until: in(3 * time.Hour), Reason: "r"}
	g.Expect(Asked(test)).To(Equal(in(3 * time.Hour)))
	g.Expect(AcceptsExtension(plan, test.Status.Window)).To(BeFalse(), "what was accepted was shorter")
	g.Expect(test.Status.Window.ClosesAt).To(Equal(in(2 * time.Hour)))
	plan.Unit.Spec.AcceptTests[0].ClosesAt = Asked(test)
	g.Expect(AcceptsExtension(plan, test.Status.Window)).To(BeTrue())
	test.Spec.Mode = v1alpha1.ModeSimulated
	plan.Unit.Spec.AcceptTests = nil
	g.Expect(AcceptsExtension(plan, test.Status.Window)).To(BeTrue(), "nobody's own system takes part")
	plan.Unit = nil
	g.Expect(AcceptsExtension(plan, test.Status.Window)).To(BeFalse())

	test.Spec.Run.Extension.Until = in(90 * time.Minute)
	g.Expect(Asked(test)).To(Equal(in(2*time.Hour)), "an earlier end is no extension")
	test.Spec.Run.Extension.Until = in(3 * time.Hour)
	test.Status.Window.ClosedAt = ptr.To(in(2 * time.Hour))
	g.Expect(Asked(test)).To(Equal(in(2 * time.Hour)))
	test.Status.Window.ClosedAt, test.Status.Window.OpenedAt = nil, nil
	g.Expect(Asked(test)).To(Equal(in(2*time.Hour)), "only an open window is extended")
}
