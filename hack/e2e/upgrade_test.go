// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

// released holds the last release: its chart, with the CRDs, and the commit that its program is built from. A release puts
// its own in their place, in a commit after its own:
//
//	git rm hack/e2e/testdata/released/*.tgz
//	helm package charts/valtuus --destination hack/e2e/testdata/released
//	git rev-parse v0.2.0^{commit} >hack/e2e/testdata/released/commit
const released = "testdata/released"

// release gives the cluster the last release's image, and returns that and the chart. A clone without that commit has
// this tree upgraded to itself, and the report says so.
func (s *suite) release(t *testing.T) (chart, image string) {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(released + "/commit")
	g.Expect(err).NotTo(HaveOccurred())
	commit := strings.TrimSpace(string(text))
	chart, binary, from := filepath.Join(s.root, "charts", "valtuus"), filepath.Join(s.root, "dist", "linux", "valtuus"), commit
	if _, err := s.run(t.Context(), exec.CommandContext(t.Context(), "git", "cat-file", "-e", commit+"^{commit}")); err == nil {
		charts, err := filepath.Glob(released + "/*.tgz")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(charts).To(HaveLen(1))
		chart, err = filepath.Abs(charts[0])
		g.Expect(err).NotTo(HaveOccurred())
		binary = s.built(t, commit)
	} else {
		from = "this tree, since " + commit + " is not in this clone"
	}
	version, err := s.appVersion(t.Context(), chart)
	g.Expect(err).NotTo(HaveOccurred())
	repository, _, _ := cutTag(s.image)
	image = repository + ":" + version + "-released"
	g.Expect(s.loadImage(t.Context(), image, binary)).To(Succeed())
	s.report.say("upgraded from", version, "", "of "+from)
	return chart, image
}

// built is the program as of a commit.
func (s *suite) built(t *testing.T, commit string) string {
	t.Helper()
	tree := s.file("released")
	script := fmt.Sprintf("mkdir -p %[1]q && git archive %[2]s | tar -xf - -C %[1]q && "+
		"cd %[1]q && CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false -ldflags '-s -w' -o valtuus .", tree, commit)
	_, err := s.run(t.Context(), exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return filepath.Join(tree, "valtuus")
}

// TestAnUpgradeChangesNoAccess installs the last release, has it used, and upgrades it to this tree as docs/install.md
// says. No credential is issued again, no pod of an archive is started twice, and at no moment is access lost or gained.
func TestAnUpgradeChangesNoAccess(t *testing.T) {
	g := NewWithT(t)
	l := &life{suite: shared}
	g.Expect(l.sweep(t.Context())).To(Succeed())
	g.Expect(l.makeNamespaces(t.Context())).To(Succeed())

	chart, image := l.release(t)
	g.Expect(l.values(image)).To(Succeed())
	_, err := l.runHelm(t.Context(), "install", "valtuus", chart, "--namespace", managerSpace, "--values", l.file("values.yaml"), "--wait", inTime)
	g.Expect(err).NotTo(HaveOccurred())
	l.documented(t, "Who may do what", 0)
	l.onboard(t, onboarding{database: "upgraded"})
	l.must(t, organizer, "apply", "-f", l.sample("70-deployment-tests.yaml"))
	l.archivesServe(t)
	national := &registry{name: "clients", oid: nationalOID, archive: "national"}
	county := &registry{name: "county", oid: countyOID, archive: "county"}
	for _, r := range []*registry{national, county} {
		l.organize(t, r)
		l.work(t, r)
	}

	pods := l.watchPods(t)
	before := l.fingerprints(t)
	g.Expect(before).To(HaveLen(4), "of two organizers' systems and two units'")
	var loads []*running
	for _, r := range []*registry{national, county} {
		stranger := newCode()
		r.organizer.does(t, wire.Order{Do: wire.Register, Code: stranger})
		loads = append(loads,
			r.unit.load(t, "has access", 20, false, wire.Order{Do: wire.Find, Code: r.code}, wire.Order{Do: wire.Read, Document: r.decision}),
			r.unit.load(t, "has none", 10, false, wire.Order{Do: wire.Find, Code: stranger}, wire.Order{Do: wire.Read, Document: r.other}))
	}
	loads[0].flowing(t, 20)
	was := map[string][]corev1.Pod{}
	for _, name := range []string{"national", "county"} {
		was[name], err = l.pods(t.Context(), "platform", archiveLabels(name))
		g.Expect(err).NotTo(HaveOccurred())
	}

	g.Expect(l.values(l.image)).To(Succeed())
	began := time.Now()
	l.documented(t, "Upgrade", 0)
	for _, name := range []string{"national", "county"} {
		l.replaced(t, name, was[name])
		l.must(t, platform, "-n", "platform", "wait", "--for=jsonpath={.status.workload.image}="+l.image, "archive/"+name, inTime)
		l.must(t, platform, "-n", "platform", "wait", "--for=condition=Ready", "archive/"+name, inTime)
	}
	l.report.say("helm upgrade until both archives run the new version", time.Since(began).Seconds(), "s", "")
	for _, load := range []*running{loads[0], loads[2]} {
		load.flowing(t, 40)
	}

	g.Expect(l.fingerprints(t)).To(Equal(before), "no credential was issued again")
	l.lookAtProbes(t, loads)
	national.organizer.does(t, wire.Order{Do: wire.Read, Document: national.note})
	g.Expect(pods.stop()).To(Equal(map[string]int{"national": 1, "county": 2}), "pods that were started")
}

// lookAtProbes holds the answers of an upgrade against what may be: nobody is refused who has access, and nobody gets what
// it has none to. An archive on a volume has one pod, and does not answer while that is replaced.
func (l *life) lookAtProbes(t *testing.T, loads []*running) {
	t.Helper()
	g := NewWithT(t)
	for i, load := range loads {
		told := load.stop(t)
		errors := strings.Join(told.Errors, "\n")
		all, gained := told.All.Outcomes, told.All.Outcomes[wire.Allowed]
		unanswered := all[wire.NoAnswer] + all[wire.Unavailable]
		switch i {
		case 0:
			g.Expect(all[wire.Allowed]+unanswered).To(Equal(told.All.Requests), "refused on the volume: %s", errors)
			l.report.say("requests without an answer while the archive on a volume was upgraded", unanswered, "",
				fmt.Sprintf("of %d: it has one pod", told.All.Requests))
		case 2:
			g.Expect(all[wire.Allowed]).To(Equal(told.All.Requests), "lost on PostgreSQL: %s", errors)
			l.report.say("requests that failed while the archive on PostgreSQL was upgraded", told.All.Not(wire.Allowed), "", fmt.Sprintf("of %d", told.All.Requests))
		default:
			g.Expect(gained).To(BeZero(), "access that nobody has")
			g.Expect(all["no-relationship"]+all["task-not-covered"]+unanswered).To(Equal(told.All.Requests), "%s", errors)
		}
	}
}

// fingerprints are those of the credentials in force, by the object that lists them.
func (s *suite) fingerprints(t *testing.T) map[string]string {
	t.Helper()
	g := NewWithT(t)
	found := map[string]string{}
	add := func(o client.Object, ledger []v1alpha1.Credential) {
		for _, c := range ledger {
			found[fmt.Sprintf("%T %s", o, o.GetName())] += c.Fingerprint + " " + string(c.State) + ";"
		}
	}
	var grants v1alpha1.RegistryAccessGrantList
	g.Expect(s.List(t.Context(), &grants)).To(Succeed())
	for i := range grants.Items {
		add(&grants.Items[i], grants.Items[i].Status.Credentials)
	}
	var registries v1alpha1.RegistryList
	g.Expect(s.List(t.Context(), &registries)).To(Succeed())
	for i := range registries.Items {
		add(&registries.Items[i], registries.Items[i].Status.Credentials)
	}
	return found
}

// podWatch counts the pods of archives that are made.
type podWatch struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	made   map[types.UID]string // by archive
}

func (s *suite) watchPods(t *testing.T) *podWatch {
	t.Helper()
	g := NewWithT(t)
	list, err := s.api.CoreV1().Pods("platform").List(t.Context(), metav1.ListOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	w := &podWatch{cancel: cancel, made: map[types.UID]string{}}
	there := map[types.UID]bool{}
	for i := range list.Items {
		there[list.Items[i].UID] = true
	}
	watch, err := s.api.CoreV1().Pods("platform").Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion, LabelSelector: "valtuus.io/archive"})
	g.Expect(err).NotTo(HaveOccurred())
	w.done.Go(func() {
		for event := range watch.ResultChan() {
			if pod, ok := event.Object.(*corev1.Pod); ok && !there[pod.UID] {
				w.made[pod.UID] = pod.Labels["valtuus.io/archive"]
			}
		}
	})
	t.Cleanup(cancel)
	return w
}

func (w *podWatch) stop() map[string]int {
	w.cancel()
	w.done.Wait()
	counts := map[string]int{}
	for _, archive := range w.made {
		counts[archive]++
	}
	return counts
}
