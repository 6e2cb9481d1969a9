// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

const (
	registryOID = v1alpha1.OID("1.2.246.10.1.19.0")
	testUID     = types.UID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
)

func in(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(d)) }

func aSystem(name string) *v1alpha1.ClientSystem {
	return &v1alpha1.ClientSystem{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.ClientSystemSpec{
			Vendor: "Vendor", Product: v1alpha1.Reference(name), Version: "1.0",
			Certificate: v1alpha1.SystemCertificate{Class: "A2", Phase: 2, ValidFrom: in(-time.Hour), ValidUntil: in(240 * time.Hour)},
			Features:    []v1alpha1.SystemFeature{v1alpha1.FeatureRegisterAccess}, Formats: []v1alpha1.DocumentFormat{json},
		},
	}
}

func aTest(name string, uid types.UID) *v1alpha1.DeploymentTest {
	return &v1alpha1.DeploymentTest{
		ObjectMeta: metav1.ObjectMeta{Namespace: "area", Name: name, UID: uid, CreationTimestamp: in(-time.Hour)},
		Spec: v1alpha1.DeploymentTestSpec{
			Systems: v1alpha1.SystemCombination{Organizer: "area-system", Producer: "company-system"}, Mode: v1alpha1.ModeObserved,
			Run: &v1alpha1.TestRun{
				Registry: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: unitOID, ServiceTask: "elderly", StartsAt: in(time.Hour),
			},
		},
	}
}

func aRegistry() *v1alpha1.Registry {
	return &v1alpha1.Registry{
		ObjectMeta: metav1.ObjectMeta{Namespace: "area", Name: "clients"},
		Spec: v1alpha1.RegistrySpec{
			OID: registryOID, ControllerOID: registryOID, Organization: "1.2.246.10.1.10.0", ArchiveName: "archive",
			ClientSystem: "area-system", Purpose: v1alpha1.PurposeProduction,
		},
	}
}

// acceptance is the unit's word on the first test as it is proposed.
func acceptance() v1alpha1.TestAcceptance {
	return v1alpha1.TestAcceptance{
		RegistryOID: registryOID, TestRegistryOID: RegistryOID(testUID), StartsAt: in(time.Hour), ClosesAt: in(2 * time.Hour),
	}
}

// aPlan lacks nothing.
func aPlan() *Plan {
	test := aTest("first", testUID)
	return &Plan{
		Now: now, Test: test, Registry: aRegistry(), Organizer: aSystem("area-system"), Producer: aSystem("company-system"),
		Unit: &v1alpha1.ProducerUnit{Spec: v1alpha1.ProducerUnitSpec{
			OID: unitOID, ClientSystem: "company-system", ServiceTasks: []v1alpha1.ServiceTaskCode{"elderly"},
			AcceptTests: []v1alpha1.TestAcceptance{acceptance()},
		}},
		Others: []*v1alpha1.DeploymentTest{test},
	}
}

func TestWhatIsMissingBeforeATest(t *testing.T) {
	another := func(change func(*v1alpha1.DeploymentTest)) func(*Plan) {
		return func(p *Plan) {
			other := aTest("another", "another")
			other.CreationTimestamp = in(-2 * time.Hour)
			change(other)
			p.Others = append(p.Others, other)
		}
	}
	for name, test := range map[string]struct {
		change  func(*Plan)
		reason  string // empty = nothing is missing
		refused bool
		says    string
	}{
		"nothing":                  {func(*Plan) {}, "", false, ""},
		"no registry":              {func(p *Plan) { p.Registry = nil }, v1alpha1.TestRegistryUnfitReason, false, "clients"},
		"a registry not accepted":  {func(p *Plan) { p.RegistryDetail = "Another claims the OID." }, v1alpha1.TestRegistryUnfitReason, false, "Another claims the OID."},
		"a test's own registry":    {func(p *Plan) { p.Registry.Spec.OID = RegistryOID(testUID) }, v1alpha1.TestRegistryUnfitReason, true, "itself one of a deployment test"},
		"no organizer's system":    {func(p *Plan) { p.Organizer = nil }, v1alpha1.TestSystemUnknownReason, false, "area-system"},
		"no producer's system":     {func(p *Plan) { p.Producer = nil }, v1alpha1.TestSystemUnknownReason, false, "company-system"},
		"no unit":                  {func(p *Plan) { p.Unit = nil }, v1alpha1.TestUnitUnfitReason, false, string(unitOID)},
		"a unit not accepted":      {func(p *Plan) { p.UnitDetail = "Not listed." }, v1alpha1.TestUnitUnfitReason, false, "Not listed."},
		"a task not registered":    {func(p *Plan) { p.Test.Spec.Run.ServiceTask = "families" }, v1alpha1.TestUnitUnfitReason, false, "families"},
		"the registry's system":    {func(p *Plan) { p.Registry.Spec.ClientSystem = "x" }, v1alpha1.TestSystemDiffersReason, true, "uses ClientSystem x"},
		"the unit's system":        {func(p *Plan) { p.Unit.Spec.ClientSystem = "x" }, v1alpha1.TestSystemDiffersReason, true, "uses ClientSystem x"},
		"class B":                  {func(p *Plan) { p.Organizer.Spec.Certificate.Class = "B" }, v1alpha1.TestSystemUnfitReason, false, "of the organizer is not certified"},
		"a feature missing":        {func(p *Plan) { p.Producer.Spec.Features = nil }, v1alpha1.TestSystemUnfitReason, false, "of the producer lacks the feature RegisterAccess"},
		"certified after the open": {func(p *Plan) { p.Producer.Spec.Certificate.ValidFrom = in(61 * time.Minute) }, v1alpha1.TestSystemUnfitReason, false, "after the window opens"},
		"certificate ends in the window": {func(p *Plan) { p.Producer.Spec.Certificate.ValidUntil = in(119 * time.Minute) }, v1alpha1.TestSystemUnfitReason, false,
			"ends at 2026-03-02T10:59:00Z, before the window closes"},
		"certificate ends with the window":   {func(p *Plan) { p.Producer.Spec.Certificate.ValidUntil = in(2 * time.Hour) }, "", false, ""},
		"no common format":                   {func(p *Plan) { p.Producer.Spec.Formats = []v1alpha1.DocumentFormat{xhtml} }, v1alpha1.TestSystemUnfitReason, false, "share no document format"},
		"time not accepted":                  {func(p *Plan) { p.Unit.Spec.AcceptTests = nil }, v1alpha1.TestNotAcceptedReason, false, `{registryOID: 1.2.246.10.1.19.0, testRegistryOID: 2.25.329800735698586629295641978511506172918, startsAt: "2026-03-02T10:00:00Z", closesAt: "2026-03-02T11:00:00Z"}`},
		"another time accepted":              {func(p *Plan) { p.Unit.Spec.AcceptTests[0].StartsAt = in(2 * time.Hour) }, v1alpha1.TestNotAcceptedReason, false, ""},
		"accepted for another registry":      {func(p *Plan) { p.Unit.Spec.AcceptTests[0].RegistryOID = "1.2.3" }, v1alpha1.TestNotAcceptedReason, false, ""},
		"another test accepted":              {func(p *Plan) { p.Unit.Spec.AcceptTests[0].TestRegistryOID = "2.25.1" }, v1alpha1.TestNotAcceptedReason, false, ""},
		"accepted and then made again":       {func(p *Plan) { p.Test.UID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf7" }, v1alpha1.TestNotAcceptedReason, false, ""},
		"a shorter window accepted":          {func(p *Plan) { p.Unit.Spec.AcceptTests[0].ClosesAt = in(119 * time.Minute) }, v1alpha1.TestNotAcceptedReason, false, ""},
		"a longer window accepted":           {func(p *Plan) { p.Unit.Spec.AcceptTests[0].ClosesAt = in(3 * time.Hour) }, "", false, ""},
		"a window raised since":              {func(p *Plan) { p.Test.Spec.Run.WindowSeconds = ptr.To(int32(3601)) }, v1alpha1.TestNotAcceptedReason, false, `closesAt: "2026-03-02T11:00:01Z"`},
		"a window shortened since":           {func(p *Plan) { p.Test.Spec.Run.WindowSeconds = ptr.To(int32(1800)) }, "", false, ""},
		"a simulation needs no acceptance":   {func(p *Plan) { p.Unit.Spec.AcceptTests, p.Test.Spec.Mode, p.Image = nil, v1alpha1.ModeSimulated, true }, "", false, ""},
		"a simulation needs an image":        {func(p *Plan) { p.Test.Spec.Mode = v1alpha1.ModeSimulated }, v1alpha1.TestImageUnknownReason, false, "--archive-image"},
		"the window is now":                  {func(p *Plan) { p.Now = now.Add(90 * time.Minute) }, "", false, ""},
		"the window is past":                 {func(p *Plan) { p.Now = now.Add(2 * time.Hour) }, v1alpha1.TestWindowPastReason, true, "has passed and the test was not run"},
		"past, and never accepted":           {func(p *Plan) { p.Now, p.Unit.Spec.AcceptTests = now.Add(2*time.Hour), nil }, v1alpha1.TestWindowPastReason, true, "Besides: Unit "},
		"an older test at the same time":     {another(func(*v1alpha1.DeploymentTest) {}), v1alpha1.TestOverlapReason, true, "DeploymentTest another"},
		"a younger one":                      {another(func(o *v1alpha1.DeploymentTest) { o.CreationTimestamp = in(0) }), "", false, ""},
		"a younger one that has its time":    {another(func(o *v1alpha1.DeploymentTest) { o.CreationTimestamp, o.Status.State = in(0), v1alpha1.TestScheduled }), v1alpha1.TestOverlapReason, true, ""},
		"an older one after it":              {another(func(o *v1alpha1.DeploymentTest) { o.Spec.Run.StartsAt = in(2 * time.Hour) }), "", false, ""},
		"an older one that runs into it":     {another(func(o *v1alpha1.DeploymentTest) { o.Spec.Run.StartsAt = in(time.Minute) }), v1alpha1.TestOverlapReason, true, ""},
		"an older one that was called off":   {another(func(o *v1alpha1.DeploymentTest) { o.Spec.Cancellation = &v1alpha1.TestCancellation{Reason: "r"} }), "", false, ""},
		"an older one that has ended":        {another(func(o *v1alpha1.DeploymentTest) { o.Status.State = v1alpha1.TestFailed }), "", false, ""},
		"an older one of another unit":       {another(func(o *v1alpha1.DeploymentTest) { o.Spec.Run.ProducerUnit = "1.2.3" }), "", false, ""},
		"an older one of another registry":   {another(func(o *v1alpha1.DeploymentTest) { o.Spec.Run.Registry.Name = "x" }), "", false, ""},
		"an older one that is deleted":       {another(func(o *v1alpha1.DeploymentTest) { o.DeletionTimestamp = ptr.To(in(0)) }), "", false, ""},
		"an older one that is only recorded": {another(func(o *v1alpha1.DeploymentTest) { o.Spec.Mode, o.Spec.Run = v1alpha1.ModeRecorded, nil }), "", false, ""},
		"an older one whose window goes on": {another(func(o *v1alpha1.DeploymentTest) {
			o.Spec.Run.StartsAt, o.Status.State = in(-3*time.Hour), v1alpha1.TestOpen
			o.Status.Window = &v1alpha1.TestWindow{OpensAt: in(-3 * time.Hour), ClosesAt: in(90 * time.Minute)}
		}), v1alpha1.TestOverlapReason, true, "2026-03-02T10:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			plan := aPlan()
			test.change(plan)
			answer := Schedule(plan, ptr.To(Proposed(plan.Test.Spec.Run)))
			g.Expect(answer.Reason).To(Equal(test.reason), answer.Message)
			g.Expect(answer.OK).To(Equal(test.reason == ""))
			g.Expect(answer.Refused).To(Equal(test.refused))
			g.Expect(answer.Message).To(ContainSubstring(test.says))
			g.Expect(answer.Message).NotTo(ContainSubstring("%!"))
		})
	}
}

func TestOfTwoOverlappingTestsOneHasTheTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		var tests []*v1alpha1.DeploymentTest
		for i := range 3 {
			test := aTest(fmt.Sprint("t", i), types.UID(fmt.Sprint(i)))
			test.CreationTimestamp = in(-time.Duration(rapid.IntRange(0, 1).Draw(t, "age")) * time.Hour)
			tests = append(tests, test)
		}
		for range 12 { // each looks at the others in any order
			i := rapid.IntRange(0, 2).Draw(t, "who")
			for _, k := range []int{i, (i + 1) % 3, (i + 2) % 3} {
				plan := aPlan()
				plan.Test, plan.Others = tests[k], tests
				plan.Unit.Spec.AcceptTests[0].TestRegistryOID = RegistryOID(tests[k].UID)
				tests[k].Status.State = v1alpha1.TestWaiting
				if answer := Schedule(plan, ptr.To(Proposed(plan.Test.Spec.Run))); answer.OK {
					tests[k].Status.State = v1alpha1.TestScheduled
				}
			}
		}
		held := 0
		for _, test := range tests {
			if test.Status.State == v1alpha1.TestScheduled {
				held++
			}
		}
		g.Expect(held).To(Equal(1))
	})
}

func TestAnExtension(t *testing.T) {
	window := &v1alpha1.TestWindow{OpensAt: in(0), ClosesAt: in(time.Hour), OpenedAt: ptr.To(in(0))}
	extension := func(d time.Duration) *v1alpha1.TestExtension {
		return &v1alpha1.TestExtension{Until: in(d), Reason: "the archive was down"}
	}
	g := NewWithT(t)
	extended, message := Extend(window, extension(2*time.Hour), true, now.Add(240*time.Hour), now)
	g.Expect(message).To(BeEmpty())
	g.Expect(extended.ClosesAt).To(Equal(in(2 * time.Hour)))
	g.Expect(extended.Extensions).To(Equal([]v1alpha1.TestExtension{*extension(2 * time.Hour)}))
	again, message := Extend(extended, extension(2*time.Hour), false, now.Add(240*time.Hour), now.Add(3*time.Hour))
	g.Expect(message).To(BeEmpty(), "one that was taken into account stays so")
	g.Expect(again).To(BeIdenticalTo(extended))
	more, _ := Extend(extended, extension(3*time.Hour), true, time.Time{}, now)
	g.Expect(more.Extensions).To(HaveLen(2))
	g.Expect(extended.Extensions).To(HaveLen(1))

	full := extended.DeepCopy()
	for len(full.Extensions) < 16 {
		full.Extensions = append(full.Extensions, *extension(2 * time.Hour))
	}
	closed := window.DeepCopy()
	closed.ClosedAt = ptr.To(in(0))
	for says, refused := range map[string]struct {
		window *v1alpha1.TestWindow
		until  time.Duration
		at     time.Duration
	}{
		"the window had closed": {window, 2 * time.Hour, time.Hour},
		"make another test":     {closed, 2 * time.Hour, 0},
		"not earlier":           {window, time.Hour, 0},
		"seven days":            {window, 169 * time.Hour, 0},
		"certificate":           {window, 7*time.Hour + time.Second, 0},
		"the 17th":              {full, 5 * time.Hour, 0},
		"has not accepted it":   {window, 5 * time.Hour, 0},
	} {
		out, message := Extend(refused.window, extension(refused.until), says != "has not accepted it", now.Add(7*time.Hour), now.Add(refused.at))
		g.Expect(message).To(ContainSubstring(says))
		g.Expect(out).To(BeIdenticalTo(refused.window))
	}
	out, message := Extend(window, nil, false, now, now)
	g.Expect(out).To(BeIdenticalTo(window))
	g.Expect(message).To(BeEmpty())
}

// A clock that moves anyhow forward meets each reminder at most once, and the last one before the window always.
func TestReminders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		window := &v1alpha1.TestWindow{OpensAt: in(48 * time.Hour), ClosesAt: in(49 * time.Hour)}
		at := now.Add(time.Duration(rapid.Int64Range(0, int64(50*time.Hour)).Draw(t, "first")))
		told := map[time.Time]int{}
		for range rapid.IntRange(1, 10).Draw(t, "looks") {
			if due, ok := Reminder(window, at); ok {
				told[due]++
				g.Expect(due.After(at)).To(BeFalse())
				window.RemindedFor = ptr.To(metav1.NewTime(due))
			}
			if _, again := Reminder(window, at); again {
				t.Fatal("a second look at the same instant tells nothing")
			}
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Hour)).Draw(t, "later")))
		}
		for due, n := range told {
			g.Expect(n).To(Equal(1))
			g.Expect(due).To(BeElementOf(now.Add(24*time.Hour), now.Add(47*time.Hour)))
		}
	})
	g := NewWithT(t)
	window := &v1alpha1.TestWindow{OpensAt: in(30 * time.Minute), ClosesAt: in(time.Hour)}
	due, ok := Reminder(window, now)
	g.Expect(ok).To(BeTrue(), "one made shortly before its time is told of once")
	g.Expect(due).To(Equal(now.Add(-30 * time.Minute)))

	told := ptr.To(Proposed(aTest("t", testUID).Spec.Run))
	told.RemindedFor = ptr.To(in(0))
	run := aTest("t", testUID).Spec.Run
	g.Expect(Replan(told, run).RemindedFor).To(Equal(told.RemindedFor))
	run.StartsAt = in(2 * time.Hour)
	g.Expect(Replan(told, run).RemindedFor).To(BeNil(), "a new time is told of anew")
}

func TestTheRegistrysOIDIsTheTestsUID(t *testing.T) {
	g := NewWithT(t)
	// The example of ITU-T X.667, clause 7.
	g.Expect(RegistryOID(testUID)).To(Equal(v1alpha1.OID("2.25.329800735698586629295641978511506172918")))
	g.Expect(RegistryOID("no UUID")).To(BeEmpty())
	g.Expect(IsTestRegistry("2.25.1")).To(BeTrue())
	g.Expect(IsTestRegistry("2.251.1")).To(BeFalse())
	g.Expect(IsTestRegistry(registryOID)).To(BeFalse())
	_, isNumber := new(big.Int).SetString(string(RegistryOID(testUID))[len(arc):], 10)
	g.Expect(isNumber).To(BeTrue())
}

// open is a test whose window is open, with its registry.
func open() (*v1alpha1.DeploymentTest, *v1alpha1.Registry) {
	test := aTest("first", testUID)
	test.Status.State, test.Status.RegistryOID = v1alpha1.TestOpen, RegistryOID(testUID)
	test.Status.Window = &v1alpha1.TestWindow{OpensAt: in(0), ClosesAt: in(time.Hour), OpenedAt: ptr.To(in(0))}
	return test, Registry(test, aRegistry())
}

func TestOnlyTheTestsOwnRegistryIsBelieved(t *testing.T) {
	g := NewWithT(t)
	test, registry := open()
	bound, reason, message := Bind(registry, test, aRegistry())
	g.Expect(reason + message).To(BeEmpty())
	g.Expect(bound).To(Equal(&v1alpha1.RegistryTest{
		Mode: v1alpha1.ModeObserved, RegistryOID: registryOID, ProducerUnit: unitOID, StartsAt: in(0), ClosesAt: in(time.Hour),
	}))
	forged, closed := v1alpha1.TestRegistryForgedReason, v1alpha1.TestRegistryClosedReason
	for name, test := range map[string]struct {
		change func(*v1alpha1.DeploymentTest, *v1alpha1.Registry)
		reason string
	}{
		"no owner":                   {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.OwnerReferences = nil }, forged},
		"an owner that controls not": {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.OwnerReferences[0].Controller = nil }, forged},
		"another owner's UID":        {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.OwnerReferences[0].UID = "another" }, forged},
		"another kind of owner":      {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.OwnerReferences[0].Kind = "Registry" }, forged},
		"another group of owner":     {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.OwnerReferences[0].APIVersion = "x.io/v1" }, forged},
		"another name":               {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.Name = "second" }, forged},
		"another namespace":          {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.Namespace = "company" }, forged},
		"another OID under 2.25":     {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.Spec.OID = "2.25.1" }, forged},
		"for production":             {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.Spec.Purpose = v1alpha1.PurposeProduction }, forged},
		"another archive":            {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.Spec.ArchiveName = "x" }, forged},
		"another organization":       {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.Spec.Organization = "1.2.3" }, forged},
		"another system":             {func(_ *v1alpha1.DeploymentTest, r *v1alpha1.Registry) { r.Spec.ClientSystem = "x" }, forged},
		"a test that says another":   {func(o *v1alpha1.DeploymentTest, _ *v1alpha1.Registry) { o.Status.RegistryOID = "2.25.1" }, forged},
		"a test that says none":      {func(o *v1alpha1.DeploymentTest, _ *v1alpha1.Registry) { o.Status = v1alpha1.DeploymentTestStatus{} }, forged},
		"a recorded test": {func(o *v1alpha1.DeploymentTest, _ *v1alpha1.Registry) {
			o.Spec.Mode, o.Spec.Run = v1alpha1.ModeRecorded, nil
		}, forged},
		"a test that is scheduled":    {func(o *v1alpha1.DeploymentTest, _ *v1alpha1.Registry) { o.Status.State = v1alpha1.TestScheduled }, closed},
		"a window that has not begun": {func(o *v1alpha1.DeploymentTest, _ *v1alpha1.Registry) { o.Status.Window.OpenedAt = nil }, closed},
		"a window that has closed":    {func(o *v1alpha1.DeploymentTest, _ *v1alpha1.Registry) { o.Status.Window.ClosedAt = ptr.To(in(0)) }, closed},
		"a test that is called off": {func(o *v1alpha1.DeploymentTest, _ *v1alpha1.Registry) {
			o.Spec.Cancellation = &v1alpha1.TestCancellation{}
		}, closed},
		"a test that is deleted": {func(o *v1alpha1.DeploymentTest, _ *v1alpha1.Registry) { o.DeletionTimestamp = ptr.To(in(0)) }, closed},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			deploymentTest, registry := open()
			test.change(deploymentTest, registry)
			bound, reason, message := Bind(registry, deploymentTest, aRegistry())
			g.Expect(bound).To(BeNil())
			g.Expect(reason).To(Equal(test.reason))
			g.Expect(message).NotTo(BeEmpty())
		})
	}
	_, reason, _ = Bind(registry, nil, aRegistry())
	g.Expect(reason).To(Equal(forged))
	_, reason, _ = Bind(registry, test, nil)
	g.Expect(reason).To(Equal(forged), "the registry that it is for has gone")
}

func TestTheSimulationsPodIsRestrictedAndKnowsItsPlaces(t *testing.T) {
	g := NewWithT(t)
	test, _ := open()
	test.Spec.Simulation = &v1alpha1.TestSimulation{OrganizerCardSecretName: "card-a", ProducerCardSecretName: "card-b"}
	both := &v1alpha1.ClientSystem{Spec: v1alpha1.ClientSystemSpec{Formats: []v1alpha1.DocumentFormat{json}}}
	job := Job(&Plan{Test: test, Organizer: both, Producer: both}, "image:1", "https://archive:8443", 90*time.Second)
	g.Expect(job.Name).To(Equal("first-simulation"))
	g.Expect(*job.Spec.ActiveDeadlineSeconds).To(BeEquivalentTo(90))
	g.Expect(metav1.IsControlledBy(job, test)).To(BeTrue())
	pod := job.Spec.Template.Spec
	g.Expect(*pod.AutomountServiceAccountToken).To(BeFalse())
	g.Expect(*pod.SecurityContext.RunAsNonRoot).To(BeTrue())
	c := pod.Containers[0]
	g.Expect(*c.SecurityContext.AllowPrivilegeEscalation).To(BeFalse())
	g.Expect(*c.SecurityContext.ReadOnlyRootFilesystem).To(BeTrue())
	g.Expect(c.SecurityContext.Capabilities.Drop).To(ConsistOf(BeEquivalentTo("ALL")))
	g.Expect(c.Args).To(Equal([]string{
		"tests", "simulate",
		"--organizer-credential", "/etc/valtuus/organizer-credential", "--producer-credential", "/etc/valtuus/producer-credential",
		"--organizer-card", "/etc/valtuus/organizer-card", "--producer-card", "/etc/valtuus/producer-card",
		"--registry", string(RegistryOID(testUID)), "--unit", string(unitOID), "--service-task", "elderly", "--endpoint", "https://archive:8443",
		"--organizer-format", "application/json", "--producer-format", "application/json",
	}))
	secrets := map[string]string{}
	for _, v := range pod.Volumes {
		secrets[v.Name] = v.Secret.SecretName
	}
	g.Expect(secrets).To(Equal(map[string]string{
		"organizer-credential": "first-organizer", "producer-credential": "first-producer", "organizer-card": "card-a", "producer-card": "card-b",
	}))
}
