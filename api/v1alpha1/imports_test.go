// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// Who imports the types takes nothing of the controllers along.
func TestTheTypesImportApimachineryOnly(t *testing.T) {
	g := NewWithT(t)
	entries, err := os.ReadDir(".")
	g.Expect(err).NotTo(HaveOccurred())
	read := 0
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		g.Expect(err).NotTo(HaveOccurred())
		read++
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			g.Expect(err).NotTo(HaveOccurred())
			standard := !strings.Contains(strings.SplitN(path, "/", 2)[0], ".")
			g.Expect(standard || strings.HasPrefix(path, "k8s.io/apimachinery/")).To(BeTrue(), "%s imports %s", name, path)
		}
	}
	g.Expect(read).To(BeNumerically(">", 10))
}
