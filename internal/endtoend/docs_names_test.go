// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest = regexp.MustCompile("`(Test[A-Za-z0-9_]*)([*…]?)[^`]*`")
	aTest     = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]*)\(`)
)

// TestTheDocsNameTestsThatExist: a claim that names the test that holds it must not outlive the test.
func TestTheDocsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	var tests []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "storetest") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range aTest.FindAllStringSubmatch(string(text), -1) {
			tests = append(tests, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for page, atLeast := range map[string]int{"privacy.md": 30, "invariants.md": 60, "log.md": 15} {
		text, err := os.ReadFile(filepath.Join(root, "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		named := namedTest.FindAllStringSubmatch(string(text), -1)
		if len(named) < atLeast {
			t.Errorf("%s names %d tests: are they still found?", page, len(named))
		}
		for _, m := range named {
			if !exists(tests, m[1], m[2] != "") {
				t.Errorf("%s names %s, and there is no such test", page, m[1]+m[2])
			}
		}
	}
}

// exists tells whether there is the test, or one whose name begins so.
func exists(tests []string, name string, begins bool) bool {
	for _, test := range tests {
		if test == name || begins && strings.HasPrefix(test, name) {
			return true
		}
	}
	return false
}
