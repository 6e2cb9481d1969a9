// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// suiteLabel is on the namespaces that the suite made.
const suiteLabel = "valtuus-e2e"

// namespaces are those of config/samples, that of the installation, and one of nobody's.
var namespaces = []string{"valtuus-system", "platform", "pirkanmaa", "hoivakoti", "elsewhere"}

// makeNamespaces makes them with the strictest Pod Security level enforced.
func (s *suite) makeNamespaces(ctx context.Context) error {
	for _, name := range namespaces {
		err := s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"pod-security.kubernetes.io/enforce": "restricted", suiteLabel: "true",
		}}})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep takes away all that the suite made, whatever became of it. It touches no namespace that it did not make, and
// so no installation of somebody else's.
func (s *suite) sweep(ctx context.Context) error {
	var ours []string
	for _, name := range namespaces {
		ns := &corev1.Namespace{}
		err := s.Get(ctx, client.ObjectKey{Name: name}, ns)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return err
		case ns.Labels[suiteLabel] == "":
			return fmt.Errorf("namespace %s is there, and is not the suite's: use another cluster", name)
		default:
			ours = append(ours, name)
		}
	}
	if len(ours) == 0 {
		return s.refuseOthers(ctx)
	}
	quiet := func(args ...string) string {
		out, err := s.kubectl(ctx, admin, args...)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(out)
	}
	// While managers run, they take the finalizers away; what is left of a failed run goes without.
	kinds := strings.Fields(quiet("api-resources", "--api-group=valtuus.io", "-o", "name"))
	for _, kind := range kinds {
		quiet("delete", kind, "--all", "--all-namespaces", "--wait=false")
	}
	for _, kind := range kinds {
		if quiet("-n", managerSpace, "get", "deployment", "valtuus-manager", "-o", "name") != "" {
			quiet("wait", "--for=delete", kind, "--all", "--all-namespaces", "--timeout=60s")
		}
		for line := range strings.Lines(quiet("get", kind, "-A", "-o", `jsonpath={range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{"\n"}{end}`)) {
			fields := strings.Fields(line)
			args := []string{"patch", kind, fields[len(fields)-1], "--type=merge", "-p", `{"metadata":{"finalizers":null}}`}
			if len(fields) > 1 {
				args = append(args, "-n", fields[0])
			}
			quiet(args...)
		}
	}
	_, _ = s.runHelm(ctx, "uninstall", "valtuus", "--namespace", managerSpace, "--no-hooks", "--wait")
	for _, kind := range []string{"validatingadmissionpolicybindings", "validatingadmissionpolicies", "clusterrolebindings", "clusterroles", "crd"} {
		for name := range strings.Lines(quiet("get", kind, "-o", "name")) {
			if strings.Contains(name, "/valtuus-") || strings.Contains(name, ".valtuus.io") {
				quiet("delete", strings.TrimSpace(name), "--timeout=60s")
			}
		}
	}
	var failed error
	for _, name := range slices.Backward(ours) {
		_, err := s.kubectl(ctx, admin, "delete", "namespace", name, "--wait=false")
		failed = errors.Join(failed, err)
	}
	for _, name := range ours {
		_, err := s.kubectl(ctx, admin, "wait", "--for=delete", "namespace/"+name, inTime)
		failed = errors.Join(failed, err)
	}
	quiet("delete", "storageclass,pv", "-l", suiteLabel, "--timeout=60s")
	return failed
}

// refuseOthers refuses a cluster that has the product's kinds already: they are somebody else's.
func (s *suite) refuseOthers(ctx context.Context) error {
	found, err := s.kubectl(ctx, admin, "api-resources", "--api-group=valtuus.io", "-o", "name")
	if err != nil {
		return err
	}
	if strings.TrimSpace(found) != "" {
		return errors.New("the kinds of valtuus.io are there, and are not the suite's: use another cluster")
	}
	return nil
}

// dump writes what a person would look at after a failure into dist/e2e.
func (s *suite) dump(ctx context.Context) {
	dir := filepath.Join(s.root, "dist", "e2e")
	if os.RemoveAll(dir) != nil || os.MkdirAll(dir, 0o755) != nil {
		return
	}
	write := func(name string, args ...string) {
		out, err := s.kubectl(ctx, admin, args...)
		if err != nil {
			out += err.Error()
		}
		_ = os.WriteFile(filepath.Join(dir, name), []byte(out), 0o600)
	}
	write("valtuus.yaml", "get", "valtuus", "-A", "-o", "yaml")
	write("pods.txt", "get", "pods,pvc,deploy,statefulset,jobs", "-A", "-o", "wide")
	write("events.txt", "get", "events", "-A", "--sort-by=.lastTimestamp")
	for _, ns := range namespaces {
		var list corev1.PodList
		if s.List(ctx, &list, client.InNamespace(ns)) != nil {
			continue
		}
		for _, pod := range list.Items {
			write(ns+"-"+pod.Name+".log", "-n", ns, "logs", pod.Name, "--all-containers", "--tail=2000")
			write(ns+"-"+pod.Name+".txt", "-n", ns, "describe", "pod", pod.Name)
			write(ns+"-"+pod.Name+".previous.log", "-n", ns, "logs", pod.Name, "--all-containers", "--previous", "--tail=500")
		}
	}
	fmt.Println("e2e: what there was is in", dir)
}
