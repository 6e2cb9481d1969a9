// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

const thing = `
metadata: {name: things.example.org}
spec:
  scope: Namespaced
  names: {kind: Thing}
  versions:
  - name: v1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [name]
            properties:
              name: {type: string, maxLength: 63}
              mode: {type: string, enum: [A, B]}
              list: {type: array, maxItems: 8, x-kubernetes-list-type: atomic, items: {type: string}}
`

func TestCompare(t *testing.T) {
	cases := map[string]struct {
		from, to string
		want     []string
	}{
		"nothing changed":    {"", "", nil},
		"a new field":        {"mode:", "more: {type: string}\n              mode:", nil},
		"a wider bound":      {"maxLength: 63", "maxLength: 253", nil},
		"a wider enum":       {"[A, B]", "[A, B, C]", nil},
		"a field removed":    {"mode: {type: string, enum: [A, B]}", "", []string{"things.example.org v1 .spec.mode: the field was removed"}},
		"a field required":   {"[name]", "[name, mode]", []string{"things.example.org v1 .spec.mode: the field is required now"}},
		"a narrower enum":    {"[A, B]", "[A]", []string{`things.example.org v1 .spec.mode: the value "B" is refused now`}},
		"a new enum":         {"maxLength: 63", "maxLength: 63, enum: [x]", []string{"things.example.org v1 .spec.name: only listed values are taken now"}},
		"a narrower bound":   {"maxLength: 63", "maxLength: 10", []string{"things.example.org v1 .spec.name: maxLength went from 63 to 10"}},
		"a new bound":        {"enum: [A, B]", "enum: [A, B], minLength: 2", []string{"things.example.org v1 .spec.mode: minLength went from none to 2"}},
		"another type":       {"items: {type: string}", "items: {type: integer}", []string{`things.example.org v1 .spec.list[]: the type changed from "string" to "integer"`}},
		"another list type":  {"atomic", "set", []string{`things.example.org v1 .spec.list: the list type changed from "atomic" to "set"`}},
		"another scope":      {"Namespaced", "Cluster", []string{"things.example.org: the scope changed from Namespaced to Cluster"}},
		"a version gone":     {"name: v1", "name: v2", []string{"things.example.org v1: the version is not served any more"}},
		"a version unserved": {"served: true", "served: false", []string{"things.example.org v1: the version is not served any more"}},
		"the kind gone":      {"things.example.org", "others.example.org", []string{"things.example.org: the kind was removed"}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(thing, test.from) {
				t.Fatalf("%q is not in the CRD", test.from)
			}
			got := compareAll(parse(t, thing), parse(t, strings.Replace(thing, test.from, test.to, 1)))
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func parse(t *testing.T, content string) crds {
	t.Helper()
	found := crds{}
	if err := found.add([]byte(content)); err != nil {
		t.Fatal(err)
	}
	return found
}
