// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Images makes an image of one static binary, on nothing, and writes it as an archive
// in the OCI layout, which containerd, podman, skopeo, crane and docker (25 and newer)
// read. It asks no registry and no engine, and the same binary gives the same bytes.
//
//	images -binary bin/valtuus -name ghcr.io/valtuus/valtuus:dev -out dist/images/valtuus.tar
//
// It prints the digest of the image.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// labels are -label name=value, as often as one likes.
type labels map[string]string

func (l labels) String() string { return fmt.Sprint(map[string]string(l)) }

func (l labels) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return fmt.Errorf("%q is not name=value", text)
	}
	l[name] = value
	return nil
}

func main() {
	what := content{Labels: labels{}}
	flag.StringVar(&what.Binary, "binary", "", "static binary; it becomes /NAME and the entry point")
	flag.StringVar(&what.User, "user", "65532:65532", "user and group that it runs as, as numbers")
	flag.StringVar(&what.OS, "os", "linux", "operating system that the binary is for")
	flag.StringVar(&what.Architecture, "arch", "", "architecture that the binary is for, as Go names it")
	flag.Var(labels(what.Labels), "label", "name=value, a label of the image")
	name := flag.String("name", "", "name of the image, with its tag")
	out := flag.String("out", "", "archive to write")
	flag.Parse()
	digest, err := run(what, *name, *out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
	fmt.Println(digest)
}

func run(what content, name, out string) (string, error) {
	image, err := build(what)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", err
	}
	return write(image, name, out)
}
