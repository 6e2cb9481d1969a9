// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func TestExpectedVersions(t *testing.T) {
	for header, want := range map[string]struct {
		ok, star bool
		expected int // with 3 as the current version
	}{
		`"1"`: {true, false, 1}, `"3"`: {true, false, 3}, `"3-json"`: {true, false, 3}, `"3-xhtml"`: {true, false, 3},
		`"1", "3", "4"`: {true, false, 3}, `"1" , "2-json"`: {true, false, 2}, `"1","2"`: {true, false, 2},
		`*`: {true, true, 0}, `W/"3"`: {true, false, 0}, `W/"3", "2"`: {true, false, 2},
		`"0"`: {true, false, 0}, `"03"`: {true, false, 0}, `"3-pdf"`: {true, false, 0}, `"-1"`: {true, false, 0}, `""`: {true, false, 0},
		`"99999999999999999999"`: {true, false, 0}, `"x"`: {true, false, 0},
		``: {}, `3`: {}, `"3`: {}, `"3"x`: {}, `"3" "2"`: {}, `*, "3"`: {}, `"3", *`: {}, `w/"3"`: {}, "\"3\u00e4\"": {},
	} {
		tags, star, ok := parseTags([]string{header})
		if ok != want.ok || star != want.star || expectedVersion(tags, 3) != want.expected {
			t.Errorf("%q: got %v, %v, %d", header, ok, star, expectedVersion(tags, 3))
		}
	}
	if tags, _, ok := parseTags([]string{`"1"`, `"3"`}); !ok || expectedVersion(tags, 3) != 3 {
		t.Error("two lines are not one list")
	}
}

func TestWhatTheCallerHasAlready(t *testing.T) {
	for header, want := range map[string]bool{
		`"2-json"`: true, `W/"2-json"`: true, `"1", "2-json"`: true, `*`: true, `"2"`: false, `"2-xhtml"`: false, `2-json`: false, ``: false,
	} {
		if got := hasAlready([]string{header}, `"2-json"`); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
	if hasAlready(nil, `"1"`) {
		t.Error("no header names a tag")
	}
}

func TestAccept(t *testing.T) {
	const json, xhtml, both = store.ContentJSON, store.ContentXHTML, contentRelated
	version := func(formats ...string) (f store.Facts) {
		for _, format := range formats {
			f.Representations = append(f.Representations, store.RepresentationFacts{ContentType: format})
		}
		return f
	}
	for header, want := range map[string][3]string{ // of JSON alone, XHTML alone, and both
		"": {json, xhtml, json}, "*/*": {json, xhtml, json}, "application/*": {json, xhtml, json}, "text/*": {"", "", ""},
		"application/json": {json, "", json}, "application/xhtml+xml": {"", xhtml, xhtml}, "application/json;q=0": {"", "", ""},
		"application/json;q=0, */*":                       {"", xhtml, xhtml},
		"*/*;q=0, application/xhtml+xml;q=0.1":            {"", xhtml, xhtml},
		"text/html, application/xhtml+xml;q=0.9, */*;q=0": {"", xhtml, xhtml},
		"application/xhtml+xml, application/json;q=0.9":   {json, xhtml, xhtml},
		"garbage": {"", "", ""}, "application/json;q=x": {"", "", ""}, "application/json;q=NaN": {"", "", ""}, "application/json;q=2": {"", "", ""},
		"multipart/related": {"", "", both}, "multipart/related, */*;q=0.5": {json, xhtml, both}, "multipart/*": {"", "", ""},
		"multipart/related;q=0.5, application/json": {json, "", json},
	} {
		got := [3]string{
			chosenFormat([]string{header}, version(json)), chosenFormat([]string{header}, version(xhtml)),
			chosenFormat([]string{header}, version(json, xhtml)),
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}

// FuzzIfMatch holds that what an If-Match names is a version that some strong tag of it spells out.
func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{`"1"`, `"2-json", "3-xhtml"`, `*`, `W/"1"`, `"`, `"1",`, `,"1"`, `"1""2"`, "\"1\"\t,\t\"2\""} {
		f.Add(seed, 2)
	}
	f.Fuzz(func(t *testing.T, header string, current int) {
		tags, star, ok := parseTags([]string{header})
		if !ok && len(tags) > 0 || star && len(tags) > 0 {
			t.Fatalf("%q gives tags although it is none", header)
		}
		expected := expectedVersion(tags, current)
		if expected == 0 {
			return
		}
		spelled := false
		for _, format := range []string{"", store.ContentJSON, store.ContentXHTML} {
			spelled = spelled || strings.Contains(header, entityTag(expected, format))
		}
		if !spelled {
			t.Fatalf("%q does not name version %d", header, expected)
		}
	})
}

// FuzzAccept holds that a format is answered only if it was offered and its name or a range over it is in the header.
func FuzzAccept(f *testing.F) {
	for _, seed := range []string{"", "*/*", "application/json;q=0.5, text/html", "multipart/related", ",;,", "application/json; q=\"1\""} {
		f.Add(seed, true, true)
	}
	f.Fuzz(func(t *testing.T, header string, json, xhtml bool) {
		var version store.Facts
		for format, has := range map[string]bool{store.ContentJSON: json, store.ContentXHTML: xhtml} {
			if has {
				version.Representations = append(version.Representations, store.RepresentationFacts{ContentType: format})
			}
		}
		got := chosenFormat([]string{header}, version)
		_, stored := version.Representation(got)
		lower := strings.ToLower(header)
		switch {
		case got == "":
		case got == contentRelated && json && xhtml && strings.Contains(lower, contentRelated):
		case stored && (strings.TrimSpace(header) == "" || strings.Contains(lower, got) || strings.Contains(lower, "/*")):
		default:
			t.Fatalf("%q gives %q", header, got)
		}
	})
}
