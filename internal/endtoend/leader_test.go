// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// leaseOfManagers is the Lease that the managers elect their leader with.
var leaseOfManagers = client.ObjectKey{Namespace: "default", Name: "valtuus-manager.valtuus.io"}

// kept is a process that is started again when it ends by itself, as a kubelet does: a manager whose Lease runs out, as on a
// busy machine, leaves it to another start.
type kept struct {
	mutex sync.Mutex
	*binary
	over bool
}

// keep starts the process, which ends with the test at the latest.
func keep(t *testing.T, b *binary) *kept {
	t.Helper()
	k := &kept{binary: b}
	NewWithT(t).Expect(b.launch(t)).To(Succeed())
	go func() {
		for ended := b.ended; ; {
			<-ended
			k.mutex.Lock()
			if k.over {
				k.mutex.Unlock()
				return
			}
			if err := b.launch(t); err != nil {
				t.Errorf("start %s again: %v", b.command[1], err)
				k.over = true
			}
			ended = b.ended
			k.mutex.Unlock()
		}
	}()
	t.Cleanup(func() { _ = k.end((*binary).kill) })
	return k
}

// end ends the process for good; one that has just ended by itself is no error.
func (k *kept) end(how func(*binary) error) error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.over {
		return nil
	}
	k.over = true
	if err := how(k.binary); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// managerProcess starts a manager as a process of its own.
func (c *cluster) managerProcess(t *testing.T, name string) *kept {
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
	return keep(t, b)
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
	defer func() { g.Expect(standby.end((*binary).stop)).To(Succeed()) }()

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
	had := 0
	for i, name := range names {
		if i == several/2 {
			g.Eventually(func() int { return s.delivered(g) }).WithPolling(time.Millisecond).Should(BeNumerically(">", 3))
			g.Expect(leader.end((*binary).kill)).To(Succeed())
			killed, had = time.Now(), s.delivered(g)
		}
		g.Expect(s.Create(background, s.Relationship(units[name].Spec.OID))).To(Succeed())
		g.Expect(change(s, ending[i], func(r *v1alpha1.ServiceRelationship) { r.Spec.End = instant(time.Now()) })).To(Succeed())
	}
	t.Logf("%d credentials were delivered when the leader was killed", had-1)
	g.Expect(had).To(BeNumerically("<", several), "nothing was left to do")
	// What the leader had sent may still have been on its way.
	g.Eventually(func() (string, error) {
		err := s.Get(background, leaseOfManagers, lease)
		return ptr.Deref(lease.Spec.HolderIdentity, first), err
	}).ShouldNot(Equal(first))
	g.Eventually(func() int { return s.delivered(g) }).Should(BeNumerically(">", had))
	t.Logf("the standby issues %s after the kill", time.Since(killed).Round(time.Millisecond))

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
