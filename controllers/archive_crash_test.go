// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/workload"
)

// wrongs tells what is wrong with a workload in the middle of being made or ended: pods without their keys on record,
// keys that changed, something that is made before there is a finalizer, something that stays when it has gone.
func (l *life) wrongs(ctx context.Context, identity *[]byte) (found []string) {
	there := func(o client.Object) bool { return missing(ctx, l, o)() != nil }
	archive := l.Archive.DeepCopy()
	exists := l.Get(ctx, client.ObjectKeyFromObject(archive), archive) == nil
	held := exists && slices.Contains(archive.Finalizers, controllers.ArchiveFinalizer)
	keys := l.keys()
	if l.Get(ctx, client.ObjectKeyFromObject(keys), keys) == nil {
		if *identity != nil && !bytes.Equal(*identity, keys.Data[workload.IdentityKey]) {
			found = append(found, "the keys are others than before")
		}
		*identity = keys.Data[workload.IdentityKey]
	} else if *identity != nil {
		found = append(found, "the keys are gone")
	}
	for _, o := range append(l.children(), &corev1.Secret{ObjectMeta: l.meta("-ca")}) {
		stays := o.GetName() == l.volume().Name || o.GetName() == l.keys().Name
		if there(o) && !held && !stays && metaControlled(o) {
			found = append(found, fmt.Sprintf("%T %s is there, and the Archive is not held", o, o.GetName()))
		}
	}
	if there(l.statefulSet()) && archive.DeletionTimestamp == nil &&
		(archive.Status.Workload == nil || archive.Status.Workload.KeysSecretName == "" || !there(l.volume()) || *identity == nil) {
		found = append(found, "pods may start without their volume, or without keys on record")
	}
	return found
}

// metaControlled tells of objects that the garbage collector does not take away: those have to be gone first.
func metaControlled(o client.Object) bool {
	return o.GetNamespace() == "" || strings.HasSuffix(o.GetName(), "-ca")
}

func haveReason(archive *v1alpha1.Archive, reason string) bool {
	ready := conditions.Get(archive, v1alpha1.ReadyCondition)
	return ready != nil && ready.Reason == reason
}

var _ = Describe("a crash of the manager", func() {
	It("between any two writes of making and of ending an archive leaves nothing that the next does not mend (invariants 9 and 11)", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.stop()
		external := l.Archive
		rounds := 0
		world := func() {
			rounds++
			l.Archive = another(external, l.Platform, fmt.Sprintf("%s-%d", external.Name, rounds))
			embedded(l.World)
			Expect(l.Create(ctx, l.Archive)).To(Succeed())
		}
		made := func() bool {
			archive := l.Archive.DeepCopy()
			return l.Get(ctx, client.ObjectKeyFromObject(archive), archive) == nil &&
				haveReason(archive, v1alpha1.VolumePendingReason) && missing(ctx, l, l.statefulSet())() != nil
		}
		ended := func() bool { return missing(ctx, l, l.Archive)() == nil }
		// play does what a manager has to do after a deed: with a crash after some writes, and then without.
		play := func(after int, identity *[]byte, done func() bool) *crash {
			GinkgoHelper()
			look := func() []string { return l.wrongs(ctx, identity) }
			c := &crash{after: after, look: look}
			l.start(c.wrap)
			Eventually(func() bool { return c.crashed() || done() }).Should(BeTrue())
			l.stop()
			last := &crash{after: -1, look: look}
			l.start(last.wrap)
			Eventually(done).Should(BeTrue(), "after %d writes: %v and then %v", after, c.writes, last.writes)
			l.stop()
			Expect(append(c.problem, last.problem...)).To(BeEmpty(), "after %d writes: %v and then %v", after, c.writes, last.writes)
			return c
		}
		for after := 0; ; after++ {
			world()
			var identity []byte
			making := play(after, &identity, made)
			Expect(l.Delete(ctx, l.Archive)).To(Succeed())
			ending := play(after, &identity, ended)
			Expect(missing(ctx, l, l.volume())()).NotTo(Succeed())
			if !making.died && !ending.died {
				Expect(making.writes).To(HaveLen(13), "%v", making.writes)
				Expect(ending.writes).To(HaveLen(9), "%v", ending.writes)
				break
			}
		}
	})
})
