// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testworld"
)

const overlap = 10 * time.Second

// TestInvariant1_ARotatedCredentialServesUntilItsOverlapEnds rotates a credential under load. Nobody is refused
// wrongly: the former certificate serves to the instant that the ledger names and not beyond, and a system that
// takes the new one into use once it is listed does not notice the change.
func TestInvariant1_ARotatedCredentialServesUntilItsOverlapEnds(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	line := newWire(t, shared.of(t).Config.Host)
	s := shared.begin(t, settings{cluster: line.through, world: func(w *testworld.World) {
		w.Archive.Spec.Credentials = &v1alpha1.CredentialPolicy{LifetimeSeconds: ptr.To[int32](1800), OverlapSeconds: ptr.To(int32(overlap / time.Second))}
	}})
	c := s.open(s.North, nil)
	former := s.ledger(c.unit)
	g.Expect(former).To(HaveLen(1))
	opened := time.Now()

	var over atomic.Bool
	var load sync.WaitGroup
	for range 3 {
		load.Go(func() {
			for !over.Load() {
				_ = c.access() // the use log tells how it went
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	defer load.Wait()
	defer over.Store(true)
	renewed := time.Now()
	g.Expect(s.renewNow(c.unit)).To(Succeed())
	var fresh *archiveclient.Client
	var eager atomic.Int64
	g.Eventually(func() string {
		credential, err := s.Credential(background, s.UnitSecret(c.unit))
		if err != nil || pki.FingerprintOf(credential.Certificate.Leaf).String() == former[0].Fingerprint {
			return "not yet delivered"
		}
		if fresh == nil {
			fresh = s.callerWith(s.archive, credential)
		}
		_, err = fresh.FindClient(background, c.code)
		if err != nil {
			eager.Add(1)
		}
		return reasonOf(err)
	}).WithPolling(time.Millisecond).Should(Equal(allowed))
	listed := time.Now()
	// From here on the archive hears nothing from the API server: the overlap ends by its own clock.
	line.freeze()
	thaw := sync.OnceFunc(line.thaw)
	defer thaw()
	t.Logf("refusals between the Secret and the ledger's line being Active at the archive: %d", eager.Load())
	for range 2 {
		load.Go(func() {
			for !over.Load() {
				_, err := fresh.FindClient(background, c.code)
				if err != nil {
					t.Errorf("with the new certificate: %v", err)
					return
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	var until time.Time
	for _, line := range s.ledger(c.unit) {
		if line.Fingerprint == former[0].Fingerprint && line.AcceptUntil != nil {
			until = line.AcceptUntil.Time
		}
	}
	g.Expect(until).To(And(BeTemporally(">=", renewed.Add(overlap-time.Second)), BeTemporally("<=", listed.Add(overlap+time.Second))), "in whole seconds")
	g.Eventually(c.access).Should(Equal("credential-superseded"))
	g.Eventually(func() []v1alpha1.Credential { return s.ledger(c.unit) }).
		Should(ConsistOf(HaveField("State", v1alpha1.CredentialActive)), "the former line goes when its time is over")
	thaw()
	g.Eventually(c.access).Should(Equal("credential-not-listed"))
	over.Store(true)
	load.Wait()

	var served, superseded, gone int
	for _, row := range s.stopForLog(s.archive) {
		if row.CertificateThumbprint != former[0].Fingerprint || row.Time.Before(opened) {
			continue
		}
		if row.Outcome == store.OutcomeAllowed && row.Time.Before(until) {
			served++
			continue
		}
		g.Expect(row.Outcome).To(Equal(store.OutcomeRefused), "%+v", row)
		g.Expect(row.Time).To(BeTemporally(">=", until), "%+v", row)
		switch row.Reason {
		case "credential-superseded":
			superseded++
		case "credential-not-listed":
			gone++
		default:
			t.Errorf("refused for %s", row.Reason)
		}
	}
	t.Logf("served %d, then refused as superseded %d, then as not listed %d", served, superseded, gone)
	g.Expect(superseded).To(BeNumerically(">", 0), "the overlap ends by the archive's own clock")
}

// ledger is the ledger of a unit's grant.
func (s *scene) ledger(unit *v1alpha1.ProducerUnit) []v1alpha1.Credential {
	grant := s.grantOf(unit)
	if err := s.Get(background, client.ObjectKeyFromObject(grant), grant); err != nil {
		return nil
	}
	return grant.Status.Credentials
}

// renewNow makes the renewal point of a unit's credential come.
func (s *scene) renewNow(unit *v1alpha1.ProducerUnit) error {
	grant := s.grantOf(unit)
	if err := renew(s, grant, func() []v1alpha1.Credential { return grant.Status.Credentials }); err != nil {
		return err
	}
	return change(s, grant, func(o *v1alpha1.RegistryAccessGrant) { o.Annotations = map[string]string{"look": "again"} })
}

// renew makes the renewal points of a ledger come. It changes the ledger that it has seen or none: the controllers write it,
// too.
func renew(s *scene, o client.Object, ledger func() []v1alpha1.Credential) error {
	return retry.RetryOnConflict(wait.Backoff{Duration: 20 * time.Millisecond, Factor: 1.2, Steps: 30}, func() error {
		if err := s.Get(background, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		before := o.DeepCopyObject().(client.Object)
		for i := range ledger() {
			ledger()[i].RenewAt = metav1.NewTime(time.Now().Add(-time.Second).Truncate(time.Second))
		}
		return s.Status().Patch(background, o, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
}
