// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql/parser"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	clocktesting "k8s.io/utils/clock/testing"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/history"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/metrics"
	"github.com/valtuus/valtuus/internal/workload"
)

// described gives the names of the metrics that a registry has, also of those that have no value yet.
func described(t testing.TB, of any) (names []string) {
	t.Helper()
	out := make(chan *prometheus.Desc)
	go func() {
		defer close(out)
		of.(prometheus.Collector).Describe(out)
	}()
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	for desc := range out {
		names = append(names, name.FindStringSubmatch(desc.String())[1])
	}
	return names
}

// known are the metrics that the manager and the archive really have.
func known(t testing.TB) map[string]bool {
	t.Helper()
	g := NewWithT(t)
	own := prometheus.NewRegistry()
	metrics.NewManager(own).OldestUnenforced(func() time.Time { return time.Time{} }, clocktesting.NewFakePassiveClock(time.Now()))
	_, err := archive.NewMetrics(own)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect((&history.Writer{}).Register(own)).To(Succeed())
	_, err = sequencer.NewMetrics(own)
	g.Expect(err).NotTo(HaveOccurred())
	// This one is registered when a server starts.
	source, err := os.ReadFile("../../internal/archive/metrics.go")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(source)).To(ContainSubstring(`metricPrefix + "view_age_seconds"`))
	out := map[string]bool{"valtuus_archive_view_age_seconds": true}
	for _, of := range []any{own, ctrlmetrics.Registry, metrics.NewGrants(nil), metrics.NewBackups(nil)} {
		for _, name := range described(t, of) {
			out[name] = true
		}
	}
	return out
}

// checkExpression holds that an expression parses and names only metrics that there are.
func checkExpression(t testing.TB, text string, metrics map[string]bool) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	found := false
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			found = true
			name := selector.Name
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				if base, ok := strings.CutSuffix(name, suffix); ok && metrics[base] {
					name = base
				}
			}
			if !metrics[name] {
				t.Errorf("%s: there is no metric %s", text, selector.Name)
			}
		}
		return nil
	})
	if !found {
		t.Errorf("%s names no metric", text)
	}
}

func TestAlertsParseAndRestOnMetricsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	metrics := known(t)
	all := alerts(t)
	for _, alert := range all {
		checkExpression(t, alert["expr"].(string), metrics)
		if duration, ok := alert["for"].(string); ok {
			_, err := time.ParseDuration(duration)
			g.Expect(err).NotTo(HaveOccurred())
		}
		g.Expect(alert["labels"]).To(HaveKeyWithValue("severity", BeElementOf("critical", "warning", "info")))
		g.Expect(alert["annotations"]).To(HaveKey("summary"))
	}
	g.Expect(len(all)).To(Equal(17))
}

// alerts gives the rules of the chart by the names of their alerts.
func alerts(t testing.TB) map[string]map[string]any {
	t.Helper()
	rule := byID(t, render(t, "monitoring: {prometheusRule: {enabled: true}}"))["PrometheusRule/valtuus-system/valtuus"]
	all := map[string]map[string]any{}
	for _, group := range at(rule, "spec", "groups").([]any) {
		for _, item := range group.(map[string]any)["rules"].([]any) {
			alert := item.(map[string]any)
			name := alert["alert"].(string)
			if all[name] != nil {
				t.Errorf("there are two alerts %s", name)
			}
			all[name] = alert
		}
	}
	return all
}

// The alerts about the access log, each in a state of the log in which it fires and in states in which it does not.
func TestTheLogsAlertsFireWhenTheyShould(t *testing.T) {
	const (
		calm = `
		  valtuus_archive_log_oldest_unproven_seconds{namespace="a",job="j",instance="1"} 3x60
		  valtuus_archive_log_oldest_unproven_seconds{namespace="a",job="j",instance="2"} 3x60
		  valtuus_archive_log_unproven_rows{namespace="a",job="j",instance="1"} 900x60
		  valtuus_archive_log_checkpoint_timestamp_seconds{namespace="a",job="j",instance="1"} 0+60x60
		  valtuus_archive_log_witness_timestamp_seconds{namespace="a",job="j",instance="1",witness="w"} 0+60x60
		  valtuus_archive_log_witness_timestamp_seconds{namespace="a",job="j",instance="2",witness="w"} 0x60
		  valtuus_archive_log_failures_total{namespace="a",job="j",instance="1"} 0+1x60
		  valtuus_archive_log_leads{namespace="a",job="j",instance="1"} 1x60
		  valtuus_archive_log_leads{namespace="a",job="j",instance="2"} 0x60`
		idle = `
		  valtuus_archive_log_unproven_rows{namespace="a",job="j",instance="1"} 0x60
		  valtuus_archive_log_checkpoint_timestamp_seconds{namespace="a",job="j",instance="1"} 0x60`
	)
	for series, want := range map[string]string{
		"":   "", // nothing is scraped here
		calm: "", idle: "",
		`valtuus_archive_log_oldest_unproven_seconds{namespace="a",job="j"} 0+60x60`: "ValtuusLogRowsWait",
		`valtuus_archive_log_unproven_rows{namespace="a",job="j"} 3x60
		 valtuus_archive_log_checkpoint_timestamp_seconds{namespace="a",job="j"} 1200x60`: "ValtuusLogNotSigned",
		`valtuus_archive_log_unproven_rows{namespace="a",job="j"} 0+10000x60
		 valtuus_archive_log_checkpoint_timestamp_seconds{namespace="a",job="j"} 0+60x60`: "ValtuusLogFallsBehind",
		`valtuus_archive_log_witness_timestamp_seconds{namespace="a",job="j",witness="w"} 0x60`: "ValtuusLogWitnessSilent",
		`valtuus_archive_log_witness_timestamp_seconds{namespace="a",job="j",witness="w"} 0+60x60
		 valtuus_archive_log_witness_timestamp_seconds{namespace="a",job="j",witness="v"} 600x60`: "ValtuusLogWitnessSilent",
		`valtuus_archive_log_failures_total{namespace="a",job="j"} 0+30x60`: "ValtuusLogSequencerFails",
		`valtuus_archive_log_leads{namespace="a",job="j",instance="1"} 0x60
		 valtuus_archive_log_leads{namespace="a",job="j",instance="2"} 0x60
		 valtuus_archive_log_leads{namespace="b",job="j",instance="1"} 1x60`: "ValtuusLogNobodyGivesLeaves",
	} {
		var firing []string
		for name, rule := range alerts(t) {
			if strings.HasPrefix(name, "ValtuusLog") && len(query(t, series, rule["expr"].(string))) > 0 {
				firing = append(firing, name)
			}
		}
		if got := strings.Join(firing, " "); got != want {
			t.Errorf("with %s: %q fire, and %q should", series, got, want)
		}
	}
}

func TestTheDashboardRestsOnMetricsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(configDir, "prometheus", "dashboard.json"))
	g.Expect(err).NotTo(HaveOccurred())
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	g.Expect(json.Unmarshal(text, &dashboard)).To(Succeed())
	g.Expect(len(dashboard.Panels)).To(BeNumerically(">=", 14))
	metrics := known(t)
	for _, panel := range dashboard.Panels {
		g.Expect(panel.Targets).NotTo(BeEmpty(), panel.Title)
		for _, target := range panel.Targets {
			checkExpression(t, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"), metrics)
		}
	}
	inChart := byID(t, render(t, "monitoring: {dashboard: {enabled: true}}"))["ConfigMap/valtuus-system/valtuus-dashboard"]
	g.Expect(at(inChart, "data", "valtuus.json")).To(MatchJSON(text))
}

// podMonitor is how the archives' pods are scraped.
func podMonitor(t testing.TB) *monitoringSpec {
	t.Helper()
	rendered := byID(t, render(t, "monitoring: {podMonitor: {enabled: true, interval: 1m, labels: {release: prometheus}}}"))["PodMonitor/valtuus-system/valtuus-archives"]
	if rendered == nil {
		t.Fatal("there is no PodMonitor")
	}
	if rendered.GetLabels()["release"] != "prometheus" {
		t.Error("it lacks the label by which a Prometheus finds it")
	}
	text, err := json.Marshal(at(rendered, "spec"))
	if err != nil {
		t.Fatal(err)
	}
	spec := &monitoringSpec{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// monitoringSpec is what the chart uses of a PodMonitor, in the Prometheus operator's notation.
type monitoringSpec struct {
	NamespaceSelector struct {
		Any bool `json:"any"`
	} `json:"namespaceSelector"`
	Selector            metav1.LabelSelector `json:"selector"`
	JobLabel            string               `json:"jobLabel"`
	PodMetricsEndpoints []struct {
		Port     string `json:"port"`
		Interval string `json:"interval"`
	} `json:"podMetricsEndpoints"`
}

// archivePods are the templates of an archive's pods: of those that serve, and of its backups.
func archivePods(t testing.TB, namespace, name string) (serving, backup corev1.PodTemplateSpec) {
	t.Helper()
	plan := &workload.Plan{Archive: &v1alpha1.Archive{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "u"},
		Spec: v1alpha1.ArchiveSpec{Workload: &v1alpha1.ArchiveWorkload{
			Storage: v1alpha1.ArchiveStorage{Postgres: &v1alpha1.PostgresStorage{URI: v1alpha1.SecretKey{Name: "db", Key: "uri"}}},
			Backup:  &v1alpha1.ArchiveBackup{Schedule: "0 2 * * *", Volume: v1alpha1.BackupVolume{ClaimName: "elsewhere"}},
		}},
	}, Settings: workload.Settings{Image: "valtuus:1"}}
	for _, child := range plan.Children() {
		text, err := json.Marshal(child.Wanted)
		if err != nil {
			t.Fatal(err)
		}
		switch child.Object.(type) {
		case *appsv1.Deployment:
			var made appsv1.Deployment
			err = json.Unmarshal(text, &made)
			serving = made.Spec.Template
		case *batchv1.CronJob:
			var made batchv1.CronJob
			err = json.Unmarshal(text, &made)
			backup = made.Spec.JobTemplate.Spec.Template
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return serving, backup
}

// TestThePodMonitorScrapesThePodsOfArchives holds that it selects what the manager makes, in any namespace, and names a
// port that is there.
func TestThePodMonitorScrapesThePodsOfArchives(t *testing.T) {
	g := NewWithT(t)
	monitor := podMonitor(t)
	g.Expect(monitor.NamespaceSelector.Any).To(BeTrue())
	selector, err := metav1.LabelSelectorAsSelector(&monitor.Selector)
	g.Expect(err).NotTo(HaveOccurred())
	serving, backup := archivePods(t, "platform", "national")
	g.Expect(selector.Matches(labels.Set(serving.Labels))).To(BeTrue())
	g.Expect(selector.Matches(labels.Set(backup.Labels))).To(BeFalse(), "a backup serves no metrics")
	manager := byID(t, render(t, ""))["Deployment/valtuus-system/valtuus-manager"]
	ofManager := labels.Set{}
	for key, value := range at(manager, "spec", "template", "metadata", "labels").(map[string]any) {
		ofManager[key] = value.(string)
	}
	g.Expect(selector.Matches(ofManager)).To(BeFalse(), "the managers have a ServiceMonitor")
	g.Expect(monitor.PodMetricsEndpoints).To(ConsistOf(HaveField("Interval", "1m")))
	g.Expect(serving.Spec.Containers[0].Ports).To(ContainElement(And(
		HaveField("Name", monitor.PodMetricsEndpoints[0].Port), HaveField("ContainerPort", workload.AdminPort))))
}

// TestAlertsTellArchivesApart: of two archives in one namespace, as the PodMonitor has them scraped, one that is well does not
// hide that the other is not.
func TestAlertsTellArchivesApart(t *testing.T) {
	monitor := podMonitor(t)
	scraped := func(archive string) string {
		job := "valtuus-system/valtuus-archives" // where no label names it
		if serving, _ := archivePods(t, "platform", archive); monitor.JobLabel != "" {
			job = serving.Labels[monitor.JobLabel]
		}
		return fmt.Sprintf(`namespace="platform",job=%q,instance="%s:8082"`, job, archive)
	}
	well, sick := scraped("well"), scraped("sick")
	for alert, series := range map[string]string{
		"ValtuusArchiveErrors": `
		  valtuus_archive_requests_total{WELL,outcome="allowed"} 0+100000x60
		  valtuus_archive_requests_total{SICK,outcome="allowed"} 0+10x60
		  valtuus_archive_requests_total{SICK,outcome="error"} 0+10x60`,
		"ValtuusLogNotSigned": `
		  valtuus_archive_log_unproven_rows{WELL} 3x60
		  valtuus_archive_log_unproven_rows{SICK} 3x60
		  valtuus_archive_log_checkpoint_timestamp_seconds{WELL} 0+60x60
		  valtuus_archive_log_checkpoint_timestamp_seconds{SICK} 1200x60`,
		"ValtuusLogWitnessSilent": `
		  valtuus_archive_log_witness_timestamp_seconds{WELL,witness="w"} 0+60x60
		  valtuus_archive_log_witness_timestamp_seconds{SICK,witness="w"} 0x60`,
		"ValtuusLogNobodyGivesLeaves": `
		  valtuus_archive_log_leads{WELL} 1x60
		  valtuus_archive_log_leads{SICK} 0x60`,
		"ValtuusArchiveViewAges": `
		  valtuus_archive_view_age_seconds{WELL} 1x60
		  valtuus_archive_view_age_seconds{SICK} 60x60`,
	} {
		found := query(t, strings.NewReplacer("WELL", well, "SICK", sick).Replace(series), alerts(t)[alert]["expr"].(string))
		if len(found) != 1 || found[0].Metric.Get("job") != "sick" {
			t.Errorf("%s: %v", alert, found)
		}
	}
}

// TestMetricsOfResourcesKeepTheirNamespace: without it Prometheus would put the managers' in its place, and an alert would
// name a grant or an archive that there is not.
func TestMetricsOfResourcesKeepTheirNamespace(t *testing.T) {
	monitor := byID(t, render(t, "monitoring: {serviceMonitor: {enabled: true}}"))["ServiceMonitor/valtuus-system/valtuus-manager"]
	for _, endpoint := range at(monitor, "spec", "endpoints").([]any) {
		if endpoint.(map[string]any)["honorLabels"] != true {
			t.Error("the labels of the metrics are not honored")
		}
	}
}
