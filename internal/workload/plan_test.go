// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

const uid = "5c7b8f0e-8ed4-4f0a-9d4c-0d2b0a0a0a0a"

// planned describes the plan of an archive; change may be nil.
func planned(storage v1alpha1.ArchiveStorage, change func(*Plan)) *Plan {
	p := &Plan{
		Archive: &v1alpha1.Archive{
			ObjectMeta: metav1.ObjectMeta{Namespace: "platform", Name: "national", UID: uid},
			Spec:       v1alpha1.ArchiveSpec{Workload: &v1alpha1.ArchiveWorkload{Storage: storage}},
		},
		Settings:     Settings{Image: "registry.example/valtuus:1.0", NetworkPolicies: true, APIServerPorts: []int32{443, 6443}},
		ServerSecret: "national-server", KeysSecret: "national-archive-keys", Checksum: "sum",
	}
	if change != nil {
		change(p)
	}
	return p
}

func onVolume(change func(*Plan)) *Plan {
	return planned(v1alpha1.ArchiveStorage{Embedded: &v1alpha1.EmbeddedStorage{Size: ptr.To(resource.MustParse("10Gi"))}}, change)
}

func onDatabase(change func(*Plan)) *Plan {
	return planned(v1alpha1.ArchiveStorage{Postgres: &v1alpha1.PostgresStorage{URI: v1alpha1.SecretKey{Name: "db-app", Key: "uri"}}}, func(p *Plan) {
		p.DatabasePorts = []int32{5433}
		if change != nil {
			change(p)
		}
	})
}

// both gives each test the two kinds of storage.
func both(t *testing.T, do func(t *testing.T, plan func(func(*Plan)) *Plan)) {
	t.Helper()
	for name, plan := range map[string]func(func(*Plan)) *Plan{"embedded": onVolume, "postgres": onDatabase} {
		t.Run(name, func(t *testing.T) { do(t, plan) })
	}
}

// read turns what is applied into the object that the API server would have.
func read[O any](t testing.TB, from runtime.ApplyConfiguration) *O {
	t.Helper()
	text, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	into := new(O)
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
	return into
}

func templateOf(t testing.TB, p *Plan) *corev1.PodTemplateSpec {
	t.Helper()
	return read[corev1.PodTemplateSpec](t, templateConfiguration{p.template()})
}

// templateConfiguration makes a template readable by read.
type templateConfiguration struct{ template any }

func (templateConfiguration) IsApplyConfiguration()          {}
func (c templateConfiguration) MarshalJSON() ([]byte, error) { return json.Marshal(c.template) }

// wanted finds the one child of a kind; nil when it should not be.
func wanted[O any](t testing.TB, p *Plan) *O {
	t.Helper()
	for _, child := range p.Children() {
		if _, ok := any(child.Object).(*O); ok {
			if child.Wanted == nil {
				return nil
			}
			return read[O](t, child.Wanted)
		}
	}
	return nil
}

func serverOf(t testing.TB, p *Plan) corev1.Container {
	t.Helper()
	containers := templateOf(t, p).Spec.Containers
	if len(containers) != 1 || containers[0].Name != ServerContainer {
		t.Fatalf("containers: %v", containers)
	}
	return containers[0]
}

func TestOnlyAnEmbeddedArchiveHasAVolumeAndOneReplica(t *testing.T) {
	g := NewWithT(t)
	embedded, postgres := onVolume(nil), onDatabase(func(p *Plan) { p.Archive.Spec.Workload.Replicas = ptr.To[int32](3) })
	g.Expect(*wanted[appsv1.StatefulSet](t, embedded).Spec.Replicas).To(Equal(int32(1)))
	g.Expect(embedded.Replicas()).To(Equal(int32(1)))
	g.Expect(wanted[corev1.PersistentVolumeClaim](t, embedded)).NotTo(BeNil())
	g.Expect(wanted[appsv1.Deployment](t, embedded)).To(BeNil())
	g.Expect(*wanted[appsv1.Deployment](t, postgres).Spec.Replicas).To(Equal(int32(3)))
	g.Expect(*wanted[appsv1.Deployment](t, onDatabase(nil)).Spec.Replicas).To(Equal(int32(2)), "left out")
	g.Expect(wanted[appsv1.StatefulSet](t, postgres)).To(BeNil())
	g.Expect(wanted[corev1.PersistentVolumeClaim](t, postgres)).To(BeNil())
}

func TestARolloutTakesNoPodAwayBeforeANewOneServes(t *testing.T) {
	g := NewWithT(t)
	strategy := wanted[appsv1.Deployment](t, onDatabase(nil)).Spec.Strategy
	g.Expect(strategy.Type).To(Equal(appsv1.RollingUpdateDeploymentStrategyType))
	g.Expect(strategy.RollingUpdate.MaxUnavailable.IntValue()).To(BeZero())
	g.Expect(strategy.RollingUpdate.MaxSurge.IntValue()).To(Equal(1))
	// In order, a pod that never becomes ready keeps a better one from taking its place.
	g.Expect(wanted[appsv1.StatefulSet](t, onVolume(nil)).Spec.PodManagementPolicy).To(Equal(appsv1.ParallelPodManagement))
}

func TestNoDisruptionBudgetBlocksTheDrainOfASinglePod(t *testing.T) {
	g := NewWithT(t)
	replicas := func(n int32) *Plan {
		return onDatabase(func(p *Plan) { p.Archive.Spec.Workload.Replicas = &n })
	}
	g.Expect(wanted[policyv1.PodDisruptionBudget](t, onVolume(nil))).To(BeNil())
	g.Expect(wanted[policyv1.PodDisruptionBudget](t, replicas(1))).To(BeNil())
	for n := int32(2); n <= 16; n++ {
		budget := wanted[policyv1.PodDisruptionBudget](t, replicas(n))
		g.Expect(budget.Spec.MaxUnavailable.IntValue()).To(Equal(1))
		g.Expect(*budget.Spec.UnhealthyPodEvictionPolicy).To(Equal(policyv1.AlwaysAllow))
	}
}

func TestTheSchemaIsBroughtUpToDateBeforeANewVersionServes(t *testing.T) {
	both(t, func(t *testing.T, plan func(func(*Plan)) *Plan) {
		g := NewWithT(t)
		p := plan(nil)
		spec := templateOf(t, p).Spec
		g.Expect(spec.InitContainers).To(HaveLen(1))
		migrate, server := spec.InitContainers[0], spec.Containers[0]
		g.Expect(migrate.Args[:2]).To(Equal([]string{"archive", "migrate-schema"}))
		g.Expect(migrate.Image).To(Equal(server.Image))
		g.Expect(server.Args).To(ContainElement("--migrate=false"))
		for _, arg := range p.StorageArgs() {
			g.Expect(migrate.Args).To(ContainElement(arg))
			g.Expect(server.Args).To(ContainElement(arg))
		}
	})
}

func TestAPodIsNotRestartedBecauseItsDatabaseIsAway(t *testing.T) {
	both(t, func(t *testing.T, plan func(func(*Plan)) *Plan) {
		g := NewWithT(t)
		server := serverOf(t, plan(nil))
		g.Expect(server.LivenessProbe.HTTPGet.Path).To(Equal("/healthz"), "which asks for nothing but an answer")
		g.Expect(server.ReadinessProbe.HTTPGet.Path).To(Equal("/readyz"))
		start := server.StartupProbe
		g.Expect(start.PeriodSeconds*start.FailureThreshold).To(BeNumerically(">=", 600), "seconds to start in")
		g.Expect(server.ReadinessProbe.TimeoutSeconds).To(BeNumerically(">", 2), "the probe itself takes up to 2 s")
	})
}

func TestAPodHasTimeToFinishWhatItWasAsked(t *testing.T) {
	both(t, func(t *testing.T, plan func(func(*Plan)) *Plan) {
		g := NewWithT(t)
		p := plan(nil)
		g.Expect(*templateOf(t, p).Spec.TerminationGracePeriodSeconds).To(BeNumerically(">=", DrainDelay.Seconds()+30))
		g.Expect(serverOf(t, p).Args).To(ContainElement("--drain-delay=" + DrainDelay.String()))
	})
}

func TestSecretsAreMountedForReadingAndAreInNoArgumentOrVariable(t *testing.T) {
	both(t, func(t *testing.T, plan func(func(*Plan)) *Plan) {
		g := NewWithT(t)
		spec := templateOf(t, plan(nil)).Spec
		secret := map[string]bool{}
		for _, volume := range spec.Volumes {
			secret[volume.Name] = volume.Secret != nil || volume.Projected != nil
		}
		for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
			g.Expect(c.EnvFrom).To(BeEmpty())
			for _, env := range c.Env {
				g.Expect(env.ValueFrom).To(BeNil(), env.Name)
			}
			for _, m := range c.VolumeMounts {
				if secret[m.Name] {
					g.Expect(m.ReadOnly).To(BeTrue(), "%s of %s", m.Name, c.Name)
				}
				g.Expect(m.SubPath).To(BeEmpty(), "such a mount is not brought up to date")
			}
		}
		for _, volume := range spec.Volumes {
			if volume.Secret != nil {
				g.Expect(*volume.Secret.DefaultMode).To(Equal(int32(0o440)), volume.Name)
			}
		}
	})
}

func TestOnlyTheServerHasAToken(t *testing.T) {
	both(t, func(t *testing.T, plan func(func(*Plan)) *Plan) {
		g := NewWithT(t)
		p := plan(nil)
		spec := templateOf(t, p).Spec
		g.Expect(*spec.AutomountServiceAccountToken).To(BeFalse())
		g.Expect(*wanted[corev1.ServiceAccount](t, p).AutomountServiceAccountToken).To(BeFalse())
		has := func(c corev1.Container) bool {
			return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == tokenDir })
		}
		g.Expect(has(spec.Containers[0])).To(BeTrue())
		g.Expect(has(spec.InitContainers[0])).To(BeFalse())
	})
}

func TestPodsAreSpreadByRollout(t *testing.T) {
	g := NewWithT(t)
	spread := templateOf(t, onDatabase(nil)).Spec.TopologySpreadConstraints
	g.Expect(spread).To(HaveLen(2))
	for _, constraint := range spread {
		g.Expect(constraint.WhenUnsatisfiable).To(Equal(corev1.ScheduleAnyway), "one node is enough")
		g.Expect(constraint.MatchLabelKeys).To(ConsistOf("pod-template-hash"))
		g.Expect(constraint.LabelSelector.MatchLabels).To(Equal(onDatabase(nil).Selector()))
	}
}

// What a process reads again by itself restarts no pod: the server certificate, the authority, the catalog.
func TestOnlyWhatIsReadAtTheStartAloneReplacesPods(t *testing.T) {
	both(t, func(t *testing.T, plan func(func(*Plan)) *Plan) {
		g := NewWithT(t)
		before := templateOf(t, plan(nil))
		after := templateOf(t, plan(func(p *Plan) {
			p.Archive.Status.ServerCertificate = &v1alpha1.ServerCertificate{Fingerprint: strings.Repeat("x", 43)}
			p.Archive.Status.CABundle = "another"
			p.Archive.Generation, p.Archive.ResourceVersion = 7, "7"
			p.Archive.Spec.Professionals.TrustAnchors = "others"
			p.Settings.APIServerPorts = []int32{8443}
		}))
		g.Expect(after).To(Equal(before))
		g.Expect(templateOf(t, plan(func(p *Plan) { p.Checksum = "other" }))).NotTo(Equal(before))
	})
}

func TestTheChecksumTellsNothingOfWhatItSumsUp(t *testing.T) {
	g := NewWithT(t)
	keys, err := NewKeys()
	g.Expect(err).NotTo(HaveOccurred())
	others, err := NewKeys()
	g.Expect(err).NotTo(HaveOccurred())
	uri := []byte("postgresql://app:guess@db/app")
	sum := Checksum(keys, uri)
	g.Expect(Checksum(keys, uri)).To(Equal(sum))
	g.Expect(Checksum(keys, []byte("postgresql://app:other@db/app"))).NotTo(Equal(sum))
	same := map[string][]byte{IdentityKey: others[IdentityKey], ClientKey: keys[ClientKey], LogKey: keys[LogKey]}
	g.Expect(Checksum(same, uri)).NotTo(Equal(sum), "a password cannot be guessed without the identity key")
	for _, key := range []string{ClientKey, LogKey} {
		changed := map[string][]byte{IdentityKey: keys[IdentityKey], ClientKey: keys[ClientKey], LogKey: keys[LogKey]}
		changed[key] = others[key]
		g.Expect(Checksum(changed, uri)).NotTo(Equal(sum), key)
	}
}

func TestDocumentsOutliveTheArchiveAndNothingElseDoes(t *testing.T) {
	both(t, func(t *testing.T, plan func(func(*Plan)) *Plan) {
		g := NewWithT(t)
		for _, child := range plan(func(p *Plan) { p.Archive.Spec.Workload.Replicas = nil }).Children() {
			if child.Wanted == nil {
				continue
			}
			object := read[metav1.PartialObjectMetadata](t, child.Wanted)
			g.Expect(MadeFor(object, &v1alpha1.Archive{ObjectMeta: metav1.ObjectMeta{UID: uid}})).To(BeTrue(), child.Kind())
			g.Expect(object.Labels).To(HaveKeyWithValue(ArchiveLabel, "national"))
			g.Expect(object.Labels).To(HaveKeyWithValue(ManagedByLabel, ManagedBy))
			_, claim := child.Object.(*corev1.PersistentVolumeClaim)
			g.Expect(child.Outlives).To(Equal(claim), child.Kind())
			g.Expect(object.OwnerReferences).To(BeEmpty(), "a deletion in the foreground takes %s away before registries let go", child.Kind())
		}
	})
}

func TestPodsActByRolesOfArchivesOnly(t *testing.T) {
	g := NewWithT(t)
	p := onVolume(nil)
	everywhere, here := wanted[rbacv1.ClusterRoleBinding](t, p), wanted[rbacv1.RoleBinding](t, p)
	g.Expect(everywhere.RoleRef.Name).To(Equal("valtuus-archive"))
	g.Expect(here.RoleRef.Name).To(Equal("valtuus-archive-lease"))
	account := rbacv1.Subject{Kind: "ServiceAccount", Namespace: "platform", Name: templateOf(t, p).Spec.ServiceAccountName}
	g.Expect(everywhere.Subjects).To(Equal([]rbacv1.Subject{account}))
	g.Expect(here.Subjects).To(Equal([]rbacv1.Subject{account}))
	g.Expect(ClusterRoleBindingName("a-b", "c")).NotTo(Equal(ClusterRoleBindingName("a", "b-c")))
}

func TestNamesFitWhatTheyNameForEveryNameOfAnArchive(t *testing.T) {
	g := NewWithT(t)
	longest := strings.Repeat("n", 40)
	for _, child := range onVolume(func(p *Plan) { p.Archive.Name = longest }).Children() {
		name := child.Object.GetName()
		if name == BackupPolicyName(longest) {
			g.Expect(validation.IsDNS1123Subdomain(name)).To(BeEmpty(), child.Kind())
			g.Expect(validation.IsDNS1035Label(name)).NotTo(BeEmpty(), "the policy of another archive could have the name")
		} else if child.Object.GetNamespace() != "" {
			g.Expect(validation.IsDNS1035Label(name)).To(BeEmpty(), child.Kind())
		}
		if _, ok := child.Object.(*appsv1.StatefulSet); ok {
			g.Expect(len(name)+11).To(BeNumerically("<=", 63), "its pods carry the name and a hash as a label")
		}
	}
	g.Expect(validation.IsDNS1123Subdomain(KeysSecretName(longest))).To(BeEmpty())
}

func TestThePodsTakeWhatTheSpecSays(t *testing.T) {
	g := NewWithT(t)
	p := onDatabase(func(p *Plan) {
		w := p.Archive.Spec.Workload
		w.Image, w.ImagePullSecrets = "registry.example/other:2", []v1alpha1.ObjectName{"pull"}
		w.CatalogConfigMapName = "catalog"
		w.LogWitnesses = []v1alpha1.LogWitness{{URL: "https://witness.example:9443/w", Key: "witness+1+x"}}
	})
	spec := templateOf(t, p).Spec
	g.Expect(spec.Containers[0].Image).To(Equal("registry.example/other:2"))
	g.Expect(spec.ImagePullSecrets).To(Equal([]corev1.LocalObjectReference{{Name: "pull"}}))
	g.Expect(spec.Containers[0].Args).To(ContainElements("--catalog="+catalogDir, "--log-witness=https://witness.example:9443/w=witness+1+x",
		"--archive=platform/national"))
	uri := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == "postgres" })
	g.Expect(spec.Volumes[uri].Secret).To(SatisfyAll(HaveField("SecretName", "db-app"), HaveField("Items", Equal([]corev1.KeyToPath{{Key: "uri", Path: "uri"}}))))
	g.Expect(serverOf(t, onVolume(nil)).Args).NotTo(ContainElement(ContainSubstring("--catalog")), "the stand-in catalog")
}

func TestAnArchiveIsReachedAndReachesOnlyWhatItNeeds(t *testing.T) {
	g := NewWithT(t)
	monitoring := networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"name": "monitoring"}}}
	policy := wanted[networkingv1.NetworkPolicy](t, onDatabase(func(p *Plan) {
		p.Settings.MetricsFrom = []networkingv1.NetworkPolicyPeer{monitoring}
		p.Archive.Spec.Workload.LogWitnesses = []v1alpha1.LogWitness{{URL: "https://witness.example"}, {URL: "http://witness.example:8080/x"}, {URL: "https://other.example/"}}
	}))
	g.Expect(policy.Spec.PolicyTypes).To(ConsistOf(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress))
	ports := func(list []networkingv1.NetworkPolicyPort) (out []string) {
		for _, p := range list {
			out = append(out, string(*p.Protocol)+" "+p.Port.String())
		}
		return out
	}
	from := map[string][]networkingv1.NetworkPolicyPeer{}
	for _, rule := range policy.Spec.Ingress {
		for _, p := range ports(rule.Ports) {
			from[p] = append(from[p], rule.From...)
		}
	}
	cluster := []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}}}
	g.Expect(from).To(Equal(map[string][]networkingv1.NetworkPolicyPeer{
		"TCP 8443": cluster, "TCP 8444": cluster, "TCP 8082": {monitoring},
	}))
	var to []string
	for _, rule := range policy.Spec.Egress {
		to = append(to, ports(rule.Ports)...)
	}
	g.Expect(to).To(ConsistOf("TCP 53", "UDP 53", "TCP 443", "TCP 6443", "TCP 5433", "TCP 443", "TCP 8080"))
	g.Expect(wanted[networkingv1.NetworkPolicy](t, onVolume(nil)).Spec.Egress).To(HaveLen(2), "no database, no witness")
	g.Expect(wanted[networkingv1.NetworkPolicy](t, onVolume(func(p *Plan) { p.Settings.NetworkPolicies = false }))).To(BeNil())
}

func TestARequestIsNeverAboveItsLimitAndGoStaysBelow(t *testing.T) {
	g := NewWithT(t)
	amounts := []*v1alpha1.ResourceAmounts{nil}
	for _, memory := range []string{"", "32Mi", "300Mi", "4Gi"} {
		for _, cpu := range []string{"", "20m", "4"} {
			a := &v1alpha1.ResourceAmounts{}
			if memory != "" {
				a.Memory = ptr.To(resource.MustParse(memory))
			}
			if cpu != "" {
				a.CPU = ptr.To(resource.MustParse(cpu))
			}
			amounts = append(amounts, a)
		}
	}
	for _, requests := range amounts {
		for _, limits := range amounts {
			contradiction := requests != nil && limits != nil &&
				(requests.Memory != nil && limits.Memory != nil && requests.Memory.Cmp(*limits.Memory) > 0 ||
					requests.CPU != nil && limits.CPU != nil && requests.CPU.Cmp(*limits.CPU) > 0)
			if contradiction {
				continue // the API server says so
			}
			got, goLimit := resourcesOf(&v1alpha1.WorkloadResources{Requests: requests, Limits: limits})
			for name, request := range *got.Requests {
				if limit, ok := (*got.Limits)[name]; ok {
					g.Expect(request.Cmp(limit)).To(BeNumerically("<=", 0), "%v %v: %s", requests, limits, name)
				}
			}
			memory := got.Limits.Memory().Value()
			number, err := strconv.ParseInt(goLimit, 10, 64)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(number).To(And(BeNumerically("<", memory), BeNumerically(">", memory*8/10)))
		}
	}
}

func TestOnlyObjectsOfThisArchiveAreTaken(t *testing.T) {
	g := NewWithT(t)
	archive := &v1alpha1.Archive{ObjectMeta: metav1.ObjectMeta{Name: "national", UID: uid}}
	object := func(labels, annotations map[string]string, owner string) client.Object {
		o := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations}}
		if owner != "" {
			o.OwnerReferences = []metav1.OwnerReference{{UID: "x"}, {UID: "5c7b8f0e-8ed4-4f0a-9d4c-0d2b0a0a0a0a", Controller: ptr.To(owner == "controller")}}
		}
		return o
	}
	ours := map[string]string{ManagedByLabel: ManagedBy, ArchiveLabel: "national"}
	g.Expect(MadeFor(object(nil, map[string]string{OwnerAnnotation: uid}, ""), archive)).To(BeTrue())
	g.Expect(MadeFor(object(nil, nil, "controller"), archive)).To(BeTrue(), "who lost its annotation")
	g.Expect(MadeFor(object(nil, nil, "owner"), archive)).To(BeFalse())
	g.Expect(MadeFor(object(ours, map[string]string{OwnerAnnotation: "another"}, ""), archive)).To(BeFalse())
	g.Expect(MadeFor(object(ours, nil, ""), archive)).To(BeFalse())

	former := map[string]string{OwnerAnnotation: "another"}
	g.Expect(LeftBy(object(ours, former, ""), archive)).To(BeTrue())
	g.Expect(LeftBy(object(map[string]string{ManagedByLabel: ManagedBy, ArchiveLabel: "other"}, former, ""), archive)).To(BeFalse())
	g.Expect(LeftBy(object(map[string]string{ArchiveLabel: "national"}, former, ""), archive)).To(BeFalse())
	g.Expect(LeftBy(object(ours, nil, ""), archive)).To(BeFalse())
}
