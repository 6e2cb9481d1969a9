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

const (
	temporaryOID     = "1.2.246.10.32213086.22.2026.17"
	temporaryUnitOID = "1.2.246.10.2085212.10.1306.22.2026.17"
)

func TestBornOn(t *testing.T) {
	for text, want := range map[string]string{
		withCheck("280204+", "123"): "1804-02-28", withCheck("280204-", "123"): "1904-02-28", withCheck("280204A", "123"): "2004-02-28",
		withCheck("280204Y", "123"): "1904-02-28", withCheck("280204U", "123"): "1904-02-28", withCheck("280204F", "123"): "2004-02-28",
		withCheck("010100-", "002"): "1900-01-01", published: "2016-05-02",
	} {
		code, err := identitycode.Parse(text)
		if err != nil || code.BornOn() != want || code.Identifier().BornOn() != want {
			t.Errorf("%s: born on %q (%v), want %q", text, code.BornOn(), err, want)
		}
	}
	if (identitycode.Code{}).BornOn() != "" || !(identitycode.Code{}).Identifier().IsZero() {
		t.Error("the zero code names somebody")
	}
}

func TestParseTemporaryOID(t *testing.T) {
	for in, good := range map[string]bool{
		temporaryOID: true, temporaryUnitOID: true, "1.2.246.10.1.22.1900.0": true, "1.2.246.10.1.22.2999.1": true,
		"":                                                false,
		"1.2.246.10.32213086.22.2026":                     false, // the year alone names nobody
		"1.2.246.10.32213086.22.2026.":                    false,
		"1.2.246.10.32213086.22.2026.1.1":                 false,
		"1.2.246.10.32213086.22.26.1":                     false,
		"1.2.246.10.32213086.22.1899.1":                   false,
		"1.2.246.10.32213086.22.3000.1":                   false,
		"1.2.246.10.32213086.19.2026.1":                   false,
		"1.2.246.10.32213086.10.1.19.2026.1":              false,
		"1.2.246.10.32213086.11.1.22.2026.1":              false,
		"1.2.246.10.032213086.22.2026.1":                  false,
		"1.2.246.10.32213086.22.2026.01":                  false,
		"1.2.246.10.32213086.22.2026.x":                   false,
		"1.2.246.10..22.2026.1":                           false,
		"1.2.246.21.32213086.22.2026.1":                   false,
		" " + temporaryOID:                                false,
		temporaryOID + "\n":                               false,
		"1.2.246.10.1.22.2026." + strings.Repeat("1", 64): false,
	} {
		id, err := identitycode.ParseTemporaryOID(in)
		if good && (err != nil || id.Kind() != identitycode.KindTemporaryOID || id.Reveal() != in || id.BornOn() != "") {
			t.Errorf("%q is refused or changed: %v", in, err)
		}
		if !good && (!errors.Is(err, identitycode.ErrTemporary) || !id.IsZero()) {
			t.Errorf("%q passes: %v", in, err)
		}
		if good && !identitycode.LooksLike("/clients/"+in) {
			t.Errorf("%q is not found in an address", in)
		}
	}
}

// A temporary code is never a code, and a code never a temporary one: the 900 series included.
func TestParseTemporaryCode(t *testing.T) {
	temporary := func(dateAndSign string, serial int) string {
		var date int
		_, _ = fmt.Sscanf(dateAndSign[:6], "%d", &date)
		return fmt.Sprintf("%sR%02d%c", dateAndSign, serial, "0123456789ABCDEFHJKLMNPRSTUVWXY"[(date*1000+23*100+serial)%31])
	}
	for in, good := range map[string]bool{
		temporary("010190-", 0): true, temporary("010190-", 99): true, temporary("290200A", 7): true, strings.ToLower(temporary("010190Y", 12)): true,
		temporary("290200-", 7): false, temporary("010190G", 7): false, temporary("320190-", 7): false, temporary("010190-", 7)[:10]: false,
		temporary("010190-", 7) + " ": false, strings.Replace(temporary("010190-", 7), "R", "S", 1): false,
		published: false, withCheck("010190-", "900"): false, withCheck("010190-", "007"): false, "": false,
	} {
		id, err := identitycode.ParseTemporaryCode(in)
		if good && (err != nil || id.Kind() != identitycode.KindTemporaryCode || id.Reveal() != strings.ToUpper(in) || id.BornOn() != "") {
			t.Errorf("%q is refused or changed: %v", in, err)
		}
		if !good && (!errors.Is(err, identitycode.ErrTemporary) || !id.IsZero()) {
			t.Errorf("%q passes: %v", in, err)
		}
		if _, err := identitycode.Parse(in); good && err == nil {
			t.Errorf("%q is a personal identity code as well", in)
		}
		if good && !identitycode.LooksLike("x "+in) {
			t.Errorf("%q is not found in text", in)
		}
	}
}

func TestOneWrongCharacterOfATemporaryCodeIsNoCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(identitycode.SyntheticTemporary(rapid.IntRange(0, identitycode.SyntheticCodes-1).Draw(t, "n")).Reveal())
		text[rapid.IntRange(0, len(text)-1).Draw(t, "position")] = rapid.SampledFrom([]byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+- /")).Draw(t, "character")
		if _, err := identitycode.Parse(string(text)); err == nil {
			t.Fatalf("%s is a personal identity code", text)
		}
	})
}

func TestSyntheticTemporariesAreDistinct(t *testing.T) {
	seen := map[identitycode.Identifier]bool{}
	for n := range identitycode.SyntheticCodes {
		id := identitycode.SyntheticTemporary(n)
		if seen[id] {
			t.Fatalf("number %d comes twice", n)
		}
		seen[id] = true
	}
}

func TestKinds(t *testing.T) {
	for kind, temporary := range map[identitycode.Kind]bool{
		identitycode.KindCode: false, identitycode.KindTemporaryOID: true, identitycode.KindTemporaryCode: true,
	} {
		if !kind.Known() || kind.Temporary() != temporary {
			t.Errorf("%s: known %v, temporary %v", kind, kind.Known(), kind.Temporary())
		}
	}
	if identitycode.Kind("").Known() || identitycode.Kind("passport").Known() {
		t.Error("what is no kind is known")
	}
}

func TestNothingPrintsAnIdentifier(t *testing.T) {
	id, err := identitycode.ParseTemporaryOID(temporaryOID)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct{ hidden identitycode.Identifier }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, id); got != identitycode.RedactedIdentifier {
			t.Errorf("%s prints %q", verb, got)
		}
		for _, value := range []any{&id, holder{id}, []identitycode.Identifier{id}} {
			if got := fmt.Sprintf(verb, value); strings.Contains(got, "32213086") || strings.Contains(got, fmt.Sprintf("%x", "32213086")) {
				t.Errorf("%s prints %q", verb, got)
			}
		}
	}
	raw, err := id.MarshalJSON()
	if err != nil || strings.Contains(string(raw), "32213086") || strings.Contains(id.LogValue().String(), "32213086") {
		t.Errorf("encoded as %s (%v)", raw, err)
	}
}

func FuzzParseTemporary(f *testing.F) {
	for _, s := range []string{temporaryOID, temporaryUnitOID, identitycode.SyntheticTemporary(3).Reveal(), published, "", "1.2.246.10."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (identitycode.Identifier, error){identitycode.ParseTemporaryOID, identitycode.ParseTemporaryCode} {
			id, err := parse(s)
			if err != nil {
				if !id.IsZero() {
					t.Fatal("an identifier came with the error")
				}
				continue
			}
			if again, err := parse(id.Reveal()); err != nil || again != id || !strings.EqualFold(s, id.Reveal()) {
				t.Fatal("a revealed identifier does not parse to itself")
			}
			if _, err := identitycode.Parse(s); err == nil || !identitycode.LooksLike(s) {
				t.Fatal("it is a personal identity code, or not found")
			}
		}
	})
}
