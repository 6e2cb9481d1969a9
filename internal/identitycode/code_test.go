// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/identitycode"
)

// published is a test code printed in HL7 Finland's base profiles.
const published = "020516C903K"

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"published test code", published, nil},
		{"lower case", strings.ToLower(published), nil},
		{"DVV's example", "131052-308T", nil},
		{"leap day 2000", withCheck("290200A", "123"), nil},
		{"no leap day in 1900", withCheck("290200-", "123"), identitycode.ErrDate},
		{"no leap day in 1800", withCheck("290200+", "123"), identitycode.ErrDate},
		{"leap day 1896", withCheck("290296+", "123"), nil},
		{"day 31 of April", withCheck("310490-", "123"), identitycode.ErrDate},
		{"day 0", withCheck("000190-", "123"), identitycode.ErrDate},
		{"month 0", withCheck("010090-", "123"), identitycode.ErrDate},
		{"month 13", withCheck("011390-", "123"), identitycode.ErrDate},
		{"lowest individual number", withCheck("010190-", "002"), nil},
		{"individual number 001", withCheck("010190-", "001"), identitycode.ErrFormat},
		{"individual number 000", withCheck("010190-", "000"), identitycode.ErrFormat},
		{"highest individual number", withCheck("010190-", "999"), nil},
		{"wrong check character", "131052-308U", identitycode.ErrCheckCharacter},
		{"check character never used", "131052-308G", identitycode.ErrCheckCharacter},
		{"sign never used", withCheck("131052G", "308"), identitycode.ErrFormat},
		{"empty", "", identitycode.ErrFormat},
		{"short", "131052-308", identitycode.ErrFormat},
		{"long", "131052-308T ", identitycode.ErrFormat},
		{"leading space", " 131052-308", identitycode.ErrFormat},
		{"letter in the date", "1310O2-308T", identitycode.ErrFormat},
		{"letter in the number", "131052-3O8T", identitycode.ErrFormat},
		{"punctuation as check", "131052-308!", identitycode.ErrFormat},
		{"not ASCII", "131052–30T", identitycode.ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, err := identitycode.Parse(c.in)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil {
				if c.in != "" && strings.Contains(err.Error(), c.in) {
					t.Fatal("the error holds the input")
				}
				if !code.IsZero() {
					t.Fatal("a code came with the error")
				}
				return
			}
			if code.Reveal() != strings.ToUpper(c.in) {
				t.Fatal("Reveal gives something else")
			}
		})
	}
}

func TestEverySign(t *testing.T) {
	for _, sign := range "+-UVWXYABCDEF" {
		if _, err := identitycode.Parse(withCheck("280204"+string(sign), "905")); err != nil {
			t.Errorf("sign %c: %v", sign, err)
		}
	}
}

func TestTestSeries(t *testing.T) {
	for individual, want := range map[string]bool{"002": false, "899": false, "900": true, "999": true} {
		code, err := identitycode.Parse(withCheck("010190-", individual))
		if err != nil || code.Test() != want {
			t.Errorf("individual number %s: %v, test %v", individual, err, code.Test())
		}
	}
	if (identitycode.Code{}).Test() || (identitycode.Code{}).Reveal() != "" {
		t.Error("the zero value is a code")
	}
}

func TestComparable(t *testing.T) {
	a, _ := identitycode.Parse(published)
	b, _ := identitycode.Parse(strings.ToLower(published))
	c, _ := identitycode.Parse("131052-308T")
	if a != b || a == c {
		t.Error("equality does not follow the text")
	}
}

func TestGeneratedCodesParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := generate(t)
		code, err := identitycode.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if code.Reveal() != text || !identitycode.LooksLike(text) {
			t.Fatalf("%s is not kept or not found", text)
		}
	})
}

// The check character is there to catch one mistyped character: digits are always caught,
// a sign of the same century is another valid code.
func TestOneFlippedCharacter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := generate(t)
		code, err := identitycode.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "position")
		other := rapid.SampledFrom([]byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+- /")).Draw(t, "character")
		if text[at] == other {
			t.Skip("same character")
		}
		flipped := text[:at] + string(other) + text[at+1:]
		got, err := identitycode.Parse(flipped)
		if err == nil && got == code {
			t.Fatal("a changed code is the same code")
		}
		if err == nil && at != 6 {
			t.Fatalf("%s passes although a digit or the check character changed", flipped)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{published, "131052-308T", "131052-308t", "", "000000-0000", "290200-123A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, err := identitycode.Parse(s)
		if err != nil {
			if !code.IsZero() {
				t.Fatal("a code came with the error")
			}
			return
		}
		again, err := identitycode.Parse(code.Reveal())
		if err != nil || again != code {
			t.Fatal("a revealed code does not parse to itself")
		}
		if !identitycode.LooksLike(s) || !strings.EqualFold(s, code.Reveal()) {
			t.Fatal("a parsed code is not found or not kept")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := identitycode.Parse(published); err != nil {
			b.Fatal(err)
		}
	}
}

// withCheck completes a code; the arithmetic is written apart from the code under test.
func withCheck(dateAndSign, individual string) string {
	var n int
	_, _ = fmt.Sscanf(dateAndSign[:6]+individual, "%d", &n)
	return dateAndSign + individual + string("0123456789ABCDEFHJKLMNPRSTUVWXY"[n%31])
}

func generate(t *rapid.T) string {
	sign := rapid.SampledFrom([]rune("+-UVWXYABCDEF")).Draw(t, "sign")
	day := rapid.IntRange(1, 28).Draw(t, "day")
	month := rapid.IntRange(1, 12).Draw(t, "month")
	year := rapid.IntRange(0, 99).Draw(t, "year")
	individual := rapid.IntRange(2, 999).Draw(t, "individual")
	return withCheck(fmt.Sprintf("%02d%02d%02d%c", day, month, year, sign), fmt.Sprintf("%03d", individual))
}
