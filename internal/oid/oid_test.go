// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package oid_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/oid"
)

func TestValid(t *testing.T) {
	long := "1.2." + strings.Repeat("1", oid.MaxLength-4)
	for s, want := range map[string]bool{
		"1.2.246.10.12345678.10.0": true,
		"1.2.246":                  true,
		"0.0.0":                    true,
		"2.999.1":                  true,
		long:                       true,
		long + "1":                 false,
		"":                         false,
		"1":                        false,
		"1.2":                      false,
		"3.2.246":                  false,
		"10.2.246":                 false,
		"1.02.246":                 false,
		"1.2.246.":                 false,
		".1.2.246":                 false,
		"1..246":                   false,
		"1.2.246.x":                false,
		"1.2.246\n":                false,
		" 1.2.246":                 false,
		"1.2.-1":                   false,
		"1.2.٣":                    false,
		"urn:oid:1.2.246":          false,
	} {
		if got := oid.Valid(s); got != want {
			t.Errorf("Valid(%q) = %v, want %v", s, got, want)
		}
	}
}

func FuzzValid(f *testing.F) {
	pattern := regexp.MustCompile(oid.Pattern)
	for _, s := range []string{"", "1.2.246", "1.2", "01.2.3", "1.2.246.10.1.", "2.0.0", "1.2.00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := len(s) <= oid.MaxLength && pattern.MatchString(s)
		if got := oid.Valid(s); got != want {
			t.Fatalf("Valid(%q) = %v, the pattern says %v", s, got, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	for b.Loop() {
		if !oid.Valid("1.2.246.10.12345678.10.0") {
			b.Fatal("refused")
		}
	}
}
