// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// node is the one node of make cluster-up, whose processes and files can be reached.
type node struct{ dir string }

func findNode(kubeconfig string) *node {
	n := &node{dir: filepath.Dir(kubeconfig)}
	if _, err := os.Stat(n.socket()); err != nil {
		return nil
	}
	return n
}

func (n *node) socket() string { return filepath.Join(n.dir, "run", "containerd.sock") }

// mount runs mount in the node's view of the file system. What it mounts goes with the node.
func (n *node) mount(args ...string) error {
	pid, err := n.kubelet()
	if err != nil {
		return err
	}
	out, err := exec.Command("nsenter", append([]string{"--mount", "--target", pid, "--", "mount"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// kubelet is the process id of the node's kubelet.
func (n *node) kubelet() (pid string, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return "", err
	}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		args := strings.Split(string(line), "\x00")
		if filepath.Base(args[0]) == "kubelet" && slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, n.dir+"/") }) {
			return filepath.Base(filepath.Dir(file)), nil
		}
	}
	return "", errors.New("the node has no kubelet")
}

// kill ends the main process of a container as kill -9 does. Where the node is not ours, the pod is deleted with no time
// to end: the most that kubectl can do.
func (s *suite) kill(ctx context.Context, pod *corev1.Pod, container string) error {
	if s.node == nil {
		_, err := s.kubectl(ctx, admin, "-n", pod.Namespace, "delete", "pod", pod.Name, "--grace-period=0", "--force")
		return err
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == container {
			id := strings.TrimPrefix(c.ContainerID, "containerd://")
			_, err := s.run(ctx, exec.CommandContext(ctx, filepath.Join(s.node.dir, "bin", "ctr"), "--address", s.node.socket(), "--namespace", "k8s.io",
				"tasks", "kill", "--signal", "SIGKILL", id))
			return err
		}
	}
	return fmt.Errorf("pod %s has no container %s", pod.Name, container)
}

// pods are those that a selector names, without such as are ending.
func (s *suite) pods(ctx context.Context, namespace string, labels client.MatchingLabels) ([]corev1.Pod, error) {
	var list corev1.PodList
	if err := s.List(ctx, &list, client.InNamespace(namespace), labels); err != nil {
		return nil, err
	}
	var pods []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// allReady waits until so many pods are there, and all of them ready.
func (s *suite) allReady(t *testing.T, namespace string, labels client.MatchingLabels, count int) []corev1.Pod {
	t.Helper()
	var pods []corev1.Pod
	NewWithT(t).Eventually(func(g Gomega) {
		var err error
		pods, err = s.pods(t.Context(), namespace, labels)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(pods).To(HaveLen(count))
		for i := range pods {
			g.Expect(isReady(&pods[i])).To(BeTrue(), pods[i].Name)
		}
	}).Should(Succeed())
	return pods
}

var (
	managerLabels = client.MatchingLabels{"app.kubernetes.io/name": "valtuus", "app.kubernetes.io/component": "manager"}
	managerSpace  = "valtuus-system"
)

func archiveLabels(name string) client.MatchingLabels {
	return client.MatchingLabels{"app.kubernetes.io/component": "archive", "valtuus.io/archive": name}
}
