// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// open is a test whose window is open.
func open() *v1alpha1.DeploymentTest {
	const uid = types.UID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
	at := func(d time.Duration) metav1.Time { return metav1.NewTime(noon.Add(d)) }
	return &v1alpha1.DeploymentTest{
		ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: "pair", UID: uid},
		Spec:       v1alpha1.DeploymentTestSpec{Run: &v1alpha1.TestRun{}},
		Status: v1alpha1.DeploymentTestStatus{
			RegistryOID: v1alpha1.OID(OIDOf(uid)),
			Window:      &v1alpha1.TestWindow{OpensAt: at(0), ClosesAt: at(time.Hour), OpenedAt: ptr.To(at(0))},
		},
	}
}

func deleted(o *v1alpha1.DeploymentTest) { o.DeletionTimestamp = ptr.To(metav1.NewTime(noon)) }
func canceled(o *v1alpha1.DeploymentTest) {
	o.Spec.Cancellation = &v1alpha1.TestCancellation{Reason: "a flood"}
}

// TestATestEndsWithoutItsController: a close, a deletion and a cancellation each refuse the test's registry from the moment
// that the archive hears of them, and what is heard later opens it for nobody.
func TestATestEndsWithoutItsController(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*v1alpha1.DeploymentTest)
		over   bool
	}{
		"open":              {func(*v1alpha1.DeploymentTest) {}, false},
		"closed":            {func(o *v1alpha1.DeploymentTest) { o.Status.Window.ClosedAt = ptr.To(metav1.NewTime(noon)) }, true},
		"deleted":           {deleted, true},
		"called off":        {canceled, true},
		"without a window":  {func(o *v1alpha1.DeploymentTest) { canceled(o); o.Status.Window = nil }, true},
		"of another's name": {func(o *v1alpha1.DeploymentTest) { deleted(o); o.Status.RegistryOID = "2.25.7" }, false},
	} {
		for _, listed := range []bool{false, true} {
			g := NewWithT(t)
			o, object := New(Options{}), open()
			c.change(object)
			if listed {
				o.learn(news{all: map[types.UID]*v1alpha1.DeploymentTest{object.UID: object}})
			} else {
				o.learn(news{changed: object})
			}
			g.Expect(o.Over(OIDOf(object.UID))).To(Equal(c.over), name)
			g.Expect(o.Over("2.25.7")).To(BeFalse(), "nobody else's registry")
			o.learn(news{changed: open()})
			g.Expect(o.Over(OIDOf(object.UID))).To(Equal(c.over), "%s, and undone", name)
		}
	}
}

// closings is a store that notes which test registries are closed, and refuses everything else.
type closings struct {
	Store
	closed map[string]time.Time
}

func (c *closings) CloseTestRegistry(_ context.Context, registry string, at time.Time) error {
	c.closed[registry] = at
	return nil
}

// TestAnEndWithoutItsControllerIsKept: the store refuses the registry too, for every replica and after a restart, and nothing
// is destroyed before the window has closed.
func TestAnEndWithoutItsControllerIsKept(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.DeploymentTest){"deleted": deleted, "called off": canceled} {
		g := NewWithT(t)
		kept, object := &closings{closed: map[string]time.Time{}}, open()
		oid := OIDOf(object.UID)
		o := New(Options{Store: kept})
		o.take(store.TestRegistry{OID: oid, TestUID: string(object.UID), Opened: noon})
		attend := func() {
			o.learn(news{changed: object})
			tested := o.tests[object.UID]
			tested.saidAt = noon
			g.Expect(o.attend(t.Context(), tested, noon)).To(Succeed(), name)
		}
		attend()
		g.Expect(kept.closed).To(BeEmpty())
		object = object.DeepCopy()
		change(object)
		attend()
		g.Expect(kept.closed).To(Equal(map[string]time.Time{oid: noon}), name)

		// What was asked around the controller's close is waited for, however long ago the end was.
		object = object.DeepCopy()
		object.Status.Window.ClosedAt = ptr.To(metav1.NewTime(noon.Add(time.Hour)))
		o.learn(news{changed: object})
		o.tests[object.UID].saidAt = time.Time{}
		g.Expect(o.attend(t.Context(), o.tests[object.UID], noon.Add(time.Hour+settleFor/2))).To(Succeed(), "nothing is read or told yet")

		// Another replica knows it from the store alone.
		other := New(Options{})
		other.take(o.rows[oid])
		g.Expect(other.Over(oid)).To(BeTrue())
	}
}
