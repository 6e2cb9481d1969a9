// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

// loadRate is the requests per second of the roll-out, as the issue of this suite asks.
const loadRate = 200

// work is what a unit does all day: it finds and reads, and now and then it writes.
func (r *registry) work() []wire.Order {
	reads := []wire.Order{{Do: wire.Read, Document: r.note}, {Do: wire.Find, Code: r.code}, {Do: wire.Read, Document: r.decision}}
	return append(slices.Repeat(reads, 5), wire.Order{Do: wire.Store, Client: r.client, Type: "case-note", Task: "elderly"})
}

const kills = 3

// killReplicas kills one of two replicas as kill -9 does, three times. Requests that are sent once fail only where they
// were on their way to the one that was killed; a client that repeats, as the library does, gets all of them answered.
// What was acknowledged is there.
func (l *life) killReplicas(t *testing.T) {
	g := NewWithT(t)
	once := l.county.unit.load(t, "once", loadRate/2, false, l.county.work()...)
	patient := l.county.unit.load(t, "patient", loadRate/2, true, l.county.work()...)
	patient.flowing(t, loadRate)
	var gap, longest float64
	for range kills {
		pods := l.allReady(t, "platform", archiveLabels("county"), 2)
		// A pod that has been killed before is started again more slowly.
		slices.SortFunc(pods, func(a, b corev1.Pod) int {
			return int(a.Status.ContainerStatuses[0].RestartCount - b.Status.ContainerStatuses[0].RestartCount)
		})
		once.mark(t)
		patient.mark(t)
		g.Expect(l.kill(t.Context(), &pods[0], "archive")).To(Succeed())
		g.Eventually(func(g Gomega) {
			now, err := l.pods(t.Context(), "platform", archiveLabels("county"))
			g.Expect(err).NotTo(HaveOccurred())
			for i := range now {
				g.Expect(now[i].UID == pods[0].UID && now[i].Status.ContainerStatuses[0].RestartCount == pods[0].Status.ContainerStatuses[0].RestartCount).
					To(BeFalse(), "the killed one is started again")
			}
		}).Should(Succeed())
		l.allReady(t, "platform", archiveLabels("county"), 2)
		g.Eventually(func() float64 { return patient.told(t, 0).Marked.Seconds }).Should(BeNumerically(">", 5))
		after := patient.told(t, 5*time.Second).Marked
		gap, longest = max(gap, after.P99), max(longest, after.Longest)
	}
	all := patient.stop(t)
	g.Expect(all.All.Not(wire.Allowed)).To(BeZero(), "a client that repeats: %s", strings.Join(all.Errors, "\n"))
	strict := once.stop(t)
	g.Expect(strict.All.Requests).To(Equal(strict.All.Outcomes[wire.Allowed]+strict.All.Outcomes[wire.NoAnswer]),
		"nothing is refused, and no error of the archive's: %s", strings.Join(strict.Errors, "\n"))
	g.Expect(all.Lost+strict.Lost).To(BeZero(), "of %d documents that were acknowledged", all.Stored+strict.Stored)
	l.report.say("fail-over gap, p99", gap, "ms", fmt.Sprintf("requests of the 5 s after a kill -9, repeats included; the worst of %d kills; the longest %.0f ms", kills, longest))
	l.report.say("requests that failed at a kill -9 where each is sent once", float64(strict.All.Not(wire.Allowed))/kills, "a kill",
		fmt.Sprintf("of %d/s; acknowledged documents lost: 0 of %d", loadRate/2, all.Stored+strict.Stored))
}

// rollOut has another image run, and no request fails.
func (l *life) rollOut(t *testing.T) {
	g := NewWithT(t)
	load := l.county.unit.load(t, "roll-out", loadRate, false, l.county.work()...)
	load.flowing(t, loadRate)
	before := l.allReady(t, "platform", archiveLabels("county"), 2)
	began := time.Now()
	l.must(t, platform, "-n", "platform", "patch", "archive", "county", "--type=merge", "-p",
		fmt.Sprintf(`{"spec":{"workload":{"image":%q}}}`, l.nextImage()))
	l.replaced(t, "county", before)
	took := time.Since(began)
	l.must(t, platform, "-n", "platform", "wait", inTime, "--for=jsonpath={.status.workload.image}="+l.nextImage(), "archive/county")
	load.flowing(t, loadRate)
	told := load.stop(t)
	l.report.say("requests that failed while 2 replicas were rolled out", told.All.Not(wire.Allowed), "",
		fmt.Sprintf("of %d at %.0f/s, each sent once; the roll-out took %.0f s; p99 %.0f ms, the longest %.0f ms", told.All.Requests,
			float64(told.All.Requests)/told.All.Seconds, took.Seconds(), told.All.P99, told.All.Longest))
	g.Expect(told.All.Not(wire.Allowed)).To(BeZero(), "%s", strings.Join(told.Errors, "\n"))
	g.Expect(told.Lost).To(BeZero())
}

// replaced waits until an archive has other pods, all of them ready and none started twice, and the former are gone.
func (s *suite) replaced(t *testing.T, archive string, before []corev1.Pod) {
	t.Helper()
	former := map[types.UID]bool{}
	for i := range before {
		former[before[i].UID] = true
	}
	NewWithT(t).Eventually(func(g Gomega) {
		var list corev1.PodList
		g.Expect(s.List(t.Context(), &list, client.InNamespace("platform"), archiveLabels(archive))).To(Succeed())
		g.Expect(list.Items).To(HaveLen(len(before)))
		for i := range list.Items {
			g.Expect(former).NotTo(HaveKey(list.Items[i].UID))
			g.Expect(isReady(&list.Items[i])).To(BeTrue())
			g.Expect(list.Items[i].Status.ContainerStatuses[0].RestartCount).To(BeZero())
		}
	}).Should(Succeed())
}

// drain drains the node of the archive's pods. On one node there is nowhere else to go, so that the second pod has to stay
// until there is: the archive serves all the while.
func (l *life) drain(t *testing.T) {
	g := NewWithT(t)
	load := l.county.unit.load(t, "drain", 50, false, l.county.work()...)
	load.flowing(t, 50)
	pods := l.allReady(t, "platform", archiveLabels("county"), 2)
	nodes := map[string]bool{}
	for i := range pods {
		nodes[pods[i].Spec.NodeName] = true
	}
	var all corev1.NodeList
	g.Expect(l.List(t.Context(), &all)).To(Succeed())
	defer func() {
		for i := range all.Items {
			_, err := l.kubectl(context.Background(), admin, "uncordon", all.Items[i].Name)
			g.Expect(err).NotTo(HaveOccurred())
		}
	}()
	for i := range all.Items {
		l.must(t, admin, "cordon", all.Items[i].Name)
	}
	// A pod that has just become ready is counted a moment later. Until then none of them may go.
	g.Eventually(func() (int32, error) {
		var budget policyv1.PodDisruptionBudget
		err := l.Get(t.Context(), client.ObjectKey{Namespace: "platform", Name: "county"}, &budget)
		return budget.Status.DisruptionsAllowed, err
	}).Should(BeEquivalentTo(1))
	g.Eventually(func() string {
		var said strings.Builder
		for name := range nodes {
			_, err := l.kubectl(t.Context(), admin, "drain", name, "--pod-selector=valtuus.io/archive=county", "--delete-emptydir-data", "--timeout=30s")
			if err != nil {
				said.WriteString(err.Error())
			}
		}
		return said.String()
	}).Should(ContainSubstring("violate the pod's disruption budget"))
	g.Eventually(func() (ready int, err error) {
		left, err := l.pods(t.Context(), "platform", archiveLabels("county"))
		for i := range left {
			if isReady(&left[i]) {
				ready++
			}
		}
		return ready, err
	}).Should(Equal(1))
	for i := range all.Items {
		l.must(t, admin, "uncordon", all.Items[i].Name)
	}
	l.allReady(t, "platform", archiveLabels("county"), 2)
	told := load.stop(t)
	l.report.say("requests that failed while a node was drained", told.All.Not(wire.Allowed), "", fmt.Sprintf("of %d", told.All.Requests))
	g.Expect(told.All.Not(wire.Allowed)).To(BeZero(), "%s", strings.Join(told.Errors, "\n"))
}

// leader is the pod of the manager that works.
func (s *suite) leader(t *testing.T) *corev1.Pod {
	t.Helper()
	var pod corev1.Pod
	NewWithT(t).Eventually(func(g Gomega) {
		var leases coordinationv1.LeaseList
		g.Expect(s.List(t.Context(), &leases, client.InNamespace(managerSpace))).To(Succeed())
		g.Expect(leases.Items).To(HaveLen(1))
		name, _, _ := strings.Cut(ptr.Deref(leases.Items[0].Spec.HolderIdentity, ""), "_")
		g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: managerSpace, Name: name}, &pod)).To(Succeed())
		g.Expect(isReady(&pod)).To(BeTrue())
	}).Should(Succeed())
	return &pod
}

// killLeaders kills the manager that works just before something is to be issued, and again before something is to end.
// The archive ends it without them, and the other manager goes on: one credential is issued, and it is ended. (The
// crash between any two writes is in internal/endtoend.)
func (l *life) killLeaders(t *testing.T) {
	g := NewWithT(t)
	code := newCode()
	id := l.national.organizer.does(t, wire.Order{Do: wire.Register, Code: code}).Client
	manifest := fmt.Sprintf(`
apiVersion: valtuus.io/v1alpha1
kind: ServiceRelationship
metadata: {namespace: pirkanmaa, name: southern}
spec:
  registryRef: {name: clients}
  producerUnit: %s
  clientID: %s
  serviceTasks: [elderly]
  procurement: Voucher
  start: %q
`, southOID, id, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	grant := l.national.grant(southOID)
	began := time.Now()
	g.Expect(l.kill(t.Context(), l.leader(t), "manager")).To(Succeed())
	l.apply(t, organizer, manifest)
	g.Eventually(func() error {
		return l.Get(t.Context(), client.ObjectKey{Namespace: "pirkanmaa", Name: grant}, &v1alpha1.RegistryAccessGrant{})
	}).Should(Succeed())
	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=condition=Ready", "registryaccessgrant/"+grant, inTime)
	l.report.say("a grant is ready after the leading manager was killed", time.Since(began).Seconds(), "s", "")
	ledger := l.ledger(t, grant)
	g.Expect(ledger).To(ConsistOf(HaveField("State", v1alpha1.CredentialActive)), "one credential, and no other was begun")
	unit := l.startCaller(t, "hoivakoti", "unit-southern", l.national.endpoint, l.national.oid, "etelainen-"+l.national.oid)
	g.Expect(unit.does(t, wire.Order{Do: wire.Identity}).Fingerprint).To(Equal(ledger[0].Fingerprint))
	unit.eventually(t, wire.Allowed, wire.Order{Do: wire.Find, Code: code})

	g.Expect(l.kill(t.Context(), l.leader(t), "manager")).To(Succeed())
	l.must(t, organizer, "-n", "pirkanmaa", "patch", "registryaccessgrant", grant, "--type=merge", "-p", `{"spec":{"suspend":true}}`)
	began = time.Now()
	unit.eventually(t, "grant-suspended", wire.Order{Do: wire.Find, Code: code})
	l.report.say("an end takes effect with the leading manager killed", time.Since(began).Seconds(), "s", "with the time of the question")
	l.must(t, organizer, "-n", "pirkanmaa", "wait", "--for=condition=RevocationEnforced", "registryaccessgrant/"+grant, inTime)
	g.Eventually(func() []v1alpha1.Credential { return l.ledger(t, grant) }).Should(BeEmpty())
	g.Expect(l.Get(t.Context(), client.ObjectKey{Namespace: "hoivakoti", Name: "etelainen-" + l.national.oid}, &corev1.Secret{})).NotTo(Succeed())
	l.allReady(t, managerSpace, managerLabels, 2)
	l.must(t, organizer, "-n", "pirkanmaa", "delete", "servicerelationship", "southern", inTime)
}
