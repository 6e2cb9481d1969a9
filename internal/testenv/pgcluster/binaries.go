// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pgcluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// OldestVersion is the oldest major version of the server that is used.
const OldestVersion = 15

// ErrNoServer says that no PostgreSQL server is installed.
var ErrNoServer = errors.New("no PostgreSQL server found: install one (Debian: apt-get install postgresql), or put its bin directory into PATH")

var versionNumber = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// findBinaries gives the directory that holds postgres and initdb: the one in PATH, or else the newest of
// Debian's places.
func findBinaries(ctx context.Context) (string, error) {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	places, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(places, func(a, b string) int { return cmp.Compare(placeVersion(b), placeVersion(a)) })
	for _, dir := range append(dirs, places...) {
		if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		if version(ctx, filepath.Join(dir, "postgres")) >= OldestVersion {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%w (version %d or newer)", ErrNoServer, OldestVersion)
}

// placeVersion reads the version from the path /usr/lib/postgresql/<version>/bin.
func placeVersion(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))) // what is no number goes last
	return n
}

// version asks the server's binary; 0 when it does not say.
func version(ctx context.Context, path string) int {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return 0
	}
	match := versionNumber.FindSubmatch(out)
	if match == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(match[1])) // digits, by the pattern
	return n
}
