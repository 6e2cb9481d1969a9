// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

const (
	// user is the user and the group of the image.
	user = int64(65532)

	// DrainDelay is how long a pod that was told to end goes on serving, until no new request is sent to it.
	DrainDelay = 10 * time.Second
	// drainTime is how long a pod then has to answer what it was asked.
	drainTime = 30 * time.Second
	// tokenLifetime is that of the tokens Kubernetes itself mounts.
	tokenLifetime = int64(3607)

	// ServerContainer serves.
	ServerContainer = "archive"
	// MigrateContainer brings the tables up to date before.
	MigrateContainer = "migrate-schema"

	dataDir    = "/var/lib/valtuus"
	serverDir  = "/etc/valtuus/server"
	keysDir    = "/etc/valtuus/keys"
	uriDir     = "/etc/valtuus/postgres"
	catalogDir = "/etc/valtuus/catalog"
	tokenDir   = "/var/run/secrets/kubernetes.io/serviceaccount"

	terminationLog = "/dev/termination-log"
)

// Ports of an archive's pods.
const (
	APIPort   = int32(8443)
	LogPort   = int32(8444)
	AdminPort = int32(8082)
)

// PodSecurity is the security context of pods: not root, and a group for what is mounted.
func PodSecurity() *corev1ac.PodSecurityContextApplyConfiguration {
	return corev1ac.PodSecurityContext().
		WithRunAsNonRoot(true).WithRunAsUser(user).WithRunAsGroup(user).
		WithFSGroup(user).WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
		WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
}

// ContainerSecurity is the security context of containers: no privilege, and nothing written but on volumes.
func ContainerSecurity() *corev1ac.SecurityContextApplyConfiguration {
	return corev1ac.SecurityContext().
		WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
		WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))
}

// StorageArgs name where documents are kept, for any command that works on them.
func (p *Plan) StorageArgs() []string {
	if p.Embedded() {
		return []string{"--data-dir=" + dataDir}
	}
	return []string{"--postgres-uri-file=" + uriDir + "/uri"}
}

// Container is a container that works on the archive's documents, with the arguments of a command of valtuus.
func (p *Plan) Container(name string, args ...string) *corev1ac.ContainerApplyConfiguration {
	resources, goLimit := resourcesOf(p.spec().Resources)
	container := corev1ac.Container().WithName(name).WithImage(p.Image()).WithArgs(args...).
		WithResources(resources).WithSecurityContext(ContainerSecurity()).
		WithTerminationMessagePath(terminationLog).WithTerminationMessagePolicy(corev1.TerminationMessageReadFile).
		WithEnv(corev1ac.EnvVar().WithName("GOMEMLIMIT").WithValue(goLimit)).
		WithVolumeMounts(writable("tmp", "/tmp"))
	if p.Embedded() {
		return container.WithVolumeMounts(writable("data", dataDir))
	}
	return container.WithVolumeMounts(mount("postgres", uriDir))
}

// Volumes are those of a Container.
func (p *Plan) Volumes() []*corev1ac.VolumeApplyConfiguration {
	volumes := []*corev1ac.VolumeApplyConfiguration{
		corev1ac.Volume().WithName("tmp").WithEmptyDir(corev1ac.EmptyDirVolumeSource()),
	}
	if p.Embedded() {
		return append(volumes, corev1ac.Volume().WithName("data").
			WithPersistentVolumeClaim(corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(ClaimName(p.name()))))
	}
	uri := p.spec().Storage.Postgres.URI
	volume := secretVolume("postgres", string(uri.Name))
	volume.Secret.WithItems(corev1ac.KeyToPath().WithKey(uri.Key).WithPath("uri"))
	return append(volumes, volume)
}

// KeysMount mounts the archive's keys, and KeysVolume is the volume for that.
func KeysMount() *corev1ac.VolumeMountApplyConfiguration { return mount("keys", keysDir) }

// KeysVolume is the volume of KeysMount.
func (p *Plan) KeysVolume() *corev1ac.VolumeApplyConfiguration {
	return secretVolume("keys", p.KeysSecret)
}

// KeysArgs name the files of the archive's keys.
func KeysArgs() []string {
	return []string{
		"--identity-key-file=" + keysDir + "/" + IdentityKey,
		"--client-key-file=" + keysDir + "/" + ClientKey,
		"--log-key-file=" + keysDir + "/" + LogKey,
	}
}

// PodSpec is what every pod of an archive has: who it is, and no token but what it mounts itself.
func (p *Plan) PodSpec() *corev1ac.PodSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(ServiceAccountName(p.name())).WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).WithSecurityContext(PodSecurity())
	for _, name := range p.spec().ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(string(name)))
	}
	return spec
}

// template is the template of the pods that serve.
func (p *Plan) template() *corev1ac.PodTemplateSpecApplyConfiguration {
	spec := p.PodSpec().
		WithTerminationGracePeriodSeconds(int64((DrainDelay+drainTime)/time.Second)).
		WithInitContainers(p.Container(MigrateContainer, append([]string{"archive", "migrate-schema", "--termination-log=" + terminationLog}, p.StorageArgs()...)...)).
		WithContainers(p.server()).
		WithVolumes(p.Volumes()...).
		WithVolumes(p.KeysVolume(), secretVolume("server", p.ServerSecret), tokenVolume())
	p.restore(spec)
	if catalog := p.spec().CatalogConfigMapName; catalog != "" {
		spec.WithVolumes(corev1ac.Volume().WithName("catalog").
			WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(string(catalog))))
	}
	if !p.Embedded() {
		// Of one rollout, so that a new pod is not kept from where an old one still is.
		for _, key := range []string{corev1.LabelHostname, corev1.LabelTopologyZone} {
			spec.WithTopologySpreadConstraints(corev1ac.TopologySpreadConstraint().
				WithMaxSkew(1).WithTopologyKey(key).WithWhenUnsatisfiable(corev1.ScheduleAnyway).
				WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(p.Selector())).
				WithMatchLabelKeys("pod-template-hash"))
		}
	}
	template := corev1ac.PodTemplateSpec().WithLabels(p.labels()).WithSpec(spec).
		WithAnnotations(map[string]string{"kubectl.kubernetes.io/default-container": ServerContainer})
	if p.Checksum != "" {
		template.WithAnnotations(map[string]string{checksumAnnotation: p.Checksum})
	}
	return template
}

func (p *Plan) server() *corev1ac.ContainerApplyConfiguration {
	args := []string{
		"archive", "--archive=" + p.namespace() + "/" + p.name(),
		fmt.Sprintf("--listen=:%d", APIPort), fmt.Sprintf("--log-listen=:%d", LogPort), fmt.Sprintf("--admin-listen=:%d", AdminPort),
		"--tls-cert=" + serverDir + "/" + corev1.TLSCertKey, "--tls-key=" + serverDir + "/" + corev1.TLSPrivateKeyKey,
		"--client-ca=" + serverDir + "/ca.crt",
		"--migrate=false", "--drain-delay=" + DrainDelay.String(), "--termination-log=" + terminationLog,
	}
	args = append(append(args, p.StorageArgs()...), KeysArgs()...)
	for _, witness := range p.spec().LogWitnesses {
		args = append(args, "--log-witness="+witness.URL+"="+witness.Key)
	}
	catalog := p.spec().CatalogConfigMapName != ""
	if catalog {
		args = append(args, "--catalog="+catalogDir)
	}
	probe := func(path string) *corev1ac.ProbeApplyConfiguration {
		return corev1ac.Probe().WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString("admin")))
	}
	container := p.Container(ServerContainer, args...).
		WithPorts(port("api", APIPort), port("log", LogPort), port("admin", AdminPort)).
		// A pod that waits for its database or the API server is not restarted for that.
		WithStartupProbe(probe("/healthz").WithPeriodSeconds(2).WithTimeoutSeconds(2).WithFailureThreshold(300)).
		// It serves while its view is fresh and its store answers.
		WithReadinessProbe(probe("/readyz").WithPeriodSeconds(3).WithTimeoutSeconds(3).WithFailureThreshold(2)).
		// It is alive whatever happens to the database: a restart would mend nothing there.
		WithLivenessProbe(probe("/healthz").WithPeriodSeconds(20).WithTimeoutSeconds(5).WithFailureThreshold(3)).
		WithVolumeMounts(KeysMount(), mount("server", serverDir), mount("api-access", tokenDir))
	if catalog {
		container.WithVolumeMounts(mount("catalog", catalogDir))
	}
	return container
}

func port(name string, number int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(number).WithProtocol(corev1.ProtocolTCP)
}

func mount(volume, path string) *corev1ac.VolumeMountApplyConfiguration {
	return writable(volume, path).WithReadOnly(true)
}

func writable(volume, path string) *corev1ac.VolumeMountApplyConfiguration {
	return corev1ac.VolumeMount().WithName(volume).WithMountPath(path)
}

func secretVolume(name, secret string) *corev1ac.VolumeApplyConfiguration {
	return corev1ac.Volume().WithName(name).
		WithSecret(corev1ac.SecretVolumeSource().WithSecretName(secret).WithDefaultMode(0o440))
}

// tokenVolume is what Kubernetes would mount into every container, for the one that needs it.
func tokenVolume() *corev1ac.VolumeApplyConfiguration {
	return corev1ac.Volume().WithName("api-access").WithProjected(corev1ac.ProjectedVolumeSource().WithDefaultMode(0o440).WithSources(
		corev1ac.VolumeProjection().WithServiceAccountToken(corev1ac.ServiceAccountTokenProjection().
			WithPath("token").WithExpirationSeconds(tokenLifetime)),
		corev1ac.VolumeProjection().WithConfigMap(corev1ac.ConfigMapProjection().WithName("kube-root-ca.crt").
			WithItems(corev1ac.KeyToPath().WithKey("ca.crt").WithPath("ca.crt"))),
		corev1ac.VolumeProjection().WithDownwardAPI(corev1ac.DownwardAPIProjection().WithItems(
			corev1ac.DownwardAPIVolumeFile().WithPath("namespace").
				WithFieldRef(corev1ac.ObjectFieldSelector().WithAPIVersion("v1").WithFieldPath("metadata.namespace")))),
	))
}
