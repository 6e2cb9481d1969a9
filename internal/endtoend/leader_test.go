// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// leaseOfManagers is the Lease that the managers elect their leader with.
var leaseOfManagers = client.ObjectKey{Namespace: "default", Name: "valtuus-manager.valtuus.io"}

// managerProcess starts a manager as a process of its own.
func (c *cluster) managerProcess(t *testing.T, name string) *binary {
	t.Helper()
	g := NewWithT(t)
	dir := t.TempDir()
	cfg, err := testworld.LeaderConfig(c.Env, leaseOfManagers.Namespace)
	g.Expect(err).NotTo(HaveOccurred())
	kubeconfig := filepath.Join(dir, "kubeconfig")
	g.Expect(testenv.WriteKubeconfig(cfg, kubeconfig)).To(Succeed())
	b := &binary{log: filepath.Join(dir, name+".log"), command: []string{
		program(t), "manager", "--kubeconfig", kubeconfig, "--leader-election-namespace", leaseOfManagers.Namespace,
		"--metrics-address", "0", "--probe-address", "0",
	}}
	g.Expect(b.launch(t)).To(Succeed())
	return b
}

// TestAKilledLeaderLosesNothing kills the leader of two managers in the middle of issuing credentials and of enforcing
// ends. The other takes over: every unit gets its credential, each certificate that was delivered is in the ledger, and
// every end is enforced.
func TestAKilledLeaderLosesNothing(t *testing.T) {
	c := disturbed.toItself(t)
	g := NewWithT(t)
	g.Expect(c.withoutManager()).To(Succeed())
	leader := c.managerProcess(t, "leader")
	const several = 40
	var names []string
	for i := range several {
		names = append(names, fmt.Sprintf("unit-%02d", i))
	}
	var units map[string]*v1alpha1.ProducerUnit
	s := c.begin(t, settings{world: func(w *testworld.World) { units = addUnits(w, names...) }})
	lease := &coordinationv1.Lease{}
	g.Expect(s.Get(background, leaseOfManagers, lease)).To(Succeed())
	first := *lease.Spec.HolderIdentity
	standby := c.managerProcess(t, "standby")
	defer func() { g.Expect(standby.stop()).To(Succeed()) }()

	ending := make([]*v1alpha1.ServiceRelationship, several)
	for i := range ending {
		ending[i] = s.Relationship(s.North.Spec.OID)
		g.Expect(s.Create(background, ending[i])).To(Succeed())
	}
	s.open(s.North, nil) // the controllers have come that far
	for _, unit := range units {
		g.Expect(s.Create(background, unit)).To(Succeed())
	}

	var killed time.Time
	for i, name := range names {
		if i == several/2 {
			g.Eventually(func() int { return s.delivered(g) }).WithPolling(time.Millisecond).Should(BeNumerically(">", 3))
			g.Expect(leader.running.Process.Kill()).To(Succeed())
			killed = time.Now()
			_ = leader.running.Wait()
		}
		g.Expect(s.Create(background, s.Relationship(units[name].Spec.OID))).To(Succeed())
		g.Expect(change(s, ending[i], func(r *v1alpha1.ServiceRelationship) { r.Spec.End = instant(time.Now()) })).To(Succeed())
	}
	had := s.delivered(g)
	t.Logf("%d credentials were delivered when the leader was killed", had-1)
	g.Expect(had).To(BeNumerically("<", several), "nothing was left to do")
	g.Eventually(func() int { return s.delivered(g) }, "60s").Should(BeNumerically(">", had))
	t.Logf("the standby issues %s after the kill", time.Since(killed).Round(time.Millisecond))
	g.Expect(s.Get(background, leaseOfManagers, lease)).To(Succeed())
	g.Expect(*lease.Spec.HolderIdentity).NotTo(Equal(first))

	for _, name := range names {
		g.Eventually(func() int { return s.activeOf(units[name]) }).Should(Equal(1), name)
	}
	for _, r := range ending {
		g.Eventually(func() (string, error) {
			seen, err := seen(s, r)()
			return enforced(seen), err
		}).ShouldNot(BeEmpty())
	}
	s.holdLedgers(g)
}

// delivered counts the credentials that the producer has.
func (s *scene) delivered(g Gomega) (n int) { return len(s.secrets(g)) }

func (s *scene) secrets(g Gomega) []corev1.Secret {
	var list corev1.SecretList
	g.Expect(s.List(background, &list, client.InNamespace(s.Producer))).To(Succeed())
	return list.Items
}

// activeOf counts the active credentials in the ledger of a unit.
func (s *scene) activeOf(unit *v1alpha1.ProducerUnit) (n int) {
	for _, entry := range s.ledger(unit) {
		if entry.State == v1alpha1.CredentialActive {
			n++
		}
	}
	return n
}

// holdLedgers holds that each certificate that was delivered is in a ledger.
func (s *scene) holdLedgers(g Gomega) {
	var grants v1alpha1.RegistryAccessGrantList
	g.Expect(s.List(background, &grants, client.InNamespace(s.Organizer))).To(Succeed())
	listed := map[string]bool{}
	for i := range grants.Items {
		for _, entry := range grants.Items[i].Status.Credentials {
			listed[entry.Fingerprint] = true
		}
	}
	for _, secret := range s.secrets(g) {
		credential, err := archiveclient.ReadCredential(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey], secret.Data["ca.crt"])
		g.Expect(err).NotTo(HaveOccurred(), secret.Name)
		g.Expect(listed).To(HaveKey(pki.FingerprintOf(credential.Certificate.Leaf).String()), secret.Name)
	}
}
