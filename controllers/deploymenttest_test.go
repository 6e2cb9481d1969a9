// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	apply "github.com/valtuus/valtuus/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testworld"
)

// run describes a test that is run in an hour, of the northern unit for the world's registry.
func (l *life) run(name string, mode v1alpha1.DeploymentTestMode) *v1alpha1.DeploymentTest {
	test := &v1alpha1.DeploymentTest{
		ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: name},
		Spec: v1alpha1.DeploymentTestSpec{
			Systems: l.Test().Spec.Systems, Mode: mode,
			Run: &v1alpha1.TestRun{
				Registry: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: l.North.Spec.OID, ServiceTask: testworld.Task, StartsAt: l.In(time.Hour),
			},
		},
	}
	if mode == v1alpha1.ModeSimulated {
		test.Spec.Simulation = &v1alpha1.TestSimulation{OrganizerCardSecretName: "card-organizer", ProducerCardSecretName: "card-producer"}
	}
	return test
}

// strangers makes the unit accept no organizer: what it can do then, it can by a deployment test.
func strangers(w *testworld.World) { w.North.Spec.AcceptFrom = nil }

// accept lets the northern unit accept a test, its time and its window, and nothing besides.
func (l *life) accept(ctx context.Context, test *v1alpha1.DeploymentTest) {
	GinkgoHelper()
	change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) {
		u.Spec.AcceptTests = []v1alpha1.TestAcceptance{l.Acceptance(test)}
	})
}

// opened makes a test, lets the unit accept it, and waits until its window is open and both parties have credentials.
func (l *life) opened(ctx context.Context, test *v1alpha1.DeploymentTest) *v1alpha1.DeploymentTest {
	GinkgoHelper()
	Expect(l.Create(ctx, test)).To(Succeed())
	if test.Spec.Mode == v1alpha1.ModeObserved {
		l.accept(ctx, test)
	}
	Eventually(seen(ctx, l, test)).Should(notBeReady(v1alpha1.TestScheduledReason))
	l.clock.SetTime(test.Spec.Run.StartsAt.Time)
	Eventually(seen(ctx, l, test)).Should(SatisfyAll(notBeReady(v1alpha1.TestOpenReason), HaveField("Status.Window.OpenedAt", Not(BeNil()))))
	Eventually(seen(ctx, l, testGrant(test))).Should(beReady(v1alpha1.GrantReadyReason))
	Eventually(seen(ctx, l, testRegistry(test))).Should(beReady(v1alpha1.SucceededReason))
	return must(seen(ctx, l, test)())
}

func testRegistry(test *v1alpha1.DeploymentTest) *v1alpha1.Registry {
	return &v1alpha1.Registry{ObjectMeta: metav1.ObjectMeta{Namespace: test.Namespace, Name: test.Name}}
}

func testGrant(test *v1alpha1.DeploymentTest) *v1alpha1.RegistryAccessGrant {
	return &v1alpha1.RegistryAccessGrant{ObjectMeta: metav1.ObjectMeta{Namespace: test.Namespace, Name: test.Name}}
}

// observer is the archive as far as a deployment test sees it: it writes what it saw, and nothing else.
type observer struct {
	client.Client
	life        *life
	test        *v1alpha1.DeploymentTest
	events      []*apply.TestEventApplyConfiguration
	destruction *apply.TestDestructionApplyConfiguration
}

// observer makes the archive's part, with the archive's rights.
func (l *life) observer(test *v1alpha1.DeploymentTest) *observer {
	GinkgoHelper()
	cfg, err := testworld.ArchiveConfig(env, l.Platform)
	Expect(err).NotTo(HaveOccurred())
	c, err := client.New(cfg, client.Options{Scheme: manager.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	// The API server takes a moment to know of rights that were just given.
	Eventually(func() error {
		return c.Status().Patch(context.Background(), test.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{}`)), client.DryRunAll)
	}).Should(Succeed())
	return &observer{Client: c, life: l, test: test}
}

// sees tells of requests in the test registry; party is "" for a certificate that is not of the test.
func (o *observer) sees(ctx context.Context, events ...*apply.TestEventApplyConfiguration) {
	GinkgoHelper()
	for _, e := range events {
		o.events = append(o.events, e.WithNumber(int32(len(o.events)+1)).WithAt(metav1.NewMicroTime(o.life.clock.Now())))
	}
	o.write(ctx)
}

// destroys tells that nothing is left.
func (o *observer) destroys(ctx context.Context) {
	GinkgoHelper()
	o.destruction = apply.TestDestruction().WithDestroyedAt(o.life.In(0)).WithDocuments(2).WithClients(1)
	o.write(ctx)
}

func (o *observer) write(ctx context.Context) {
	GinkgoHelper()
	observation := apply.TestObservation().
		WithRegistryOID(deploymenttest.RegistryOID(o.test.UID)).WithThrough(metav1.NewMicroTime(o.life.clock.Now())).WithEvents(o.events...)
	if o.destruction != nil {
		observation.WithDestruction(o.destruction)
	}
	said := apply.DeploymentTest(o.test.Name, o.test.Namespace).WithStatus(apply.DeploymentTestStatus().WithObservation(observation))
	Expect(o.Status().Apply(ctx, said, client.FieldOwner("valtuus-archive"), client.ForceOwnership)).To(Succeed())
}

// request is a request of a party with its own card.
func request(party v1alpha1.TestParty, operation v1alpha1.TestOperation) *apply.TestEventApplyConfiguration {
	card := strings.Repeat(string(party[0]), 43)
	e := apply.TestEvent().WithParty(party).WithOperation(operation).WithProfessional(card).WithCertificate(card).WithClient("c1")
	switch operation {
	case v1alpha1.OperationStoreRelationship:
		e.WithServiceTasks(testworld.Task)
	case v1alpha1.OperationEndRelationship:
	case v1alpha1.OperationSearch:
		e.WithCount(1)
	case v1alpha1.OperationStore, v1alpha1.OperationRead:
		e.WithFormat(v1alpha1.FormatJSON)
	case v1alpha1.OperationOther:
	}
	return e
}

// plays is what two systems that work together do.
func (l *life) plays() []*apply.TestEventApplyConfiguration {
	const o, p = v1alpha1.PartyOrganizer, v1alpha1.PartyProducer
	return []*apply.TestEventApplyConfiguration{
		request(o, v1alpha1.OperationStoreRelationship).WithUnit(l.North.Spec.OID),
		request(o, v1alpha1.OperationStore).WithDocument("d1"),
		request(p, v1alpha1.OperationSearch),
		request(p, v1alpha1.OperationRead).WithDocument("d1").WithStoredBy(o),
		request(p, v1alpha1.OperationStore).WithDocument("d2"),
		request(o, v1alpha1.OperationSearch),
		request(o, v1alpha1.OperationRead).WithDocument("d2").WithStoredBy(p),
		request(o, v1alpha1.OperationEndRelationship).WithUnit(l.North.Spec.OID),
		request(p, v1alpha1.OperationSearch).WithReason("relationship-ended"),
	}
}

// closes waits until a test whose window has closed has let go of everything.
func (l *life) closes(ctx context.Context, o *observer) {
	GinkgoHelper()
	Eventually(seen(ctx, l, o.test)).Should(HaveField("Status.Window.ClosedAt", Not(BeNil())))
	l.expectNobodyHas(ctx, o.test)
	o.destroys(ctx)
	l.lets(ctx, o.test)
}

// lets waits until the test's own registry and grant are gone.
func (l *life) lets(ctx context.Context, test *v1alpha1.DeploymentTest) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		l.pass(2 * time.Second) // no replica lives: the bound has to pass
		g.Expect(apierrors.IsNotFound(l.Get(ctx, keyOf(testGrant(test)), testGrant(test)))).To(BeTrue())
		g.Expect(apierrors.IsNotFound(l.Get(ctx, keyOf(testRegistry(test)), testRegistry(test)))).To(BeTrue())
	}).Should(Succeed())
}

// expectNobodyHas expects that no credential of a test is in a ledger or a Secret.
func (l *life) expectNobodyHas(ctx context.Context, test *v1alpha1.DeploymentTest) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		registry, grant := testRegistry(test), testGrant(test)
		secrets := l.testSecrets(ctx, test)
		switch err := l.Get(ctx, keyOf(registry), registry); {
		case apierrors.IsNotFound(err): // its Secret is left to the garbage collector, which does not run here
			delete(secrets, l.Organizer+"/"+deploymenttest.OrganizerSecret(test.Name))
		default:
			g.Expect(err).NotTo(HaveOccurred())
		}
		g.Expect(client.IgnoreNotFound(l.Get(ctx, keyOf(grant), grant))).To(Succeed())
		g.Expect(registry.Status.Credentials).To(BeEmpty())
		g.Expect(grant.Status.Credentials).To(BeEmpty())
		g.Expect(secrets).To(BeEmpty())
	}).Should(Succeed())
}

// testSecrets are the Secrets of credentials for a test's registry, by name.
func (l *life) testSecrets(ctx context.Context, test *v1alpha1.DeploymentTest) map[string]*corev1.Secret {
	GinkgoHelper()
	found := map[string]*corev1.Secret{}
	for _, namespace := range []string{l.Organizer, l.Producer} {
		var secrets corev1.SecretList
		Expect(l.List(ctx, &secrets, client.InNamespace(namespace))).To(Succeed())
		for i := range secrets.Items {
			if secret := &secrets.Items[i]; secret.Annotations["valtuus.io/registry-oid"] == string(deploymenttest.RegistryOID(test.UID)) {
				found[namespace+"/"+secret.Name] = secret
			}
		}
	}
	return found
}

func readyText(o *v1alpha1.DeploymentTest) string {
	for _, c := range o.Status.Conditions {
		if c.Type == v1alpha1.ReadyCondition {
			return c.Message
		}
	}
	return ""
}

func say(text string) OmegaMatcher {
	return WithTransform(readyText, ContainSubstring(text))
}

func be(state v1alpha1.DeploymentTestState) OmegaMatcher { return HaveField("Status.State", state) }

var _ = Describe("an observed deployment test", func() {
	It("goes from a blocked grant to an open one, and leaves nothing behind but its result", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.Registry.Spec.Policies.DeploymentTestProof = v1alpha1.ProofReported })
		Expect(l.Create(ctx, l.Relationship(l.North.Spec.OID))).To(Succeed())
		blocked := l.grant(l.North)
		Eventually(seen(ctx, l, blocked)).Should(notBeReady("DeploymentTestMissing"))
		test := l.run("pair", v1alpha1.ModeObserved)
		Expect(l.Create(ctx, test)).To(Succeed())
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestWaiting), notBeReady(v1alpha1.TestNotAcceptedReason), say("spec.acceptTests")))

		By("asking the unit, which cannot see the test")
		Eventually(seen(ctx, l, l.North)).Should(HaveField("Status.DeploymentTests", ConsistOf(SatisfyAll(
			HaveField("RegistryOID", l.Registry.Spec.OID), HaveField("TestRegistryOID", deploymenttest.RegistryOID(test.UID)),
			HaveField("State", v1alpha1.TestWaiting), HaveField("Message", ContainSubstring("spec.acceptTests")),
		))))
		l.accept(ctx, test)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestScheduled), notBeReady(v1alpha1.TestScheduledReason)))
		Eventually(seen(ctx, l, blocked)).Should(WithTransform(grantText, ContainSubstring("is scheduled for "+test.Spec.Run.StartsAt.UTC().Format(time.RFC3339))))
		Consistently(func() error { return l.Get(ctx, keyOf(test), testRegistry(test)) }, "300ms").Should(MatchError(apierrors.IsNotFound, "IsNotFound"))

		By("opening the window")
		l.clock.SetTime(test.Spec.Run.StartsAt.Time)
		Eventually(seen(ctx, l, testGrant(test))).Should(beReady(v1alpha1.GrantReadyReason))
		Eventually(seen(ctx, l, testRegistry(test))).Should(beReady(v1alpha1.SucceededReason))
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestOpen), say("0 of 8 steps"), say("The organizer must store"), HaveField("Status.Systems.Producer.Version", BeEquivalentTo("1.0"))))
		registry := must(seen(ctx, l, testRegistry(test))())
		Expect(registry.Spec.Purpose).To(Equal(v1alpha1.PurposeTest))
		Expect(registry.Spec.Policies.AutomaticGrants).To(Equal(v1alpha1.AutomaticGrantsDisabled))
		Expect(registry.Status.Test.StartsAt.Equal(&test.Spec.Run.StartsAt)).To(BeTrue())
		secrets := l.testSecrets(ctx, test)
		Expect(secrets).To(HaveLen(2))
		unit := secrets[l.Producer+"/north-"+string(registry.Spec.OID)]
		Expect(identityIn(unit)).To(Equal(pki.Identity{TrustDomain: "archive.example", Registry: string(registry.Spec.OID), Unit: string(l.North.Spec.OID)}))
		leaf, err := leafIn(unit)
		Expect(err).NotTo(HaveOccurred())
		Expect(leaf.NotAfter).To(BeTemporally("<=", l.clock.Now().Add(3*time.Hour)), "short-lived")
		Expect(identityIn(secrets[l.Organizer+"/pair-organizer"])).To(Equal(pki.Identity{TrustDomain: "archive.example", Registry: string(registry.Spec.OID)}))
		Expect(seen(ctx, l, blocked)()).To(notBeReady("DeploymentTestMissing"))

		By("observing the steps")
		archive := l.observer(test)
		for i, e := range l.plays() {
			archive.sees(ctx, e)
			if i == 3 {
				Eventually(seen(ctx, l, test)).Should(SatisfyAll(say("3 of 8 steps"), say("The producer must store"),
					HaveField("Status.Steps", ContainElement(SatisfyAll(HaveField("Name", v1alpha1.StepProducerRead), HaveField("State", v1alpha1.StepSeen), HaveField("Event", HaveValue(BeEquivalentTo(4))))))))
			}
		}
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestClosing), say("What is waited for")))
		l.expectNobodyHas(ctx, test)
		l.pass(16 * time.Second)
		Eventually(seen(ctx, l, test)).Should(say("to destroy the data"))
		Consistently(seen(ctx, l, test), "400ms").Should(SatisfyAll(be(v1alpha1.TestClosing), HaveField("Status.Result", BeEmpty())), "nothing is told before the archive has")
		archive.destroys(ctx)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(
			be(v1alpha1.TestPassed), beReady(v1alpha1.TestPassedReason), HaveField("Status.Result", v1alpha1.ResultPassed),
			HaveField("Status.PassedAt", Not(BeNil())), HaveField("Finalizers", BeEmpty()), say("spec.reporting"),
		))
		l.lets(ctx, test)
		Eventually(seen(ctx, l, l.North)).Should(HaveField("Status.DeploymentTests", BeEmpty()))

		By("being reported")
		Eventually(seen(ctx, l, blocked)).Should(WithTransform(grantText, ContainSubstring("asks that Kela has its report")))
		change(ctx, l, test, func(o *v1alpha1.DeploymentTest) {
			o.Spec.Reporting = &v1alpha1.TestReporting{ReportedAt: l.Ago(2 * time.Hour), Reference: "Kela 7"}
		})
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(say("before it had passed"), HaveField("Status.Reported", BeNil())))
		change(ctx, l, test, func(o *v1alpha1.DeploymentTest) { o.Spec.Reporting.ReportedAt = l.In(time.Minute) })
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(say("is to be reported at"), HaveField("Status.Reported", BeNil())))
		l.pass(time.Minute)
		Eventually(seen(ctx, l, test)).Should(HaveField("Status.Reported.Reference", BeEquivalentTo("Kela 7")))
		Eventually(seen(ctx, l, blocked)).Should(beReady(v1alpha1.GrantReadyReason), "it opens by itself")
	})

	It("gives a unit that accepts the organizer, but not the time, nothing", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.run("pair", v1alpha1.ModeObserved)
		Expect(l.Create(ctx, test)).To(Succeed())
		Eventually(seen(ctx, l, test)).Should(notBeReady(v1alpha1.TestNotAcceptedReason))
		l.clock.SetTime(test.Spec.Run.StartsAt.Time)
		Consistently(seen(ctx, l, test), "400ms").Should(notBeReady(v1alpha1.TestNotAcceptedReason))
		l.clock.SetTime(test.Spec.Run.StartsAt.Add(time.Hour))
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(notBeReady(v1alpha1.TestWindowPastReason), be(v1alpha1.TestWaiting),
			haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.TestWindowPastReason), say("has not accepted the time")))

		By("proposing another time, which the unit accepts")
		change(ctx, l, test, func(o *v1alpha1.DeploymentTest) { o.Spec.Run.StartsAt = l.In(time.Hour) })
		Eventually(seen(ctx, l, test)).Should(notBeReady(v1alpha1.TestNotAcceptedReason))
		l.accept(ctx, must(seen(ctx, l, test)()))
		Eventually(seen(ctx, l, test)).Should(notBeReady(v1alpha1.TestScheduledReason))
	})

	It("opens its registry to a unit that accepts the time and not the organizer, and no other registry", func(ctx context.Context) {
		l := begin(ctx, strangers)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		grant := another(l.handMade(), l.Organizer, "production")
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		Expect(l.Create(ctx, grant)).To(Succeed())
		Eventually(seen(ctx, l, grant)).Should(notBeReady("NotAcceptedByUnit"))

		By("ending with the unit's word alone")
		change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) { u.Spec.AcceptTests = nil })
		archive := l.observer(test)
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), say("has not accepted the time"), HaveField("Status.Result", v1alpha1.ResultFailed)))
	})

	It("fails with words at the end of its window when steps are missing, and opens nothing", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		archive := l.observer(test)
		foreign := apply.TestEvent().WithOperation(v1alpha1.OperationOther).WithReason("registry-mismatch")
		archive.sees(ctx, append([]*apply.TestEventApplyConfiguration{foreign}, l.plays()[:4]...)...)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(say("3 of 8 steps"), say("not of this test were seen (1)")))
		l.clock.SetTime(test.Status.Window.ClosesAt.Time)
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(
			be(v1alpha1.TestFailed), beReady(v1alpha1.TestFailedReason), say("Not seen before the window closed. The producer must store"), say("not of this test"),
			HaveField("Status.Steps", ContainElement(SatisfyAll(HaveField("Name", v1alpha1.StepProducerStored), HaveField("State", v1alpha1.StepFailed)))),
		))
		Expect(l.Create(ctx, l.Relationship(l.North.Spec.OID))).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(notBeReady("DeploymentTestMissing"), WithTransform(grantText, ContainSubstring("has failed"))))
		change(ctx, l, test, func(o *v1alpha1.DeploymentTest) {
			o.Spec.Reporting = &v1alpha1.TestReporting{ReportedAt: l.In(0), Reference: "Kela 7"}
		})
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(say("only a test that has passed"), HaveField("Status.Reported", BeNil())))
	})

	It("fails at once when one system plays both parts", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		archive, plays := l.observer(test), l.plays()
		plays[4].WithProfessional(*plays[0].Professional)
		archive.sees(ctx, plays[:5]...)
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), say("one system played both parts")))
	})

	It("is extended while it is open, with a record, and not after", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		former := test.Status.Window.ClosesAt
		extend := func(until metav1.Time) {
			change(ctx, l, test, func(o *v1alpha1.DeploymentTest) {
				o.Spec.Run.Extension = &v1alpha1.TestExtension{Until: until, Reason: "the archive was down"}
			})
		}
		extend(l.In(10 * time.Minute))
		Eventually(seen(ctx, l, test)).Should(say("is not taken into account"))
		later := metav1.NewTime(former.Add(time.Hour))
		extend(later)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(say("the unit has not accepted it"), HaveField("Status.Window.Extensions", BeEmpty())))
		asked := WithTransform(func(u *v1alpha1.ProducerUnit) []v1alpha1.UnitDeploymentTest { return u.Status.DeploymentTests },
			ConsistOf(WithTransform(func(o v1alpha1.UnitDeploymentTest) bool { return o.ClosesAt.Equal(&later) }, BeTrue())))
		Eventually(seen(ctx, l, l.North)).Should(asked, "the unit is told what to accept")
		change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) { u.Spec.AcceptTests[0].ClosesAt = u.Status.DeploymentTests[0].ClosesAt })
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(
			HaveField("Status.Window.Extensions", ConsistOf(HaveField("Reason", BeEquivalentTo("the archive was down")))),
			HaveField("Status.Window.ClosesAt.Time", BeTemporally("==", later.Time))))
		Eventually(seen(ctx, l, testRegistry(test))).Should(HaveField("Status.Test.ClosesAt.Time", BeTemporally("==", later.Time)))
		Eventually(seen(ctx, l, testGrant(test))).Should(HaveField("Status.ValidUntil.Time", BeTemporally("==", later.Time)))
		before := must(seen(ctx, l, testGrant(test))()).Status.Credentials
		l.clock.SetTime(former.Time)
		Consistently(seen(ctx, l, test), "400ms").Should(be(v1alpha1.TestOpen))
		Expect(must(seen(ctx, l, testGrant(test))()).Status.Credentials).To(Equal(before), "no party has to take a new credential in the middle")

		// The window runs out while no manager runs.
		l.stop()
		l.clock.SetTime(later.Time)
		extend(metav1.NewTime(later.Add(time.Hour)))
		l.start(nil)
		archive := l.observer(test)
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), HaveField("Status.Window.Extensions", HaveLen(1))))
	})

	It("is closed by time though its controller does not look", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		registry, grant := must(seen(ctx, l, testRegistry(test))()), must(seen(ctx, l, testGrant(test))())
		Expect(registry.Status.Test.ClosesAt.Equal(&test.Status.Window.ClosesAt)).To(BeTrue(), "the archive judges by it")
		Expect(grant.Status.ValidUntil.Equal(&test.Status.Window.ClosesAt)).To(BeTrue())
	})

	It("is called off before its time and in the middle, for good", func(ctx context.Context) {
		l := begin(ctx, nil)
		early, running := l.run("early", v1alpha1.ModeObserved), l.run("running", v1alpha1.ModeObserved)
		early.Spec.Run.StartsAt = l.In(3 * time.Hour)
		Expect(l.Create(ctx, early)).To(Succeed())
		l.opened(ctx, running)
		cancel := func(test *v1alpha1.DeploymentTest) {
			change(ctx, l, test, func(o *v1alpha1.DeploymentTest) { o.Spec.Cancellation = &v1alpha1.TestCancellation{Reason: "a flood"} })
		}
		cancel(early)
		Eventually(seen(ctx, l, early)).Should(SatisfyAll(be(v1alpha1.TestCanceled), beReady(v1alpha1.TestCanceledReason), say("a flood"), HaveField("Finalizers", BeEmpty()), HaveField("Status.Result", BeEmpty())))
		cancel(running)
		archive := l.observer(running)
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, running)).Should(SatisfyAll(be(v1alpha1.TestCanceled), HaveField("Status.Result", BeEmpty()), HaveField("Finalizers", BeEmpty())))
		Expect(l.Patch(ctx, early, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"cancellation":null}}`)))).To(MatchError(ContainSubstring("stays so")))
	})

	It("waits for another of the same pair at the same time", func(ctx context.Context) {
		l := begin(ctx, nil)
		first, second := l.run("first", v1alpha1.ModeObserved), l.run("second", v1alpha1.ModeObserved)
		Expect(l.Create(ctx, first)).To(Succeed())
		l.accept(ctx, first)
		Eventually(seen(ctx, l, first)).Should(be(v1alpha1.TestScheduled))
		second.Spec.Run.StartsAt = metav1.NewTime(first.Spec.Run.StartsAt.Add(30 * time.Minute))
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(notBeReady(v1alpha1.TestOverlapReason), say("DeploymentTest first")))
		Expect(l.Delete(ctx, first)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(notBeReady(v1alpha1.TestNotAcceptedReason))
	})

	It("is reminded of once each time, in both namespaces, whatever restarts", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.run("pair", v1alpha1.ModeObserved)
		test.Spec.Run.StartsAt = l.In(48 * time.Hour)
		Expect(l.Create(ctx, test)).To(Succeed())
		l.accept(ctx, test)
		Eventually(seen(ctx, l, test)).Should(be(v1alpha1.TestScheduled))
		reminders := func(namespace string) (n int) {
			var list eventsv1.EventList
			Expect(l.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
			for i := range list.Items {
				if list.Items[i].Reason == "TestReminder" {
					n++
				}
			}
			return n
		}
		Expect(reminders(l.Organizer)).To(BeZero())
		for i, before := range []time.Duration{24 * time.Hour, time.Hour} {
			l.clock.SetTime(test.Spec.Run.StartsAt.Add(-before))
			for _, namespace := range []string{l.Organizer, l.Producer} {
				Eventually(func() int { return reminders(namespace) }).Should(Equal(i + 1))
			}
			Eventually(seen(ctx, l, test)).Should(HaveField("Status.Window.RemindedFor.Time", BeTemporally("~", l.clock.Now(), time.Second)))
			l.start(nil)
			l.pass(time.Minute)
			for _, namespace := range []string{l.Organizer, l.Producer} {
				Consistently(func() int { return reminders(namespace) }, "400ms").Should(Equal(i + 1))
			}
		}
	})

	It("ends when what it needs is taken from it in the middle", func(ctx context.Context) {
		l := begin(ctx, nil)
		for name, take := range map[string]func(test *v1alpha1.DeploymentTest){
			"its registry": func(test *v1alpha1.DeploymentTest) { Expect(l.Delete(ctx, testRegistry(test))).To(Succeed()) },
			"its grant":    func(test *v1alpha1.DeploymentTest) { Expect(l.Delete(ctx, testGrant(test))).To(Succeed()) },
			"a version": func(*v1alpha1.DeploymentTest) {
				change(ctx, l, l.CompanySystem, func(o *v1alpha1.ClientSystem) { o.Spec.Version += ".1" })
			},
			"a certificate": func(*v1alpha1.DeploymentTest) {
				change(ctx, l, l.CompanySystem, func(o *v1alpha1.ClientSystem) { o.Spec.Certificate.ValidUntil = l.In(time.Minute) })
			},
		} {
			By("taking " + name)
			test := l.opened(ctx, l.run(strings.ReplaceAll(name, " ", "-"), v1alpha1.ModeObserved))
			take(test)
			l.closes(ctx, l.observer(test))
			Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), HaveField("Status.Window.Message", Not(BeEmpty()))))
			change(ctx, l, l.CompanySystem, func(o *v1alpha1.ClientSystem) { o.Spec.Certificate.ValidUntil = l.In(1000 * time.Hour) })
		}
	})

	It("leaves no access when its organization is deleted in the middle, and comes to its end", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		Expect(l.Delete(ctx, l.Area)).To(Succeed())
		l.closes(ctx, l.observer(test))
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), say("There is no Organization")))
	})

	It("is deleted only when nobody has access and the archive has destroyed the data, and says what it waits for", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		Expect(l.Delete(ctx, test)).To(Succeed())
		l.expectNobodyHas(ctx, test)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestClosing), HaveField("Status.Window.ClosedAt", Not(BeNil()))))
		l.pass(16 * time.Second)
		Eventually(seen(ctx, l, test)).Should(say("to destroy the data of the test registry"))
		l.observer(test).destroys(ctx)
		l.lets(ctx, test)
		Eventually(func() error { return l.Get(ctx, keyOf(test), &v1alpha1.DeploymentTest{}) }).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
	})

	It("does not wait for an archive that is gone", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		Expect(l.Delete(ctx, l.Archive)).To(Succeed())
		l.expectNobodyHas(ctx, test)
		Eventually(func(g Gomega) {
			l.pass(10 * time.Second)
			g.Expect(seen(ctx, l, test)()).To(SatisfyAll(be(v1alpha1.TestFailed), say("that its data is destroyed is not proven")))
		}).Should(Succeed())
		l.lets(ctx, test)
	})

	It("writes nothing twice: not what the archive says, nor after a restart", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		archive := l.observer(test)
		archive.sees(ctx, l.plays()[:4]...)
		Eventually(seen(ctx, l, test)).Should(say("3 of 8 steps"))
		quiet := func() {
			GinkgoHelper()
			settling := &journal{}
			l.startOn(settling.keep(l.config()), nil)
			l.quiet(ctx, settling)
			restarted := &journal{}
			l.startOn(restarted.keep(l.config()), nil)
			l.expectNothing(ctx, restarted)
			l.touch(ctx, test, "again")
			l.touch(ctx, l.North, "again")
			l.expectNothing(ctx, restarted)
		}
		quiet()
		fresh := must(seen(ctx, l, test)())
		Expect(fresh.Status.Observation.Events).To(HaveLen(4))
		owners := map[string][]string{}
		for _, m := range fresh.ManagedFields {
			if m.Subresource == "status" {
				for _, field := range []string{"f:observation", "f:steps", "f:window"} {
					if strings.Contains(m.FieldsV1.GetRawString(), `"`+field+`"`) {
						owners[field] = append(owners[field], m.Manager)
					}
				}
			}
		}
		Expect(owners["f:observation"]).To(ConsistOf("valtuus-archive"))
		Expect(owners["f:steps"]).To(ConsistOf(controllers.FieldOwner))
		Expect(owners["f:window"]).To(ConsistOf(controllers.FieldOwner))

		archive.sees(ctx, l.plays()[4:]...)
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestPassed), HaveField("Status.Observation.Events", HaveLen(9))))
		quiet()
	})
})

func grantText(o *v1alpha1.RegistryAccessGrant) string {
	for _, c := range o.Status.Conditions {
		if c.Type == v1alpha1.ReadyCondition {
			return c.Message
		}
	}
	return ""
}

var _ = Describe("what is forged as a deployment test's", func() {
	It("gets nothing: neither a registry nor a grant with the owner's reference", func(ctx context.Context) {
		l := begin(ctx, strangers)
		scheduled := l.run("pair", v1alpha1.ModeObserved)
		Expect(l.Create(ctx, scheduled)).To(Succeed())
		Eventually(seen(ctx, l, scheduled)).Should(notBeReady(v1alpha1.TestNotAcceptedReason))
		like := must(seen(ctx, l, l.Registry)())

		By("a registry as the controller would make it, before the time")
		early, grant := deploymenttest.Registry(scheduled, like), deploymenttest.Grant(scheduled, controllers.GrantFinalizer)
		Expect(l.Create(ctx, early)).To(Succeed())
		Expect(l.Create(ctx, grant)).To(Succeed())
		for _, o := range []client.Object{early, grant} {
			Eventually(func() error { return l.Get(ctx, keyOf(o), o) }).Should(MatchError(apierrors.IsNotFound, "IsNotFound"), "what is the test's own is not there before its time")
		}

		By("registries with OIDs of no test, or of somebody else's")
		owner := metav1.NewControllerRef(scheduled, v1alpha1.GroupVersion.WithKind("DeploymentTest"))
		var forged []*v1alpha1.Registry
		for i, oid := range []v1alpha1.OID{"2.25.1", deploymenttest.RegistryOID(scheduled.UID), deploymenttest.RegistryOID(scheduled.UID)} {
			o := another(l.Registry, l.Organizer, "forged-"+string(rune('a'+i)))
			o.Spec.OID, o.Spec.Policies.DeploymentTest = oid, v1alpha1.DeploymentTestReport
			if i < 2 {
				o.OwnerReferences = []metav1.OwnerReference{*owner}
			}
			Expect(l.Create(ctx, o)).To(Succeed())
			forged = append(forged, o)
		}
		for _, o := range forged {
			Eventually(seen(ctx, l, o)).Should(SatisfyAll(notBeAccepted(v1alpha1.TestRegistryForgedReason), HaveField("Status.Test", BeNil()), HaveField("Status.Credentials", BeEmpty())))
			extra := another(l.handMade(), l.Organizer, "for-"+o.Name)
			extra.Spec.RegistryRef.Name, extra.OwnerReferences = v1alpha1.ObjectName(o.Name), []metav1.OwnerReference{*owner}
			Expect(l.Create(ctx, extra)).To(Succeed())
			Eventually(seen(ctx, l, extra)).Should(SatisfyAll(notBeReady("RegistryNotAccepted"), HaveField("Status.Credentials", BeEmpty())))
		}
		Consistently(func() map[string]*corev1.Secret { return l.testSecrets(ctx, scheduled) }, "500ms").Should(BeEmpty())

		By("and keeps nobody from the right one")
		l.accept(ctx, scheduled)
		l.clock.SetTime(scheduled.Spec.Run.StartsAt.Time)
		Eventually(seen(ctx, l, testGrant(scheduled))).Should(beReady(v1alpha1.GrantReadyReason))
		for _, o := range forged {
			Expect(seen(ctx, l, o)()).To(notBeAccepted(v1alpha1.TestRegistryForgedReason))
		}

		By("another unit's grant to the test's registry, and one that reaches further")
		change(ctx, l, l.South, func(u *v1alpha1.ProducerUnit) {
			u.Spec.AcceptTests = []v1alpha1.TestAcceptance{l.Acceptance(scheduled)}
		})
		south := another(l.handMade(), l.Organizer, "south")
		south.Spec.RegistryRef.Name, south.Spec.ProducerUnit = "pair", l.South.Spec.OID
		south.OwnerReferences = []metav1.OwnerReference{*owner}
		Expect(l.Create(ctx, south)).To(Succeed())
		Eventually(seen(ctx, l, south)).Should(SatisfyAll(notBeReady("NotOfTest"), HaveField("Status.Credentials", BeEmpty())))
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		production := another(l.handMade(), l.Organizer, "production")
		production.OwnerReferences = []metav1.OwnerReference{*owner}
		Expect(l.Create(ctx, production)).To(Succeed())
		Eventually(seen(ctx, l, production)).Should(notBeReady("NotAcceptedByUnit"), "the time of a test accepts no organizer")

		change(ctx, l, testGrant(scheduled), func(g *v1alpha1.RegistryAccessGrant) {
			g.Spec.Agreement = &v1alpha1.Agreement{Reference: "7", ValidFrom: l.Ago(time.Hour)}
		})
		Eventually(seen(ctx, l, testGrant(scheduled))).Should(SatisfyAll(notBeReady("NotOfTest"), HaveField("Status.Credentials", BeEmpty())))
	})

	It("delivers a producer's credential to an organizer in a simulation only", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		for name := range l.testSecrets(ctx, test) {
			Expect(name).To(BeElementOf(l.Organizer+"/pair-organizer", l.Producer+"/north-"+string(deploymenttest.RegistryOID(test.UID))))
		}
		change(ctx, l, testRegistry(test), func(o *v1alpha1.Registry) {
			o.Annotations = map[string]string{"valtuus.io/mode": "Simulated"}
			o.Spec.Policies.DeploymentTest = v1alpha1.DeploymentTestEnforce
		})
		Consistently(func() map[string]*corev1.Secret { return l.testSecrets(ctx, test) }, "500ms").Should(HaveLen(2))
	})

	It("is not adopted: what has the name of what a test needs stays as it is", func(ctx context.Context) {
		l := begin(ctx, nil)
		theirs := another(l.Registry, l.Organizer, "pair")
		theirs.Spec.OID, theirs.Spec.ControllerOID = l.OID("19.7"), l.OID("19.7")
		Expect(l.Create(ctx, theirs)).To(Succeed())
		test := l.run("pair", v1alpha1.ModeObserved)
		Expect(l.Create(ctx, test)).To(Succeed())
		l.accept(ctx, test)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(notBeReady(v1alpha1.TestChildConflictReason), say("not this test's")))
		Expect(l.Delete(ctx, test)).To(Succeed())
		Eventually(func() error { return l.Get(ctx, keyOf(test), &v1alpha1.DeploymentTest{}) }).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
		Expect(seen(ctx, l, theirs)()).To(HaveField("DeletionTimestamp", BeNil()))
	})
})

var _ = Describe("a simulated deployment test", func() {
	It("needs an image, is played by a Job, and opens a registry only whose policy takes it", func(ctx context.Context) {
		l := begin(ctx, strangers)
		l.noImage = true
		l.start(nil)
		test := l.run("pair", v1alpha1.ModeSimulated)
		Expect(l.Create(ctx, test)).To(Succeed())
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(notBeReady(v1alpha1.TestImageUnknownReason), say("--archive-image")))
		l.noImage = false
		l.start(nil)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(notBeReady(v1alpha1.TestScheduledReason), say("A simulation")), "without the unit's word")
		Consistently(seen(ctx, l, l.North), "300ms").Should(HaveField("Status.DeploymentTests", BeEmpty()), "nothing is asked of it")
		l.clock.SetTime(test.Spec.Run.StartsAt.Time)

		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: "pair-simulation"}}
		Eventually(seen(ctx, l, job)).Should(SatisfyAll(
			WithTransform(func(j *batchv1.Job) string { return j.Spec.Template.Spec.Containers[0].Image }, Equal(archives.Image)),
			WithTransform(func(j *batchv1.Job) []string { return j.Spec.Template.Spec.Containers[0].Args }, ContainElements("simulate", string(deploymenttest.RegistryOID(test.UID)), "https://localhost:8443")),
		))
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(l.Delete(ctx, job))).To(Succeed()) })
		secrets := l.testSecrets(ctx, test)
		Expect(secrets).To(HaveLen(2))
		Expect(identityIn(secrets[l.Organizer+"/pair-producer"])).To(HaveField("Unit", string(l.North.Spec.OID)))
		Expect(secrets).To(HaveKey(l.Organizer + "/pair-organizer"))

		archive := l.observer(test)
		archive.sees(ctx, l.plays()...)
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestPassed), say("A simulation")))

		change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) { u.Spec.AcceptFrom = []v1alpha1.OID{l.Area.Spec.OID} })
		Expect(l.Create(ctx, l.Relationship(l.North.Spec.OID))).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(notBeReady("DeploymentTestMissing"), WithTransform(grantText, ContainSubstring("it was a simulation"))))
		Consistently(seen(ctx, l, l.grant(l.North)), "300ms").Should(HaveField("Status.Credentials", BeEmpty()))
		change(ctx, l, l.Registry, func(o *v1alpha1.Registry) { o.Spec.Policies.SimulatedTests = v1alpha1.SimulatedTestsAccepted })
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(beReady(v1alpha1.GrantReadyReason), WithTransform(grantText, ContainSubstring("by a simulation only"))))
	})
})

var _ = Describe("the time of a deployment test", func() {
	It("is accepted by who may accept tests, and not by who has every plain verb (admission policy valtuus-tests)", func(ctx context.Context) {
		l := begin(ctx, nil)
		as := func(user string, verbs ...string) client.Client {
			Expect(env.Grant(ctx, user, l.Producer, rbacv1.PolicyRule{
				APIGroups: []string{"valtuus.io"}, Resources: []string{"producerunits"}, Verbs: append(verbs, "get", "create", "patch", "update"),
			})).To(Succeed())
			cfg, err := env.AddUser(user)
			Expect(err).NotTo(HaveOccurred())
			c, err := client.New(cfg, client.Options{Scheme: manager.Scheme()})
			Expect(err).NotTo(HaveOccurred())
			return c
		}
		until := l.In(3 * time.Hour)
		accepting := func(times ...metav1.Time) client.Patch {
			before := must(seen(ctx, l, l.North)())
			after := before.DeepCopy()
			after.Spec.AcceptTests = nil
			for i, at := range times {
				after.Spec.AcceptTests = append(after.Spec.AcceptTests, v1alpha1.TestAcceptance{
					RegistryOID: l.OID("19.0"), TestRegistryOID: v1alpha1.OID("2.25." + string(rune('1'+i))), StartsAt: at, ClosesAt: until,
				})
			}
			return client.RawPatch("application/merge-patch+json", must(client.MergeFrom(before).Data(after)))
		}
		beRefused := MatchError(ContainSubstring("ValidatingAdmissionPolicy 'valtuus-tests'"))
		plain, producer := as("plain-"+l.Producer), as("producer-"+l.Producer, "accept-test")
		soon, later := l.In(time.Hour), l.In(2*time.Hour)
		Eventually(func() error { return plain.Patch(ctx, l.North.DeepCopy(), accepting(soon), client.DryRunAll) }).Should(beRefused)
		fresh := another(l.North, l.Producer, "fresh")
		fresh.Spec.AcceptTests = []v1alpha1.TestAcceptance{{RegistryOID: l.Registry.Spec.OID, TestRegistryOID: "2.25.1", StartsAt: soon, ClosesAt: until}}
		Expect(plain.Create(ctx, fresh, client.DryRunAll)).To(beRefused)
		Expect(producer.Patch(ctx, l.North.DeepCopy(), accepting(soon, soon))).To(Succeed())
		Expect(plain.Patch(ctx, l.North.DeepCopy(), accepting(later, soon))).To(beRefused, "another time")
		until = l.In(4 * time.Hour)
		Expect(plain.Patch(ctx, l.North.DeepCopy(), accepting(soon, soon))).To(beRefused, "a longer one")
		until = l.In(3 * time.Hour)
		Expect(plain.Patch(ctx, l.North.DeepCopy(), accepting(soon))).To(Succeed(), "taking one away can only take away")
		change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) { u.Spec.ServiceTasks = u.Spec.ServiceTasks[:1] })
		Expect(plain.Patch(ctx, l.North.DeepCopy(), accepting())).To(Succeed())
	})
})

var _ = Describe("a recorded deployment test", func() {
	It("counts as reported, and no longer when a version changes where the registry says so", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) {
			w.Registry.Spec.Policies.DeploymentTestProof, w.Registry.Spec.Policies.Retest = v1alpha1.ProofReported, v1alpha1.RetestMajor
		})
		l.open(ctx)
		test := must(seen(ctx, l, l.Test())())
		Expect(test).To(SatisfyAll(be(v1alpha1.TestPassed), HaveField("Status.Reported.Reference", BeEquivalentTo("report 7")), HaveField("Status.Systems.Organizer.Version", BeEquivalentTo("1.0"))))
		version := func(v string) {
			change(ctx, l, l.CompanySystem, func(o *v1alpha1.ClientSystem) { o.Spec.Version = v1alpha1.Reference(v) })
		}
		version("1.9")
		Consistently(seen(ctx, l, l.grant(l.North)), "400ms").Should(beReady(v1alpha1.GrantReadyReason))

		By("being reported anew, which interrupts nobody")
		before := must(seen(ctx, l, l.grant(l.North))()).Status.Credentials
		change(ctx, l, test, func(o *v1alpha1.DeploymentTest) {
			o.Spec.Reporting = &v1alpha1.TestReporting{ReportedAt: l.In(0), Reference: "Kela 8"}
		})
		Eventually(seen(ctx, l, test)).Should(HaveField("Status.Reported.Reference", BeEquivalentTo("Kela 8")))
		Expect(must(seen(ctx, l, l.grant(l.North))()).Status.Credentials).To(Equal(before))

		version("2.0")
		l.expectRevoked(ctx, l.North, "DeploymentTestMissing")
		Eventually(seen(ctx, l, l.grant(l.North))).Should(WithTransform(grantText, ContainSubstring("which is now 2.0")))
		again := another(l.Test(), l.Organizer, "again")
		again.Spec.Recorded.TestedAt = ptr.To(l.Ago(time.Minute)).Rfc3339Copy()
		Expect(l.Create(ctx, again)).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason))
	})
})
