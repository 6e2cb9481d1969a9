// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

var volumeTime = metav1.NewTime(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))

func keptArchive(status v1alpha1.ArchiveWorkloadStatus, restore string) *v1alpha1.Archive {
	archive := &v1alpha1.Archive{
		ObjectMeta: metav1.ObjectMeta{Namespace: "platform", Name: "national", UID: "archive"},
		Spec: v1alpha1.ArchiveSpec{Workload: &v1alpha1.ArchiveWorkload{Storage: v1alpha1.ArchiveStorage{
			Embedded: &v1alpha1.EmbeddedStorage{Size: ptr.To(resource.MustParse("1Gi"))},
		}}},
		Status: v1alpha1.ArchiveStatus{Workload: &status},
	}
	if restore != "" {
		archive.Spec.Workload.Restore = &v1alpha1.ArchiveRestore{ClaimName: "backups", Backup: restore}
	}
	return archive
}

// claimOf is a claim that was made for the archive, bound to a volume; pending where none is named.
func claimOf(uid, volume string) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "platform", Name: "national-data", UID: types.UID(uid), CreationTimestamp: volumeTime,
			Annotations: map[string]string{OwnerAnnotation: "archive"},
		},
		Spec:   corev1.PersistentVolumeClaimSpec{VolumeName: volume},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
	if volume != "" {
		claim.Status.Phase = corev1.ClaimBound
		claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	}
	return claim
}

func restorer(exit int32, age time.Duration) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(volumeTime.Add(-age))},
		Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{{
			Name: RestoreContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exit}},
		}}},
	}
}

// TestALostVolumeIsNeverReplacedByAnEmptyOne goes through what can be in the place of an archive's volume.
func TestALostVolumeIsNeverReplacedByAnEmptyOne(t *testing.T) {
	fresh := v1alpha1.ArchiveWorkloadStatus{}
	former := v1alpha1.ArchiveWorkloadStatus{VolumeSize: ptr.To(resource.MustParse("1Gi"))}
	had := v1alpha1.ArchiveWorkloadStatus{VolumeClaimUID: "first", VolumeName: "pv-1", VolumeSize: ptr.To(resource.MustParse("1Gi"))}
	missed := had
	missed.VolumeLostAt = &volumeTime
	formerMissed := former
	formerMissed.VolumeLostAt = &volumeTime
	foreign, theirs := claimOf("second", "pv-2"), claimOf("first", "pv-1")
	foreign.Annotations, theirs.Annotations = nil, nil
	inPlace := func(of string) *corev1.PersistentVolumeClaim {
		claim := claimOf("second", "pv-2")
		claim.Annotations[InPlaceOfAnnotation] = of
		return claim
	}
	for name, c := range map[string]struct {
		status  v1alpha1.ArchiveWorkloadStatus
		restore string
		claim   *corev1.PersistentVolumeClaim
		pods    []corev1.Pod
		lost    string // part of what is told
		only    types.UID
		keeps   bool
	}{
		"there never was one":                             {status: fresh},
		"it waits for its first":                          {status: fresh, claim: claimOf("first", "")},
		"its first is there":                              {status: fresh, claim: claimOf("first", "pv-1"), keeps: true},
		"somebody else's is in the place of its first":    {status: fresh, claim: foreign, lost: "was not made for this Archive"},
		"its first is being filled from a backup":         {status: fresh, restore: "monday", claim: claimOf("first", "pv-1"), pods: []corev1.Pod{restorer(1, 0)}},
		"its first was filled from a backup":              {status: fresh, restore: "monday", claim: claimOf("first", "pv-1"), pods: []corev1.Pod{restorer(0, 0)}, keeps: true},
		"a former version had it, and it is there":        {status: former, claim: claimOf("first", "pv-1"), only: "first", keeps: true},
		"a former version had it, and it is gone":         {status: former, lost: "is missing: nothing is served"},
		"a former version had it, and another's is there": {status: former, claim: foreign, lost: "is another than"},
		"a former version had it, and it was missed":      {status: formerMissed, claim: claimOf("second", "pv-2"), lost: "valtuus.io/in-place-of: unknown."},
		"a former version had it, and another is meant":   {status: formerMissed, claim: inPlace("unknown"), only: "second", keeps: true},
		"it is there":                     {status: had, claim: claimOf("first", "pv-1"), only: "first", keeps: true},
		"it is there, and lost its marks": {status: had, claim: theirs, only: "first", keeps: true},
		"it is gone":                      {status: had, lost: "Bring PersistentVolume pv-1 back as a claim of this name, or set spec.workload.restore"},
		"it is gone, and a backup of long ago is asked for":    {status: had, restore: "monday", lost: "take spec.workload.restore away"},
		"it is gone, and another is there":                     {status: had, claim: claimOf("second", "pv-2"), lost: "platform/national-data is another than the one"},
		"it is gone, and another waits":                        {status: had, claim: claimOf("second", ""), lost: "valtuus.io/in-place-of: first."},
		"it is gone, another is there, and a backup was asked": {status: had, restore: "monday", claim: claimOf("second", "pv-2"), pods: []corev1.Pod{restorer(0, 0)}, lost: "take spec.workload.restore away"},
		"it was missed":                                         {status: missed, lost: "set spec.workload.restore"},
		"its volume is back":                                    {status: missed, claim: claimOf("second", "pv-1"), only: "second", keeps: true},
		"another is meant to take its place":                    {status: missed, claim: inPlace("first"), only: "second", keeps: true},
		"another was meant to take the place of another":        {status: missed, claim: inPlace("zeroth"), lost: "is another than"},
		"a backup is asked for":                                 {status: missed, restore: "monday"},
		"a backup is being restored":                            {status: missed, restore: "monday", claim: claimOf("second", "pv-2")},
		"a backup was restored":                                 {status: missed, restore: "monday", claim: claimOf("second", "pv-2"), pods: []corev1.Pod{restorer(0, 0)}, keeps: true},
		"a backup was restored to the volume before":            {status: missed, restore: "monday", claim: claimOf("second", "pv-2"), pods: []corev1.Pod{restorer(0, time.Minute)}},
		"a backup is asked for, and another's is there":         {status: missed, restore: "monday", claim: foreign, lost: "was not made for this Archive"},
		"a backup was not restored":                             {status: missed, restore: "monday", claim: claimOf("second", "pv-2"), pods: []corev1.Pod{restorer(1, 0)}},
		"a backup is no longer asked for, and was not restored": {status: missed, claim: claimOf("second", "pv-2"), lost: "is another than"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			archive := keptArchive(c.status, c.restore)
			v := JudgeVolume(archive, c.claim, c.pods)
			if c.lost == "" {
				g.Expect(v.Lost).To(BeEmpty())
			} else {
				g.Expect(v.Lost).To(ContainSubstring(c.lost))
			}
			g.Expect(v.Only).To(Equal(c.only))
			g.Expect(v.Keep != nil).To(Equal(c.keeps))
			status := c.status.DeepCopy()
			v.Remember(archive, status, volumeTime.Time)
			again := JudgeVolume(keptArchive(*status, c.restore), c.claim, c.pods)
			g.Expect(again.Lost == "").To(Equal(v.Lost == ""), "what is remembered is not judged otherwise")
			twice := status.DeepCopy()
			again.Remember(archive, twice, volumeTime.Add(time.Hour))
			g.Expect(twice).To(Equal(status), "and not written again")
			if c.keeps {
				g.Expect(*status).To(SatisfyAll(HaveField("VolumeClaimUID", string(c.claim.UID)), HaveField("VolumeName", BeEquivalentTo(c.claim.Spec.VolumeName)),
					HaveField("VolumeLostAt", BeNil()), HaveField("VolumeSize", HaveValue(Equal(resource.MustParse("1Gi"))))))
			}
		})
	}
}

// volumeWorld is an archive's claim, what is on volumes, and what serves from them.
type volumeWorld struct {
	t       *rapid.T
	g       *WithT
	archive *v1alpha1.Archive // with the status that is persisted
	claim   *corev1.PersistentVolumeClaim
	content map[string]string // by volume; nothing = empty
	serial  int
	set     bool // pods are made
	restore bool // and restore first
	pods    []corev1.Pod
	looked  bool // the controller has seen the claim as it is
	stored  bool // clients have stored documents
	word    bool // a person said that what is on the claim's volume is to be served
}

func (w *volumeWorld) next(what string) string {
	w.serial++
	return fmt.Sprintf("%s-%d", what, w.serial)
}

func (w *volumeWorld) put(claim *corev1.PersistentVolumeClaim, word bool) {
	w.claim, w.looked, w.pods, w.word = claim, false, nil, word
}

// reconcile is what the controller does; a crash may keep the status from being written.
func (w *volumeWorld) reconcile(crash bool) {
	status := w.archive.Status.Workload.DeepCopy()
	v := JudgeVolume(w.archive, w.claim, w.pods)
	v.Remember(w.archive, status, volumeTime.Time)
	switch {
	case v.Lost != "":
		w.set, w.pods = false, nil
	default:
		if w.claim == nil {
			w.g.Expect(v.Only).To(BeEmpty())
			w.put(claimOf(w.next("claim"), ""), false)
		}
		if restore := w.archive.Spec.Workload.Restore != nil; !w.set || w.restore != restore {
			w.pods, w.set, w.restore = nil, true, restore
		}
	}
	if w.looked = true; !crash {
		w.archive.Status.Workload = status
	}
}

// run lets the pod start, on what the controller has seen.
func (w *volumeWorld) run() {
	if !w.set || !w.looked || len(w.pods) > 0 || w.claim == nil || w.claim.Spec.VolumeName == "" {
		return
	}
	on := w.claim.Spec.VolumeName
	if w.restore {
		if w.content[on] == "documents" {
			return // it is never overwritten
		}
		w.content[on] = "backup"
		w.pods = []corev1.Pod{restorer(0, 0)}
	} else {
		w.pods = []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: volumeTime}}}
	}
	if w.stored && !w.word {
		w.g.Expect(w.content[on]).NotTo(BeEmpty(), "an empty volume is served, %+v", *w.archive.Status.Workload)
	}
}

// TestNoHistoryServesAnEmptyVolumeInPlaceOfDocuments draws histories of volumes that are lost, brought back and replaced by
// others, of restores that are asked for and given up, and of controllers that crash before they write what they know.
func TestNoHistoryServesAnEmptyVolumeInPlaceOfDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &volumeWorld{t: t, g: NewWithT(t), archive: keptArchive(v1alpha1.ArchiveWorkloadStatus{}, ""), content: map[string]string{}}
		restore := func() *v1alpha1.ArchiveRestore {
			return &v1alpha1.ArchiveRestore{ClaimName: "backups", Backup: w.next("backup")}
		}
		if rapid.Bool().Draw(t, "from a backup") {
			w.archive.Spec.Workload.Restore = restore()
		}
		t.Repeat(map[string]func(*rapid.T){
			"reconcile": func(t *rapid.T) { w.reconcile(rapid.Bool().Draw(t, "crash")) },
			"bind": func(*rapid.T) {
				if w.claim != nil && w.claim.Spec.VolumeName == "" {
					claim := claimOf(string(w.claim.UID), w.next("pv"))
					claim.Annotations = w.claim.Annotations
					w.claim, w.looked = claim, false
				}
			},
			"run": func(*rapid.T) { w.run() },
			// Those who store are let in by a controller that works.
			"store": func(*rapid.T) {
				if w.reconcile(false); len(w.pods) > 0 && w.set {
					w.content[w.claim.Spec.VolumeName], w.stored = "documents", true
				}
			},
			"lose": func(*rapid.T) { w.put(nil, false) },
			"another claims the name": func(t *rapid.T) {
				if w.claim == nil {
					claim := claimOf(w.next("claim"), "")
					if rapid.Bool().Draw(t, "marked") {
						claim.Labels = map[string]string{ManagedByLabel: ManagedBy, ArchiveLabel: "national"}
					} else {
						claim.Annotations = nil
					}
					w.put(claim, false)
				}
			},
			"bring back": func(t *rapid.T) {
				if w.claim == nil && len(w.content) > 0 {
					w.put(claimOf(w.next("claim"), rapid.SampledFrom(slices.Sorted(maps.Keys(w.content))).Draw(t, "volume")), false)
				}
			},
			"mean": func(*rapid.T) {
				if w.claim == nil {
					claim := claimOf(w.next("claim"), "")
					claim.Annotations[InPlaceOfAnnotation] = lostUID(w.archive.Status.Workload)
					w.put(claim, true)
				}
			},
			"ask for a backup": func(*rapid.T) {
				if w.archive.Status.Workload.VolumeLostAt != nil {
					w.archive.Spec.Workload.Restore = restore()
				}
			},
			"give it up": func(*rapid.T) { w.archive.Spec.Workload.Restore = nil },
		})
	})
}
