// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/deploymenttest"
)

// remains is what there is of a deployment test.
type remains struct {
	test     *v1alpha1.DeploymentTest // nil when it is gone
	registry *v1alpha1.Registry
	grant    *v1alpha1.RegistryAccessGrant
	keys     int // Secrets with credentials
	lines    int // of the ledgers
}

// remains reads objects by their names: a list waits until the API server's cache is fresh, up to 100 ms after every write.
func (l *life) remains(ctx context.Context, test *v1alpha1.DeploymentTest) (r remains, err error) {
	key := func(s *corev1.Secret) func() {
		return func() {
			if s.Annotations["valtuus.io/registry-oid"] == string(deploymenttest.RegistryOID(test.UID)) {
				r.keys++
			}
		}
	}
	organizers := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: deploymenttest.OrganizerSecret(test.Name)}}
	units := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: l.Producer, Name: l.North.Name + "-" + string(deploymenttest.RegistryOID(test.UID)),
	}}
	registry, grant := testRegistry(test), testGrant(test)
	fresh := &v1alpha1.DeploymentTest{ObjectMeta: metav1.ObjectMeta{Namespace: test.Namespace, Name: test.Name}}
	for _, read := range []struct {
		object client.Object
		found  func()
	}{
		{organizers, key(organizers)},
		{units, key(units)},
		{registry, func() { r.registry, r.lines = registry, r.lines+len(registry.Status.Credentials) }},
		{grant, func() { r.grant, r.lines = grant, r.lines+len(grant.Status.Credentials) }},
		{fresh, func() { r.test = fresh }},
	} {
		switch err := l.Get(ctx, keyOf(read.object), read.object); {
		case err == nil:
			read.found()
		case !apierrors.IsNotFound(err):
			return r, err
		}
	}
	return r, nil
}

// breaches tells what is wrong at this very moment, whatever has been done and not.
func (r *remains) breaches() (found []string) {
	held := r.keys > 0 || r.lines > 0
	switch {
	case r.test == nil:
		if held || r.registry != nil || r.grant != nil {
			found = append(found, "the test is gone, and something of it is left")
		}
		return found
	case deploymenttest.Ended(r.test) && (held || r.registry != nil || r.grant != nil):
		found = append(found, "the test has ended, and something of it is left")
	}
	if held && (r.test.Status.Window == nil || r.test.Status.Window.OpenedAt == nil) {
		found = append(found, "there is a credential, and the window has not opened")
	}
	if (held || r.registry != nil || r.grant != nil) && !slices.Contains(r.test.Finalizers, controllers.TestFinalizer) {
		found = append(found, "there is something of the test, and it has no finalizer")
	}
	return found
}

var _ = Describe("a crash in a deployment test", func() {
	type deed struct {
		open     bool // whether the window is open before
		do       func(ctx context.Context, l *life, o *observer)
		done     func(r *remains) error
		expected []string
	}
	ended := func(state v1alpha1.DeploymentTestState) func(*remains) error {
		return func(r *remains) error {
			switch {
			case r.test == nil || r.test.Status.State != state || len(r.test.Finalizers) > 0:
				return errors.New("the test has not ended so")
			case r.registry != nil || r.grant != nil || r.keys+r.lines > 0:
				return errors.New("something is left")
			}
			return nil
		}
	}
	DescribeTable("between any two writes",
		func(ctx context.Context, d deed) {
			l := begin(ctx, nil)
			Eventually(seen(ctx, l, l.North)).Should(beReady(v1alpha1.SucceededReason))
			play := func(after int) *crash {
				test := l.run(fmt.Sprintf("t%d", after+1), v1alpha1.ModeObserved)
				if d.open {
					l.opened(ctx, test)
				} else {
					Expect(l.Create(ctx, test)).To(Succeed())
					l.accept(ctx, test)
					Eventually(seen(ctx, l, test)).Should(be(v1alpha1.TestScheduled))
				}
				archive := l.observer(test)
				l.stop()
				d.do(ctx, l, archive)
				look := func() []string {
					r, err := l.remains(ctx, test)
					if err != nil {
						return []string{err.Error()}
					}
					return r.breaches()
				}
				finished := func() error {
					l.pass(time.Second) // no replica lives: the bound has to pass
					r, err := l.remains(ctx, test)
					if err == nil {
						err = d.done(&r)
					}
					return err
				}
				c := &crash{after: after, look: look}
				l.start(c.wrap)
				Eventually(func() bool { return c.crashed() || finished() == nil }).Should(BeTrue(), "after %d writes: %v", after, c.writes)
				l.stop()
				Expect(c.problem).To(BeEmpty(), "writes: %v", c.writes)

				last := &crash{after: -1, look: look}
				l.start(last.wrap)
				Eventually(finished).Should(Succeed(), "after a crash at write %d: %v", after, c.writes)
				last.retire()
				Expect(last.problem).To(BeEmpty(), "writes: %v and then %v", c.writes, last.writes)
				if !d.open { // what was opened is ended, so that the next has its time
					Expect(l.Delete(ctx, test)).To(Succeed())
					l.expectNobodyHas(ctx, test)
					archive.destroys(ctx)
					l.lets(ctx, test)
				}
				return c
			}
			smooth := play(-1)
			for _, expected := range d.expected {
				Expect(smooth.writes).To(ContainElement(ContainSubstring(expected)))
			}
			for after := 0; ; after++ {
				if c := play(after); !c.died {
					Expect(after).To(BeNumerically(">=", len(d.expected)), "writes: %v", c.writes)
					break
				}
			}
		},
		Entry("of opening gives nobody a credential before the window is open, and both in the end", deed{
			do: func(_ context.Context, l *life, o *observer) { l.clock.SetTime(o.test.Spec.Run.StartsAt.Time) },
			done: func(r *remains) error {
				if r.registry == nil || r.grant == nil || r.keys != 2 || !conditions.IsTrue(r.registry, v1alpha1.ReadyCondition) || !conditions.IsTrue(r.grant, v1alpha1.ReadyCondition) {
					return errors.New("the parties have no credentials")
				}
				return nil
			},
			expected: []string{"create Registry ", "create RegistryAccessGrant ", "create Secret north-2.25.", "create Secret t0-organizer"},
		}),
		Entry("of closing leaves no credential, and the result in the end", deed{
			open: true,
			do: func(ctx context.Context, l *life, o *observer) {
				o.sees(ctx, l.plays()...)
				o.destroys(ctx) // by an archive that was quick
			},
			done:     ended(v1alpha1.TestPassed),
			expected: []string{"delete Secret north-2.25.", "delete Secret t0-organizer", "delete RegistryAccessGrant ", "delete Registry ", "patch DeploymentTest "},
		}),
		Entry("of a deletion leaves neither test nor credential", deed{
			open: true,
			do: func(ctx context.Context, l *life, o *observer) {
				Expect(l.Delete(ctx, o.test)).To(Succeed())
				o.destroys(ctx)
			},
			done: func(r *remains) error {
				if r.test != nil {
					return errors.New("the test is there")
				}
				return nil
			},
			expected: []string{"delete RegistryAccessGrant ", "delete Registry ", "patch DeploymentTest "},
		}),
	)
})
