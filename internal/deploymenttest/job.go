// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// nobody is the user that the image runs as.
const nobody = 65532

// OrganizerSecret and ProducerSecret name the Secrets, in a test's namespace, with its parties' credentials. Of an observed
// test the producer's is in its own namespace instead.
func OrganizerSecret(test string) string { return test + "-organizer" }

// ProducerSecret is described at OrganizerSecret.
func ProducerSecret(test string) string { return test + "-producer" }

// JobName is the name of the Job that plays both parties of a simulated test.
func JobName(test string) string { return test + "-simulation" }

// Job describes the Job that plays both parties until the window closes. Endpoint is the archive's.
func Job(p *Plan, image, endpoint string, remaining time.Duration) *batchv1.Job {
	test := p.Test
	simulation := test.Spec.Simulation
	mounts := []struct{ name, secret string }{
		{"organizer-credential", OrganizerSecret(test.Name)},
		{"producer-credential", ProducerSecret(test.Name)},
		{"organizer-card", string(simulation.OrganizerCardSecretName)},
		{"producer-card", string(simulation.ProducerCardSecretName)},
	}
	args := []string{"tests", "simulate"}
	container := corev1.Container{
		Name: "simulation", Image: image, ImagePullPolicy: corev1.PullIfNotPresent,
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: ptr.To(false), ReadOnlyRootFilesystem: ptr.To(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
	pod := corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: ptr.To(false), EnableServiceLinks: ptr.To(false),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To(int64(nobody)), RunAsGroup: ptr.To(int64(nobody)), FSGroup: ptr.To(int64(nobody)),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
	for _, m := range mounts {
		path := "/etc/valtuus/" + m.name
		args = append(args, "--"+m.name, path)
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: m.name, MountPath: path, ReadOnly: true})
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: m.name, VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: m.secret, DefaultMode: ptr.To(int32(0o440))},
		}})
	}
	container.Args = append(args, "--registry", string(RegistryOID(test.UID)), "--unit", string(test.Spec.Run.ProducerUnit),
		"--service-task", string(test.Spec.Run.ServiceTask), "--endpoint", endpoint,
		"--organizer-format", p.stores(v1alpha1.FormatJSON, v1alpha1.FormatXHTML), "--producer-format", p.stores(v1alpha1.FormatXHTML, v1alpha1.FormatJSON))
	pod.Containers = []corev1.Container{container}
	meta := child(test, nil)
	meta.Name = JobName(test.Name)
	labels := map[string]string{"app.kubernetes.io/managed-by": "valtuus", "app.kubernetes.io/component": "simulation"}
	return &batchv1.Job{
		ObjectMeta: meta,
		Spec: batchv1.JobSpec{
			// A try that fails is told as a step that was not seen; one more shows whether it was chance.
			BackoffLimit: ptr.To(int32(1)), ActiveDeadlineSeconds: ptr.To(max(int64(remaining/time.Second), 1)),
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	}
}

// stores is the media type of what a party of a simulation stores: of the formats that both systems declare, so that the
// step is seen and the other can read it, the first that there is.
func (p *Plan) stores(preferred, other v1alpha1.DocumentFormat) string {
	declared := func(o *v1alpha1.ClientSystem) bool { return o != nil && slices.Contains(o.Spec.Formats, preferred) }
	if !declared(p.Organizer) || !declared(p.Producer) {
		preferred = other
	}
	return map[v1alpha1.DocumentFormat]string{v1alpha1.FormatJSON: "application/json", v1alpha1.FormatXHTML: "application/xhtml+xml"}[preferred]
}
