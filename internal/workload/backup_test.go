// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func backupJob(name string, ended time.Duration, outcome batchv1.JobConditionType) batchv1.Job {
	job := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if outcome != "" {
		job.Status.Conditions = []batchv1.JobCondition{{
			Type: outcome, Status: corev1.ConditionTrue, Reason: "DeadlineExceeded", Message: "too long", LastTransitionTime: metav1.NewTime(noon.Add(ended)),
		}}
	}
	return job
}

func backupPod(job, message string, exit int32) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{batchv1.JobNameLabel: job}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: BackupContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exit, Message: message, FinishedAt: metav1.NewTime(noon)}},
		}}},
	}
}

func TestHowBackupsWentIsReadFromTheirJobs(t *testing.T) {
	g := NewWithT(t)
	done := func(name string) string {
		return `{"name":"` + name + `","completedAt":"2026-03-01T02:00:00Z","size":4096}` + "\n"
	}
	g.Expect(OfBackups(nil, nil)).To(Equal(LastBackup{}))
	g.Expect(OfBackups([]batchv1.Job{backupJob("running", 0, "")}, nil)).To(Equal(LastBackup{}), "nothing has ended")

	jobs := []batchv1.Job{backupJob("first", time.Hour, batchv1.JobComplete)}
	pods := []corev1.Pod{backupPod("first", done("20260301T020000Z"), 0)}
	last := OfBackups(jobs, pods)
	g.Expect(last.Done).To(HaveValue(Equal(BackupDone{"20260301T020000Z", time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC), 4096})))
	g.Expect([]bool{last.Ended, last.Failed}).To(Equal([]bool{true, false}))

	jobs = append(jobs, backupJob("second", 2*time.Hour, batchv1.JobFailed))
	pods = append(pods, backupPod("second", `{"reason":"VolumeFull","message":"no space left"}`, 1))
	last = OfBackups(jobs, pods)
	g.Expect(last).To(And(HaveField("Failed", true), HaveField("Reason", "VolumeFull"), HaveField("Message", "no space left"), HaveField("Done.Name", "20260301T020000Z")))
	g.Expect(OfBackups(jobs, pods[:1])).To(And(HaveField("Failed", true), HaveField("Reason", "DeadlineExceeded")), "without its pod the Job tells")
	jobs = append(jobs, backupJob("third", 3*time.Hour, batchv1.JobComplete))
	g.Expect(OfBackups(jobs, pods)).To(HaveField("Failed", false))

	// What a pod says is held to what a status may hold.
	for _, message := range []string{"", "{", done("../etc"), done(""), strings.Replace(done("a"), "4096", "-1", 1), done(strings.Repeat("x", 300))} {
		g.Expect(OfBackups(jobs[:1], []corev1.Pod{backupPod("first", message, 0)}).Done).To(BeNil(), message)
	}
	restored := corev1.Pod{Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{{
		Name: RestoreContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: `{"restoredFrom":"20260301T020000Z"}`}},
	}}}}
	g.Expect(RestoredFrom([]corev1.Pod{{}, restored})).To(Equal("20260301T020000Z"))
}

func TestTheNameOfABackupFitsACronJob(t *testing.T) {
	g := NewWithT(t)
	seen := map[string]bool{}
	for _, archive := range []string{"national", strings.Repeat("a", 45), strings.Repeat("a", 46), strings.Repeat("a", 63), strings.Repeat("a", 62) + "b"} {
		name := BackupName(archive)
		g.Expect(len(name)).To(BeNumerically("<=", 52))
		g.Expect(seen[name]).To(BeFalse())
		seen[name] = true
	}
	g.Expect(BackupName("national")).To(Equal("national-backup"))
}

// TestABackupRunsBesideTheArchive holds what a backup's pod must have: it is none of those that serve, is where the
// volume is, and mounts no key.
func TestABackupRunsBesideTheArchive(t *testing.T) {
	g := NewWithT(t)
	plan := &Plan{
		Archive: &v1alpha1.Archive{ObjectMeta: metav1.ObjectMeta{Namespace: "platform", Name: "national", UID: "u"}, Spec: v1alpha1.ArchiveSpec{
			Workload: &v1alpha1.ArchiveWorkload{
				Storage: v1alpha1.ArchiveStorage{Embedded: &v1alpha1.EmbeddedStorage{Size: ptr.To(resource.MustParse("1Gi"))}},
				Backup:  &v1alpha1.ArchiveBackup{Schedule: "0 2 * * *", Keep: ptr.To[int32](3), Volume: v1alpha1.BackupVolume{ClaimName: "elsewhere"}},
			}}},
		Settings: Settings{Image: "valtuus:1"}, ServerSecret: "national-server", KeysSecret: "national-archive-keys",
	}
	children := plan.backups()
	g.Expect(children).To(HaveLen(2), "the claim is somebody else's")
	job := children[1].Wanted.(*batchv1ac.CronJobApplyConfiguration).Spec
	g.Expect(*job.TimeZone).To(Equal("Etc/UTC"))
	g.Expect(*job.ConcurrencyPolicy).To(Equal(batchv1.ForbidConcurrent))
	template := job.JobTemplate.Spec.Template
	for key, value := range plan.Selector() {
		if template.Labels[key] != value {
			key = ""
		}
		g.Expect(key).NotTo(Equal(ComponentLabel), "the Service would send requests to it")
	}
	g.Expect(template.Spec.Containers[0].Args).To(ContainElements("--into=/var/backups/valtuus", "--keep=3", "--data-dir=/var/lib/valtuus"))
	g.Expect(template.Spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector.MatchLabels).To(Equal(plan.Selector()))
	for _, volume := range template.Spec.Volumes {
		g.Expect(volume.Secret).To(BeNil(), "%s", *volume.Name)
	}
	g.Expect(*template.Spec.AutomountServiceAccountToken).To(BeFalse())

	plan.Archive.Spec.Workload.Backup.Volume = v1alpha1.BackupVolume{Size: ptr.To(resource.MustParse("5Gi"))}
	g.Expect(plan.backups()).To(ContainElement(And(HaveField("Outlives", true), HaveField("Wanted", Not(BeNil())))))
	plan.Archive.Spec.Workload.Backup = nil
	g.Expect(plan.backups()).To(And(HaveLen(2), HaveEach(HaveField("Wanted", BeNil()))), "the CronJob goes, and its policy after it; of the volume nothing is said")

	plan.Archive.Spec.Workload.Restore = &v1alpha1.ArchiveRestore{ClaimName: "elsewhere", Backup: "20260301T020000Z"}
	spec := plan.template().Spec
	g.Expect(spec.InitContainers).To(HaveLen(2))
	g.Expect(spec.InitContainers[1].Args).To(ContainElements("--start", "--from=/var/restore/valtuus/20260301T020000Z"))
}

// TestBackupsAreReachedByNobodyAndReachOnlyTheirDatabase holds the policy of the pods of backups: it selects them and no
// pod that serves, lets nothing in, and out only what the storage needs.
func TestBackupsAreReachedByNobodyAndReachOnlyTheirDatabase(t *testing.T) {
	both(t, func(t *testing.T, plan func(func(*Plan)) *Plan) {
		g := NewWithT(t)
		backedUp := plan(func(p *Plan) {
			p.Archive.Spec.Workload.Backup = &v1alpha1.ArchiveBackup{Schedule: "0 2 * * *", Volume: v1alpha1.BackupVolume{ClaimName: "elsewhere"}}
		})
		policyOf := func(p *Plan) (policy *networkingv1.NetworkPolicy, at, job int) {
			for i, child := range p.Children() {
				switch o := child.Object.(type) {
				case *networkingv1.NetworkPolicy:
					if o.Name == "national.backup" {
						at = i
						if child.Wanted != nil {
							policy = read[networkingv1.NetworkPolicy](t, child.Wanted)
						}
					}
				case *batchv1.CronJob:
					job = i
				}
			}
			g.Expect(at).NotTo(BeZero(), "it is among the children, wanted or not")
			return policy, at, job
		}
		policy, at, job := policyOf(backedUp)
		g.Expect(policy).NotTo(BeNil())
		g.Expect(at).To(BeNumerically("<", job), "it is there before the first pod")
		selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		g.Expect(err).NotTo(HaveOccurred())
		cron := wanted[batchv1.CronJob](t, backedUp)
		g.Expect(selector.Matches(labels.Set(cron.Spec.JobTemplate.Spec.Template.Labels))).To(BeTrue())
		g.Expect(selector.Matches(labels.Set(templateOf(t, backedUp).Labels))).To(BeFalse(), "pods that serve have a policy of their own")
		g.Expect(policy.Spec.PolicyTypes).To(ConsistOf(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress))
		g.Expect(policy.Spec.Ingress).To(BeEmpty())
		var to []string
		for _, rule := range policy.Spec.Egress {
			g.Expect(rule.Ports).NotTo(BeEmpty(), "without ports a rule lets everything out")
			for _, port := range rule.Ports {
				to = append(to, string(*port.Protocol)+" "+port.Port.String())
			}
		}
		if backedUp.Embedded() {
			g.Expect(to).To(BeEmpty())
		} else {
			g.Expect(to).To(ConsistOf("TCP 53", "UDP 53", "TCP 5433"))
		}

		backedUp.Settings.NetworkPolicies = false
		policy, _, _ = policyOf(backedUp)
		g.Expect(policy).To(BeNil())
		policy, at, job = policyOf(plan(nil))
		g.Expect(policy).To(BeNil())
		g.Expect(at).To(BeNumerically(">", job), "it goes after what makes pods")
	})
}
