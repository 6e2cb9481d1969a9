// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package reach says in which namespaces a manager works.
package reach

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Namespaces are those that a manager works in; the zero value is the whole cluster.
type Namespaces struct {
	names []string // in order, each once
}

// Of gives the namespaces with these names, and the whole cluster where there is none. It fails with the first that cannot
// be the name of a namespace.
func Of(names ...string) (Namespaces, error) {
	for _, name := range names {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return Namespaces{}, fmt.Errorf("%q cannot be a namespace: %s", name, strings.Join(problems, ", "))
		}
	}
	names = slices.Clone(names)
	slices.Sort(names)
	return Namespaces{names: slices.Compact(names)}, nil
}

// Everywhere tells whether no namespace is left out.
func (n Namespaces) Everywhere() bool { return len(n.names) == 0 }

// Includes tells whether the manager works in a namespace. What is in none, whose namespace is empty, is always its work.
func (n Namespaces) Includes(namespace string) bool {
	return n.Everywhere() || namespace == "" || slices.Contains(n.names, namespace)
}

// Names gives the names in order; none for the whole cluster.
func (n Namespaces) Names() []string { return slices.Clone(n.names) }
