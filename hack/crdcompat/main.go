// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Command crdcompat fails when a CRD of the working tree refuses what an earlier
// one took: a removed kind, version or field, a new required field, a narrower
// value. CEL rules cannot be compared and are not.
//
// The earlier CRDs are those of the merge base with origin/main; on main itself
// with a clean tree, those of the previous commit. A deliberate break is listed,
// as printed, in hack/crdcompat/accepted.txt, so that a reviewer sees it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	dir := flag.String("dir", "config/crd/bases", "directory of the CRDs, from the root of the repository")
	base := flag.String("base", "", "commit to compare with; chosen when empty")
	accepted := flag.String("accepted", "hack/crdcompat/accepted.txt", "file with the breaks that are meant")
	flag.Parse()
	if err := run(*dir, *base, *accepted); err != nil {
		fmt.Fprintln(os.Stderr, "crdcompat:", err)
		os.Exit(1)
	}
}

func run(dir, base, acceptedFile string) error {
	if base == "" {
		base = chooseBase(dir)
	}
	if base == "" {
		fmt.Println("no earlier commit to compare with")
		return nil
	}
	earlier, err := committed(base, dir)
	if err != nil {
		return err
	}
	current, err := onDisk(dir)
	if err != nil {
		return err
	}
	accepted, err := readAccepted(acceptedFile)
	if err != nil {
		return err
	}
	fmt.Printf("comparing with %s: %d kinds there, %d here\n", base, len(earlier), len(current))
	var found int
	for _, problem := range compareAll(earlier, current) {
		if accepted[problem] {
			fmt.Println("accepted:", problem)
			continue
		}
		found++
		fmt.Println(problem)
	}
	if found > 0 {
		return fmt.Errorf("%d incompatible changes; if they are meant, add their lines to %s", found, acceptedFile)
	}
	return nil
}

// chooseBase returns "" in a repository without an earlier commit.
func chooseBase(dir string) string {
	head, err := git("rev-parse", "--verify", "-q", "HEAD")
	if err != nil {
		return ""
	}
	if base, err := git("merge-base", "HEAD", "origin/main"); err == nil && base != head {
		return base
	}
	if changes, err := git("status", "--porcelain", "--", dir); err == nil && changes != "" {
		return head
	}
	previous, err := git("rev-parse", "--verify", "-q", "HEAD~1")
	if err != nil {
		return ""
	}
	return previous
}

func git(args ...string) (string, error) {
	out, err := exec.Command("git", args...).Output()
	return strings.TrimSpace(string(out)), err
}

type crds map[string]*apiextensionsv1.CustomResourceDefinition

func (c crds) add(content []byte) error {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(content, crd); err != nil {
		return err
	}
	c[crd.Name] = crd
	return nil
}

func committed(base, dir string) (crds, error) {
	files, err := git("ls-tree", "--name-only", base, dir+"/")
	if err != nil {
		return nil, fmt.Errorf("list the CRDs of %s: %w", base, err)
	}
	found := crds{}
	for _, file := range strings.Fields(files) {
		if path.Ext(file) != ".yaml" {
			continue
		}
		content, err := git("show", base+":"+file)
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", file, base, err)
		}
		if err := found.add([]byte(content)); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", file, base, err)
		}
	}
	return found, nil
}

func onDisk(dir string) (crds, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	found := crds{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := found.add(content); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return found, nil
}

func readAccepted(file string) (map[string]bool, error) {
	content, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	lines := map[string]bool{}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines[line] = true
		}
	}
	return lines, nil
}
