// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const repositoryRoot = "../.."

// makeImage makes an image of a file and returns the archive and the digest.
func makeImage(t *testing.T, binary string, args ...string) (archive []byte, digest string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image.tar")
	cmd := exec.CommandContext(t.Context(), "go", append([]string{
		"run", ".", "-binary", binary, "-name", "registry.example/valtuus/valtuus:v1.2.3", "-arch", "amd64", "-out", out}, args...)...)
	cmd.Dir = filepath.Join(repositoryRoot, "hack", "images")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err = os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return archive, strings.TrimSpace(string(text))
}

// blobs are the files of an archive, by the digests that are their names.
func blobs(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[strings.Replace(strings.TrimPrefix(header.Name, "blobs/"), "/", ":", 1)], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// imageConfig is what an engine reads of an image.
type imageConfig struct {
	Architecture, OS, Created string
	Config                    struct {
		User       string
		Entrypoint []string
		Labels     map[string]string
	}
}

func configOf(t *testing.T, archive []byte, digest string) imageConfig {
	t.Helper()
	all := blobs(t, archive)
	var manifest struct{ Config struct{ Digest string } }
	if err := json.Unmarshal(all[digest], &manifest); err != nil {
		t.Fatal(err)
	}
	var config imageConfig
	if err := json.Unmarshal(all[manifest.Config.Digest], &config); err != nil {
		t.Fatal(err)
	}
	return config
}

func TestTheSameBinaryGivesTheSameImage(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "valtuus")
	write := func(text string, when time.Time) {
		if err := os.WriteFile(binary, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(binary, when, when); err != nil {
			t.Fatal(err)
		}
	}
	write("one", time.Unix(1_700_000_000, 0))
	first, digest := makeImage(t, binary, "-label", "b=2", "-label", "a=1")
	write("one", time.Unix(1_800_000_000, 0))
	if again, same := makeImage(t, binary, "-label", "a=1", "-label", "b=2"); same != digest || !bytes.Equal(first, again) {
		t.Errorf("the same binary, made at another time: %s, then %s", digest, same)
	}
	write("two", time.Unix(1_700_000_000, 0))
	if _, other := makeImage(t, binary, "-label", "a=1", "-label", "b=2"); other == digest {
		t.Errorf("another binary gave the same digest %s", digest)
	}
}

func TestTheImageRunsAsNobodyInParticular(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "valtuus")
	if err := os.WriteFile(binary, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	archive, digest := makeImage(t, binary)
	config := configOf(t, archive, digest)
	if config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/valtuus"}) ||
		config.OS != "linux" || config.Architecture != "amd64" || config.Created != "1970-01-01T00:00:00Z" {
		t.Errorf("%+v", config)
	}
}

// Both ways to the image give one with the same user, entry point and labels.
func TestTheDockerfileMakesTheSameImage(t *testing.T) {
	makefile, dockerfile := read(t, "Makefile"), read(t, "Dockerfile")
	label := regexp.MustCompile(`org\.opencontainers\.image\.[a-z]+`)
	fromMake, fromDocker := map[string]bool{}, map[string]bool{}
	for _, name := range label.FindAllString(makefile, -1) {
		fromMake[name] = true
	}
	for _, name := range label.FindAllString(dockerfile, -1) {
		fromDocker[name] = true
	}
	if !maps.Equal(fromMake, fromDocker) {
		t.Errorf("labels: the Makefile has %v, the Dockerfile %v", fromMake, fromDocker)
	}
	for _, line := range []string{"FROM scratch", "USER 65532:65532", `ENTRYPOINT ["/valtuus"]`} {
		if !strings.Contains(dockerfile, line+"\n") {
			t.Errorf("the Dockerfile lacks %q", line)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repositoryRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
