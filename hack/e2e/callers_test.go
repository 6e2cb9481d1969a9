// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/hack/e2e/wire"
)

// caller is a client system in a pod.
type caller struct {
	s               *suite
	namespace, name string
}

const cardSecret = "professional-card"

// makeCard puts a professional's card where a client system mounts it.
func (s *suite) makeCard(t *testing.T, namespace string) {
	t.Helper()
	g := NewWithT(t)
	card, err := s.cards.Issue("1001", time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour))
	g.Expect(err).NotTo(HaveOccurred())
	err = s.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: cardSecret},
		Data: map[string][]byte{
			"card.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: card.Chain[0].Raw}),
			"card.key": card.Key.PEM(),
		},
	})
	if !apierrors.IsAlreadyExists(err) {
		g.Expect(err).NotTo(HaveOccurred())
	}
}

// startCaller runs a client system with the credential of a Secret, and waits until it takes orders.
func (s *suite) startCaller(t *testing.T, namespace, name, endpoint, registry, secret string) *caller {
	t.Helper()
	g := NewWithT(t)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: ptr.To(false), EnableServiceLinks: ptr.To(false), TerminationGracePeriodSeconds: ptr.To[int64](1),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](65532), FSGroup: ptr.To[int64](65532),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "caller", Image: callerImage, Args: []string{"--idle"},
				ReadinessProbe: &corev1.Probe{
					ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromInt32(wire.Port)}},
					PeriodSeconds: 1, TimeoutSeconds: 5,
				},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), ReadOnlyRootFilesystem: ptr.To(true),
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
	if secret != "" {
		s.makeCard(t, namespace)
		c := &pod.Spec.Containers[0]
		c.Args = []string{"--endpoint=" + endpoint, "--registry=" + registry, "--credential=/credential", "--card=/card"}
		for volume, from := range map[string]string{"credential": secret, "card": cardSecret} {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: from, DefaultMode: ptr.To[int32](0o440)},
			}})
			c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: "/" + volume, ReadOnly: true})
		}
	}
	g.Expect(s.Create(t.Context(), pod)).To(Succeed())
	s.must(t, admin, "-n", namespace, "wait", "--for=condition=Ready", "pod/"+name, inTime)
	return &caller{s, namespace, name}
}

// tell gives an order through the API server's way to pods, and returns how it went.
func (c *caller) tell(ctx context.Context, order wire.Order) (answer wire.Answer, err error) {
	body, err := json.Marshal(order)
	if err != nil {
		return answer, err
	}
	raw, err := c.s.api.CoreV1().RESTClient().Post().Namespace(c.namespace).Resource("pods").
		Name(fmt.Sprintf("%s:%d", c.name, wire.Port)).SubResource("proxy").Suffix("order").
		SetHeader("Content-Type", "application/json").Body(body).DoRaw(ctx)
	if err != nil {
		return answer, fmt.Errorf("%s is told to %s: %w", c.name, order.Do, err)
	}
	return answer, json.Unmarshal(raw, &answer)
}

// does gives an order that has to be allowed.
func (c *caller) does(t *testing.T, order wire.Order) wire.Answer {
	t.Helper()
	answer, err := c.tell(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Outcome != wire.Allowed {
		t.Fatalf("%s: %s: %s %s", c.name, order.Do, answer.Outcome, answer.Detail)
	}
	return answer
}

// refused gives an order that has to be refused for the reason.
func (c *caller) refused(t *testing.T, reason string, order wire.Order) {
	t.Helper()
	answer, err := c.tell(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	NewWithT(t).Expect(answer).To(And(HaveField("Outcome", reason), HaveField("Refused", true)), "%s: %s", c.name, order.Do)
	fmt.Printf("e2e: %s is refused %s: %s\n", c.name, order.Do, answer.Detail)
}

// eventually gives an order until its outcome is the one that is waited for.
func (c *caller) eventually(t *testing.T, outcome string, order wire.Order) (answer wire.Answer) {
	t.Helper()
	NewWithT(t).Eventually(func() (string, error) {
		var err error
		answer, err = c.tell(t.Context(), order)
		return answer.Outcome, err
	}).Should(Equal(outcome), func() string { return c.name + ": " + order.Do + ": " + answer.Detail })
	return answer
}

// load starts a load.
func (c *caller) load(t *testing.T, name string, rate int, patient bool, work ...wire.Order) *running {
	t.Helper()
	c.does(t, wire.Order{Do: wire.StartLoad, Name: name, Rate: rate, Patient: patient, Work: work})
	return &running{c, name}
}

// running is a load at work.
type running struct {
	*caller
	load string
}

func (r *running) mark(t *testing.T) { r.does(t, wire.Order{Do: wire.MarkLoad, Name: r.load}) }

func (r *running) told(t *testing.T, within time.Duration) *wire.Load {
	t.Helper()
	return r.does(t, wire.Order{Do: wire.TellLoad, Name: r.load, Within: within}).Load
}

// stop ends the load once all of it is answered, and reads again what was acknowledged.
func (r *running) stop(t *testing.T) *wire.Load {
	t.Helper()
	r.does(t, wire.Order{Do: wire.StopLoad, Name: r.load})
	return r.does(t, wire.Order{Do: wire.CheckLoad, Name: r.load}).Load
}

// flowing waits until the load has been answered since the mark.
func (r *running) flowing(t *testing.T, requests int) {
	t.Helper()
	r.mark(t)
	NewWithT(t).Eventually(func() int { return r.told(t, 0).Marked.Outcomes[wire.Allowed] }).Should(BeNumerically(">=", requests))
}
