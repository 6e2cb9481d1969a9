// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/enforcement"
)

// askAgain is how often a test that closes looks for what nobody tells it: whether its archive or its namespace is gone.
const askAgain = 10 * time.Second

// testScope is what one pass over a deployment test knows.
type testScope struct {
	test   *v1alpha1.DeploymentTest
	before *v1alpha1.DeploymentTest // as it was last written
	now    time.Time

	plan     deploymenttest.Plan
	archive  *v1alpha1.Archive
	registry *v1alpha1.Registry // that the test is run in; nil when there is none
	grant    *v1alpha1.RegistryAccessGrant
	conflict string // what stands where one of the two, or the simulation's Job, belongs
	// simulation is how the Job that plays both parties goes.
	simulation deploymenttest.Simulation
	// leftovers is what else there is of a test that closes: the Job that plays it, and relationships of its registry.
	leftovers []client.Object

	answer    deploymenttest.Answer
	judgement deploymenttest.Judgement
	note      string   // on what the organizer asks and does not get
	awaits    []string // what the close waits for
	unknown   string   // system of a recorded test that is not known
	// unreported tells what stands where the report belongs.
	unreported string

	// wanted tells that the test's registry and grant are to be there; done that all of the test's is gone.
	wanted, done bool
	wake         []time.Time
}

// advance finds out how far the test has come, and writes that into its status.
func (r *DeploymentTestReconciler) advance(ctx context.Context, s *testScope) error {
	if err := r.gather(ctx, s); err != nil {
		return err
	}
	status := &s.test.Status
	switch window := status.Window; {
	case !deploymenttest.Runs(s.test):
		r.recorded(s)
	case deploymenttest.Ended(s.test):
		s.done = true
	case window != nil && window.ClosedAt != nil:
		return r.closing(ctx, s)
	case window != nil && window.OpenedAt != nil:
		if err := r.lookAtSimulation(ctx, s); err != nil {
			return err
		}
		r.open(s)
	case s.test.DeletionTimestamp != nil || s.test.Spec.Cancellation != nil:
		r.callOff(s)
	default:
		r.schedule(s)
	}
	return nil
}

// gather reads what the test rests on and what it has made.
func (r *DeploymentTestReconciler) gather(ctx context.Context, s *testScope) (err error) {
	p, spec := &s.plan, s.test.Spec
	p.Now, p.Test, p.Image = s.now, s.test, r.image != ""
	if p.Organizer, err = r.clientSystem(ctx, spec.Systems.Organizer); err != nil {
		return err
	}
	if p.Producer, err = r.clientSystem(ctx, spec.Systems.Producer); err != nil || spec.Run == nil {
		return err
	}
	if p.Registry, err = r.registry(ctx, s.test.Namespace, spec.Run.Registry); err != nil {
		return err
	}
	if p.Registry != nil {
		p.RegistryDetail = detailOf(p.Registry)
	}
	if p.Unit, err = r.unitByOID(ctx, spec.Run.ProducerUnit); err != nil {
		return err
	}
	if p.Unit != nil {
		if p.UnitDetail = detailOf(p.Unit); !r.manages(p.Unit) {
			p.UnitDetail = notManaged("ProducerUnit", p.Unit)
		}
	}
	var others v1alpha1.DeploymentTestList
	if err := r.List(ctx, &others, in(s.test.Namespace, byPair, pairKey(spec.Run.Registry.Name, spec.Run.ProducerUnit))...); err != nil {
		return err
	}
	p.Others = pointers(others.Items)
	if err := r.findChildren(ctx, s); err != nil {
		return err
	}
	if name := s.archiveName(); name != "" {
		s.archive, err = r.archiveByName(ctx, name)
	}
	return err
}

// archiveName is the name of the Archive that the test is run in, or is to be; empty when nobody knows any more.
func (s *testScope) archiveName() v1alpha1.ObjectName {
	switch {
	case s.test.Status.ArchiveName != "":
		return s.test.Status.ArchiveName
	case s.registry != nil:
		return s.registry.Spec.ArchiveName
	case s.plan.Registry != nil:
		return s.plan.Registry.Spec.ArchiveName
	default:
		return ""
	}
}

// detailOf tells why a claim is not believed; empty where it is.
func detailOf(o conditions.Object) string {
	switch c := conditions.Get(o, v1alpha1.AcceptedCondition); {
	case c == nil:
		return "It has not been looked at yet."
	case c.Status != metav1.ConditionTrue:
		return c.Message
	default:
		return ""
	}
}

// recorded judges what the organizer recorded.
func (r *DeploymentTestReconciler) recorded(s *testScope) {
	recorded, status := s.test.Spec.Recorded, &s.test.Status
	for name, system := range map[v1alpha1.ObjectName]*v1alpha1.ClientSystem{
		s.test.Spec.Systems.Organizer: s.plan.Organizer, s.test.Spec.Systems.Producer: s.plan.Producer,
	} {
		if system == nil && string(name) > s.unknown {
			s.unknown = string(name)
		}
	}
	s.wake = append(s.wake, recorded.TestedAt.Time)
	status.Result, status.State, status.PassedAt = "", v1alpha1.TestWaiting, nil
	if s.unknown != "" || recorded.TestedAt.After(s.now) {
		return
	}
	// The versions that were tested are nowhere but here, as they were when the record came: another version is another test.
	if status.Systems == nil {
		status.Systems = deploymenttest.Tested(&s.plan)
	}
	if recorded.Result == v1alpha1.ResultFailed {
		status.Result, status.State = v1alpha1.ResultFailed, v1alpha1.TestFailed
		return
	}
	status.Result, status.State, status.PassedAt = v1alpha1.ResultPassed, v1alpha1.TestPassed, ptr.To(recorded.TestedAt)
}

// schedule looks whether the test can be run, and opens the window when its time has come.
func (r *DeploymentTestReconciler) schedule(s *testScope) {
	status := &s.test.Status
	status.RegistryOID = deploymenttest.RegistryOID(s.test.UID)
	status.Window = deploymenttest.Replan(status.Window, s.test.Spec.Run)
	s.wake = append(s.wake, deploymenttest.Instants(status.Window)...)
	if s.answer = deploymenttest.Schedule(&s.plan, status.Window); s.answer.OK && s.conflict != "" {
		s.answer = deploymenttest.Answer{Reason: v1alpha1.TestChildConflictReason, Message: s.conflict, Refused: true}
	}
	status.State = v1alpha1.TestWaiting
	if !s.answer.OK {
		return
	}
	status.State = v1alpha1.TestScheduled
	if s.now.Before(status.Window.OpensAt.Time) {
		return
	}
	status.State, s.wanted = v1alpha1.TestOpen, true
	if s.before.Status.State == v1alpha1.TestOpen && s.registry != nil && s.grant != nil {
		// From now on credentials are issued, and the archive has a registry to observe.
		status.Window.OpenedAt = moment(s.now)
		status.ArchiveName = s.registry.Spec.ArchiveName
		status.Systems = deploymenttest.Tested(&s.plan)
		status.Steps = deploymenttest.Judge(nil, deploymenttest.TermsOf(s.test)).Steps
	}
}

// callOff ends a test whose window has not opened: nobody has had a credential.
func (r *DeploymentTestReconciler) callOff(s *testScope) {
	if s.registry != nil || s.grant != nil {
		return // to be deleted first
	}
	if s.test.Spec.Cancellation != nil {
		s.test.Status.State = v1alpha1.TestCanceled
	}
	s.done = true
}

// open judges what the archive saw, and closes the window when that is enough or the time is over.
func (r *DeploymentTestReconciler) open(s *testScope) {
	status := &s.test.Status
	s.wanted, status.State = true, v1alpha1.TestOpen
	status.Window, s.note = deploymenttest.Extend(status.Window, s.test.Spec.Run.Extension, deploymenttest.AcceptsExtension(&s.plan, status.Window),
		deploymenttest.CertifiedUntil(s.plan.Organizer, s.plan.Producer), s.now)
	s.wake = append(s.wake, status.Window.ClosesAt.Time)
	s.judge()
	why, over := deploymenttest.Over(&deploymenttest.Found{
		Plan: &s.plan, Judgement: &s.judgement, Conflict: s.conflict, Whole: s.registry != nil && s.grant != nil,
		Simulation: s.simulation,
	})
	if !over {
		return
	}
	// A status keeps whole seconds: what was seen up to now is within the window, by the archive's clock too.
	last := s.now
	if events := s.events(); len(events) > 0 && events[len(events)-1].At.After(last) {
		last = events[len(events)-1].At.Time
	}
	status.Window = deploymenttest.Closed(status.Window, last.Add(time.Second-time.Nanosecond).Truncate(time.Second))
	status.Window.Message = why
	status.State = v1alpha1.TestClosing
	s.awaits = []string{"the revocation of the credentials"}
}

func (s *testScope) events() []v1alpha1.TestEvent {
	o := s.test.Status.Observation
	if o == nil || o.RegistryOID != s.test.Status.RegistryOID {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.Events), func(e v1alpha1.TestEvent) bool { return e.At == nil })
}

func (s *testScope) judge() {
	s.judgement = deploymenttest.Judge(s.events(), deploymenttest.TermsOf(s.test))
	s.test.Status.Steps = s.judgement.Steps
}

// closing waits until nobody has access and the archive has destroyed what was in the registry, and then tells the result.
func (r *DeploymentTestReconciler) closing(ctx context.Context, s *testScope) error {
	status := &s.test.Status
	status.State, s.wanted = v1alpha1.TestClosing, true
	s.judge()
	if err := r.revoked(ctx, s); err != nil {
		return err
	}
	if err := r.findLeftovers(ctx, s); err != nil {
		return err
	}
	if len(s.leftovers) > 0 {
		s.awaits = append(s.awaits, "the deletion of the test's relationships and Job")
		s.wake = append(s.wake, s.now.Add(lookEvery))
	}
	abandoned, err := r.abandoned(ctx, s)
	if err != nil {
		return err
	}
	if !deploymenttest.Destroyed(s.test) && !abandoned {
		s.awaits = append(s.awaits, "the archive, to destroy the data of the test registry")
	}
	s.wake = append(s.wake, s.now.Add(askAgain))
	if len(s.awaits) > 0 {
		return nil
	}
	if s.wanted = false; s.registry != nil || s.grant != nil {
		s.awaits = []string{"the deletion of the test's registry and grant"}
		return nil
	}
	s.done = true
	if status.State, status.Result = deploymenttest.Verdict(s.test, &s.judgement); status.State == v1alpha1.TestPassed {
		status.PassedAt = moment(s.judgement.PassedAt)
	}
	r.seen.forget(client.ObjectKeyFromObject(s.test))
	return nil
}

// revoked looks whether the ledgers are empty and every live replica of the archive has applied that.
func (r *DeploymentTestReconciler) revoked(ctx context.Context, s *testScope) error {
	if g := s.grant; g != nil {
		enforced := conditions.Get(g, v1alpha1.RevocationEnforcedCondition)
		if len(g.Status.Credentials) > 0 || g.Status.SecretRef != nil || conditions.IsTrue(g, v1alpha1.ReadyCondition) {
			s.awaits = append(s.awaits, "the revocation of the producer's credential")
		} else if enforced != nil && enforced.Status != metav1.ConditionTrue {
			s.awaits = append(s.awaits, "the archive, to apply the end of the producer's access")
		}
	}
	if s.registry == nil {
		return nil
	}
	if len(s.registry.Status.Credentials) > 0 || s.registry.Status.SecretRef != nil || conditions.IsTrue(s.registry, v1alpha1.AcceptedCondition) {
		s.awaits = append(s.awaits, "the revocation of the organizer's credential")
		return nil
	}
	revision, err := revisionOf(s.registry)
	if err != nil {
		return err
	}
	outcome, err := r.tracker.Check(ctx, archiveKey(s.archive), enforcement.Ending{
		Kind: "registries", Revision: revision, SeenAt: r.seen.at(s.test, s.now),
	}, producerBound(s.archive, s.registry))
	if err == nil && outcome == enforcement.Awaiting {
		s.awaits = append(s.awaits, "the archive, to apply the end of the organizer's access")
		s.wake = append(s.wake, r.awaitArchive(s.archive, s.now))
	}
	return err
}

// abandoned tells whether there is no archive to wait for: its Archive is gone, or the test is deleted and nobody knows the
// archive any more, or its namespace ends. The archive remembers by itself what it has to destroy.
func (r *DeploymentTestReconciler) abandoned(ctx context.Context, s *testScope) (bool, error) {
	switch deleting := s.test.DeletionTimestamp != nil; {
	case s.archive != nil && !deleting:
		return false, nil
	case s.archive == nil:
		return deleting || s.archiveName() != "", nil
	}
	var namespace corev1.Namespace
	err := r.reader.Get(ctx, client.ObjectKey{Name: s.test.Namespace}, &namespace)
	return err == nil && namespace.DeletionTimestamp != nil, client.IgnoreNotFound(err)
}

// reported tells what the organizer says of the report, if it can be taken over, and else why not.
func (s *testScope) reported() (reported *v1alpha1.TestReporting, note string) {
	said, status := s.test.Spec.Reporting, &s.test.Status
	passed := status.Result == v1alpha1.ResultPassed
	switch {
	case said == nil && passed && s.test.Spec.Recorded != nil:
		return &v1alpha1.TestReporting{ReportedAt: s.test.Spec.Recorded.TestedAt, Reference: s.test.Spec.Recorded.ReportReference}, ""
	case said == nil:
		return nil, ""
	case !passed:
		return nil, "spec.reporting is not taken into account: only a test that has passed can be reported."
	case status.PassedAt != nil && said.ReportedAt.Before(status.PassedAt):
		return nil, "spec.reporting is not taken into account: it says that the test was reported before it had passed."
	case said.ReportedAt.After(s.now):
		s.wake = append(s.wake, said.ReportedAt.Time)
		return nil, fmt.Sprintf("The test is to be reported at %s.", said.ReportedAt.UTC().Format(time.RFC3339))
	}
	return said.DeepCopy(), ""
}

// sentences joins what is not empty.
func sentences(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}
