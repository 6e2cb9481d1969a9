// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/identitycode"
)

func TestLooksLike(t *testing.T) {
	for s, want := range map[string]bool{
		published:                        true,
		strings.ToLower(published):       true,
		"131052-308T":                    true,
		"131052+308t":                    true,
		"client-131052-308t":             true,
		"client/131052-308T/documents":   true,
		"131052-308T.example":            true,
		"x 010190-123A 5":                true,
		"999999-999Z":                    true, // no such date, but close enough to be a mistyped code
		"ä131052-308T":                   true,
		"131052-308T\n":                  true,
		"010190-R12A":                    true,
		"010190-r12a":                    true,
		"010190-S12A":                    false,
		"1.2.246.10.32213086.22.2026.17": true,
		"/v1/registries/1.2.246.10.2085212.10.1306.22.2026.1/x": true,
		"1.2.246.10.1.2.246.10.5.22.2026.1":                     true,
		"1.2.246.10.32213086.22.2026":                           false,
		"1.2.246.10.32213086.19.0":                              false,
		"1.2.246.10.32213086.10.22.2026.1":                      false,
		"":                                                      false,
		"131052-308":                                            false,
		"131052G308T":                                           false,
		"1131052-308T":                                          false,
		"a131052-308t":                                          false,
		"131052-308Tx":                                          false,
		"131052-308T1":                                          false,
		"1.2.246.10.12345678.10.0":                              false,
		"20250131-123a":                                         false,
		"c-7f3e9a52b1d04c7c":                                    false,
		"2f1b8c1e-9f0a-4a57-8e2d-131052a308":                    false,
		"550e8400-e29b-41d4-a716-446655440000":                  false,
	} {
		if got := identitycode.LooksLike(s); got != want {
			t.Errorf("LooksLike(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestPatternSurvivesQuoting(t *testing.T) {
	if strings.ContainsAny(identitycode.Pattern, "\\'\"`") {
		t.Error("the pattern needs escaping in CEL or YAML")
	}
}

func FuzzLooksLike(f *testing.F) {
	pattern := regexp.MustCompile(identitycode.Pattern)
	for _, s := range []string{published, "a131052-308T", "131052-308T 131052-308T", "131052-131052-308T", "x\xff131052-308T\xff", "131052A131052A308T",
		"1.2.246.10.5.22.2026.1", "1.2.246.10.1.2.246.10.5.10.2.22.2026.1", "010190-R12A", "1.2.246.10.22.22.2026.22.2026.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := identitycode.LooksLike(s), pattern.MatchString(s); got != want {
			t.Fatalf("LooksLike(%q) = %v, the pattern says %v", s, got, want)
		}
	})
}

func BenchmarkLooksLike(b *testing.B) {
	for b.Loop() {
		identitycode.LooksLike("550e8400-e29b-41d4-a716-446655440000")
	}
}
