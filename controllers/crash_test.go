// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/pki"
)

var errCrashed = errors.New("the process has crashed")

// crash lets the first writes of a manager through and fails all others, as if the process had died. After each
// write it looks at what the API server holds.
type crash struct {
	after int // how many writes go through; none fails when negative
	look  func() []string

	mutex   sync.Mutex
	died    bool
	writes  []string
	problem []string
}

func (c *crash) wrap(inner client.Client) client.Client {
	return interceptor.NewClient(noWatch{inner}, interceptor.Funcs{
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, options ...client.CreateOption) error {
			return c.write("create", o, func() error { return w.Create(ctx, o, options...) })
		},
		Update: func(ctx context.Context, w client.WithWatch, o client.Object, options ...client.UpdateOption) error {
			return c.write("update", o, func() error { return w.Update(ctx, o, options...) })
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, options ...client.DeleteOption) error {
			return c.write("delete", o, func() error { return w.Delete(ctx, o, options...) })
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, options ...client.PatchOption) error {
			return c.write("patch", o, func() error { return w.Patch(ctx, o, patch, options...) })
		},
		Apply: func(ctx context.Context, w client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			kind := strings.TrimSuffix(fmt.Sprintf("%T", o), "ApplyConfiguration")
			return c.record("apply "+kind[strings.LastIndex(kind, ".")+1:], func() error { return w.Apply(ctx, o, options...) })
		},
		SubResourcePatch: func(ctx context.Context, w client.Client, sub string, o client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			return c.write(sub, o, func() error { return w.SubResource(sub).Patch(ctx, o, patch, options...) })
		},
	})
}

// noWatch makes a client fit where only its writes are intercepted.
type noWatch struct{ client.Client }

func (noWatch) Watch(context.Context, client.ObjectList, ...client.ListOption) (watch.Interface, error) {
	return nil, errors.New("the controllers watch through their cache only")
}

func (c *crash) write(what string, o client.Object, do func() error) error {
	return c.record(describe(what, o), do)
}

func (c *crash) record(name string, do func() error) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.died {
		return errCrashed
	}
	if c.after >= 0 && len(c.writes) == c.after {
		c.died = true
		return errCrashed
	}
	if err := do(); err != nil {
		return err
	}
	c.writes = append(c.writes, name)
	c.problem = append(c.problem, c.look()...)
	return nil
}

func (c *crash) crashed() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.died
}

func (c *crash) count() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.writes)
}

// retire lets the manager go on unobserved.
func (c *crash) retire() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.look = func() []string { return nil }
}

// of returns the writes on a grant and its Secret.
func (c *crash) of(grant *v1alpha1.RegistryAccessGrant, secret string) (out []string) {
	for _, what := range c.writes {
		if strings.Contains(what, " Secret "+secret) || strings.HasSuffix(what, " RegistryAccessGrant "+grant.Name) ||
			strings.Contains(what, " RegistryAccessGrant "+grant.Name+" ") {
			out = append(out, strings.NewReplacer(" "+grant.Name, "", " "+secret, "").Replace(what))
		}
	}
	return out
}

// describe tells of a write, and of a write of a grant's status also what its ledger says.
func describe(what string, o client.Object) string {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", o), "*")
	text := what + " " + kind[strings.LastIndex(kind, ".")+1:] + " " + o.GetName()
	switch grant, ok := o.(*v1alpha1.RegistryAccessGrant); {
	case ok && what == "status":
		var states []string
		for _, c := range grant.Status.Credentials {
			states = append(states, string(c.State))
		}
		return text + " " + fmt.Sprint(states)
	case ok:
		return text + " " + fmt.Sprint(grant.Finalizers)
	}
	return text
}

// keysOf returns the Secrets in the producer's namespace that hold a usable key, by fingerprint.
func (l *life) keysOf(ctx context.Context) (map[string]string, error) {
	var secrets corev1.SecretList
	if err := l.List(ctx, &secrets, client.InNamespace(l.Producer)); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for i := range secrets.Items {
		if leaf, err := leafIn(&secrets.Items[i]); err == nil {
			found[pki.FingerprintOf(leaf).String()] = secrets.Items[i].Name
		}
	}
	return found, nil
}

// breaches tells what is wrong between the northern unit's Secret and its grant's ledger. When a right is being
// taken away, the ledger is emptied before the Secret goes; at no other time is a key without its line.
func (l *life) breaches(ctx context.Context, taking bool) (found []string) {
	// The Secret is read first: its line is written before it, and stays.
	keys, err := l.keysOf(ctx)
	if err != nil {
		return []string{err.Error()}
	}
	grant := &v1alpha1.RegistryAccessGrant{}
	if err := l.Get(ctx, client.ObjectKeyFromObject(l.grant(l.North)), grant); client.IgnoreNotFound(err) != nil {
		return []string{err.Error()}
	}
	states := map[string]v1alpha1.CredentialState{}
	active := 0
	for _, c := range grant.Status.Credentials {
		states[c.Fingerprint] = c.State
		if c.State == v1alpha1.CredentialActive {
			active++
		}
	}
	revoked := len(states) == 0 && !conditions.IsTrue(grant, v1alpha1.ReadyCondition)
	for fingerprint, name := range keys {
		switch state := states[fingerprint]; {
		case state == v1alpha1.CredentialIssuing, state == v1alpha1.CredentialActive:
		case taking && revoked && grant.UID != "":
		default:
			found = append(found, fmt.Sprintf("Secret %s holds a key whose line in the ledger is %q, of %v", name, state, states))
		}
	}
	if active > 1 {
		found = append(found, fmt.Sprintf("the ledger has %d active lines", active))
	}
	if active > 0 && len(keys) == 0 && !taking {
		found = append(found, "the ledger has an active line, but no Secret holds a key")
	}
	if len(states) > 0 && !slices.Contains(grant.Finalizers, controllers.GrantFinalizer) {
		found = append(found, "the ledger has lines and the grant has no finalizer")
	}
	return found
}

// inOrder tells whether the northern unit's grant is ready, its one active line is what the Secret holds, and the unit knows.
func (l *life) inOrder(ctx context.Context) error {
	grant, err := seen(ctx, l, l.grant(l.North))()
	if err != nil {
		return err
	}
	var active []string
	for _, c := range grant.Status.Credentials {
		switch c.State {
		case v1alpha1.CredentialActive:
			active = append(active, c.Fingerprint)
		case v1alpha1.CredentialIssuing:
			return errors.New("a credential is being issued")
		case v1alpha1.CredentialSuperseded:
		}
	}
	unit, err := seen(ctx, l, l.North)()
	switch {
	case err != nil:
		return err
	case !conditions.IsTrue(grant, v1alpha1.ReadyCondition) || grant.Status.ObservedGeneration != grant.Generation:
		return errors.New("the grant is not ready")
	case len(active) != 1 || active[0] != l.credential(ctx, l.North):
		return fmt.Errorf("the ledger has %v active", active)
	case len(unit.Status.Registries) != 1 || unit.Status.Registries[0].Reason != v1alpha1.GrantReadyReason:
		return errors.New("the unit has not been told")
	}
	return nil
}

// withdrawn tells whether nothing is left of the northern unit's credential and the unit knows why.
func (l *life) withdrawn(ctx context.Context) error {
	grant, err := seen(ctx, l, l.grant(l.North))()
	if err != nil {
		return err
	}
	keys, err := l.keysOf(ctx)
	if err != nil {
		return err
	}
	unit, err := seen(ctx, l, l.North)()
	enforced := conditions.Get(grant, v1alpha1.RevocationEnforcedCondition)
	switch {
	case err != nil:
		return err
	case len(grant.Status.Credentials) > 0 || conditions.IsTrue(grant, v1alpha1.ReadyCondition):
		return errors.New("the ledger is not empty, or the grant is ready")
	case len(keys) > 0:
		return errors.New("a Secret still holds a key")
	case enforced == nil:
		return errors.New("nobody waits for the archive's word")
	case len(unit.Status.Registries) != 1 || unit.Status.Registries[0].Reason != v1alpha1.SuspendedReason:
		return errors.New("the unit has not been told")
	}
	return nil
}

// gone tells whether neither grant nor Secret is left, and the unit knows.
func (l *life) gone(ctx context.Context) error {
	keys, err := l.keysOf(ctx)
	if err != nil {
		return err
	}
	unit, err := seen(ctx, l, l.North)()
	if err != nil {
		return err
	}
	if err := l.Get(ctx, client.ObjectKeyFromObject(l.grant(l.North)), &v1alpha1.RegistryAccessGrant{}); client.IgnoreNotFound(err) != nil || err == nil {
		return fmt.Errorf("the grant is there (%w)", err)
	}
	if len(keys) > 0 || len(unit.Status.Registries) > 0 {
		return errors.New("the Secret is there, or the unit has not been told")
	}
	return nil
}

// handMade describes the grant that a person makes for the northern unit.
func (l *life) handMade() *v1alpha1.RegistryAccessGrant {
	grant := l.grant(l.North)
	grant.Spec = v1alpha1.RegistryAccessGrantSpec{
		RegistryRef: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: l.North.Spec.OID, Extent: v1alpha1.ExtentBasic,
	}
	return grant
}

// deed is something that happens to a right, with all that a manager has to do about it.
type deed struct {
	// before brings the world to where the deed can be done, with a clean manager running.
	before func(ctx context.Context, l *life)
	// do does it, with no manager running.
	do func(ctx context.Context, l *life)
	// done tells whether a manager has done its part.
	done func(l *life, ctx context.Context) error
	// taking tells that the deed takes a right away.
	taking bool
	// writes are the writes on grant and Secret, in their order.
	writes []string
}

const finalizers = "[" + controllers.GrantFinalizer + "]"

var _ = Describe("a crash", func() {
	suspend := func(on *bool) func(g *v1alpha1.RegistryAccessGrant) {
		return func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = on }
	}
	create := func(ctx context.Context, l *life) { Expect(l.Create(ctx, l.handMade())).To(Succeed()) }
	ready := func(ctx context.Context, l *life) {
		if client.IgnoreNotFound(l.Get(ctx, client.ObjectKeyFromObject(l.grant(l.North)), &v1alpha1.RegistryAccessGrant{})) == nil {
			_ = l.Create(ctx, l.handMade())
		}
		change(ctx, l, l.grant(l.North), suspend(nil))
		Eventually(l.inOrder).WithContext(ctx).Should(Succeed())
	}

	DescribeTable("between any two writes",
		func(ctx context.Context, d deed) {
			l := begin(ctx, nil)
			Expect(l.Create(ctx, l.Test())).To(Succeed())
			Eventually(seen(ctx, l, l.Test())).Should(beReady(v1alpha1.TestPassedReason))
			Eventually(seen(ctx, l, l.North)).Should(beReady(v1alpha1.SucceededReason))
			Eventually(seen(ctx, l, l.Registry)).Should(beReady(v1alpha1.SucceededReason))

			play := func(after int) *crash {
				d.before(ctx, l)
				l.stop()
				d.do(ctx, l)
				c := &crash{after: after, look: func() []string { return l.breaches(ctx, d.taking) }}
				l.start(c.wrap)
				Eventually(func() bool { return c.crashed() || d.done(l, ctx) == nil }).Should(BeTrue(), "after %d writes", after)
				l.stop()
				Expect(c.problem).To(BeEmpty(), "writes: %v", c.writes)

				last := &crash{after: -1, look: c.look}
				l.start(last.wrap)
				Eventually(func() error { return d.done(l, ctx) }).Should(Succeed(), "after a crash at write %d: %v", after, c.writes)
				last.retire()
				Expect(last.problem).To(BeEmpty(), "writes: %v and then %v", c.writes, last.writes)
				return c
			}
			smooth := play(-1)
			Expect(smooth.of(l.grant(l.North), l.secret(l.North).Name)).To(Equal(d.writes))
			Expect(len(d.writes)).To(BeNumerically("<=", 5))
			// A write that arrives though its answer is lost leaves what the next number of writes leaves.
			for after := 0; ; after++ {
				if c := play(after); !c.died {
					Expect(after).To(BeNumerically(">=", len(d.writes)), "writes: %v", c.writes)
					break
				}
			}
		},
		Entry("of issuing leaves no key without its line, and one credential at the end (invariants 8 and 9; order of writes)", deed{
			before: func(ctx context.Context, l *life) {
				Expect(client.IgnoreNotFound(l.Delete(ctx, l.grant(l.North)))).To(Succeed())
				Eventually(l.gone).WithContext(ctx).Should(Succeed())
			},
			do: create, done: (*life).inOrder,
			writes: []string{
				"patch RegistryAccessGrant " + finalizers, "status RegistryAccessGrant [Issuing]", "create Secret", "status RegistryAccessGrant [Active]",
			},
		}),
		Entry("of a rotation keeps the old credential until the new one is delivered (invariants 8 and 9)", deed{
			before: func(ctx context.Context, l *life) {
				ready(ctx, l)
				l.pass(3 * time.Minute) // past the overlap of the last rotation
				Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.Credentials", HaveLen(1)))
			},
			do: func(ctx context.Context, l *life) {
				grant, err := seen(ctx, l, l.grant(l.North))()
				Expect(err).NotTo(HaveOccurred())
				l.clock.SetTime(grant.Status.Credentials[0].RenewAt.Time)
			},
			done: func(l *life, ctx context.Context) error {
				if err := l.inOrder(ctx); err != nil {
					return err
				}
				grant, err := seen(ctx, l, l.grant(l.North))()
				if err == nil && (len(grant.Status.Credentials) == 0 || grant.Status.Credentials[0].State != v1alpha1.CredentialSuperseded) {
					return errors.New("not renewed")
				}
				return err
			},
			writes: []string{"status RegistryAccessGrant [Active Issuing]", "update Secret", "status RegistryAccessGrant [Superseded Active]"},
		}),
		Entry("of a suspension leaves no right and, at the end, no key (invariants 2 and 8)", deed{
			before: ready,
			do:     func(ctx context.Context, l *life) { change(ctx, l, l.grant(l.North), suspend(ptr.To(true))) },
			done:   (*life).withdrawn, taking: true,
			writes: []string{"status RegistryAccessGrant []", "delete Secret"},
		}),
		Entry("of a deletion leaves neither grant nor key (invariants 1 and 8)", deed{
			before: ready,
			do:     func(ctx context.Context, l *life) { Expect(l.Delete(ctx, l.grant(l.North))).To(Succeed()) },
			done:   (*life).gone, taking: true,
			writes: []string{"delete Secret", "patch RegistryAccessGrant []"},
		}),
	)
})
