// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package masking

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

func paths(t testing.TB, texts ...string) Paths {
	t.Helper()
	p, wrong := ParsePaths(texts)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return p
}

func TestJSONMasksWhatThePathsLeadTo(t *testing.T) {
	for name, c := range map[string]struct {
		paths      string
		text, want string
	}{
		"a member":                 {"/a", `{"a": "x", "b": "x"}`, `{"a": "[turvakielto]", "b": "x"}`},
		"whatever the value":       {"/a/*", `{"a": [1, -2.5e3 , null,true, {"x": ["}", "\"]"]}, [], ""]}`, `{"a": ["[turvakielto]", "[turvakielto]" , "[turvakielto]","[turvakielto]", "[turvakielto]", "[turvakielto]", "[turvakielto]"]}`},
		"a whole object":           {"/a", `{"a":{"street":"x"},"b":1}`, `{"a":"[turvakielto]","b":1}`},
		"each item":                {"/a/*/p", `{"a": [{"p": 1}, {"q": 1}, 7, {"p": 2}]}`, `{"a": [{"p": "[turvakielto]"}, {"q": 1}, 7, {"p": "[turvakielto]"}]}`},
		"each member":              {"/*/p", `{"a": {"p": 1}, "b": {"p": {"p": 3}}}`, `{"a": {"p": "[turvakielto]"}, "b": {"p": "[turvakielto]"}}`},
		"by an escaped name":       {"/a", "{\"\\u0061\" : \"x\" }", "{\"\\u0061\" : \"[turvakielto]\" }"},
		"an escaped pointer":       {"/a~1b~0c/d", `{"a/b~c": {"d": "x"}, "a": {"d": "y"}}`, `{"a/b~c": {"d": "[turvakielto]"}, "a": {"d": "y"}}`},
		"an empty name":            {"/", `{"": "x", "a": ""}`, `{"": "[turvakielto]", "a": ""}`},
		"no item by its number":    {"/a/0", `{"a": ["x"], "b": 1}`, `{"a": ["x"], "b": 1}`},
		"no item by an empty name": {"/a/", `{"a": ["x"], "b": {"": 1}}`, `{"a": ["x"], "b": {"": 1}}`},
		"a member by a number":     {"/a/0", `{"a": {"0": "x"}}`, `{"a": {"0": "[turvakielto]"}}`},
		"one inside the other":     {"/a /a/b", `{"a": {"b": "x"}}`, `{"a": "[turvakielto]"}`},
		"two ways to one":          {"/a/* /*/b", `{"a": {"b": "x", "c": "y"}, "d": {"b": "z"}}`, `{"a": {"b": "[turvakielto]", "c": "[turvakielto]"}, "d": {"b": "[turvakielto]"}}`},
		"other letters":            {"/Å", `{"Å": "x", "A\u030a": "y", "\u00c5 ": "z"}`, `{"Å": "[turvakielto]", "A\u030a": "y", "\u00c5 ": "z"}`},
		"a string with brackets":   {"/b", `{"a": "}]\"", "b": "{[\"\\"}`, `{"a": "}]\"", "b": "[turvakielto]"}`},
		"nothing there":            {"/a", `{"b": {"a": 1}}`, `{"b": {"a": 1}}`},
		"a document of no object":  {"/a", ` "a" `, ` "a" `},
		"empty ones":               {"/a/* /b/*", `{"a": [ ], "b": { }}`, `{"a": [ ], "b": { }}`},
	} {
		got, err := paths(t, strings.Fields(c.paths)...).JSON([]byte(c.text))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	if got, err := (Paths{}).JSON([]byte(`{"a": 1}`)); err != nil || string(got) != `{"a": 1}` {
		t.Errorf("no paths: %s, %v", got, err)
	}
}

func TestJSONIsNotMaskedUnlessWellFormed(t *testing.T) {
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for text, want := range map[string]error{
		`{"a": "x", "\u0061": "y"}`: wellformed.ErrDuplicateName, `{"a": "x"`: wellformed.ErrSyntax, deep: wellformed.ErrTooDeep,
		"{\"a\": \"\xff\"}": wellformed.ErrNotUTF8, ``: wellformed.ErrSyntax, `{"a": "x"} {"a": "y"}`: wellformed.ErrSyntax,
	} {
		if got, err := paths(t, "/a").JSON([]byte(text)); !errors.Is(err, want) || got != nil {
			t.Errorf("%.40s: got %s, %v", text, got, err)
		}
		if _, err := paths(t, "/a").MaskIn([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.40s: %v", text, err)
		}
	}
	nested := strings.Repeat(`{"a":`, 99) + `{"b":"x"}` + strings.Repeat(`}`, 99)
	if _, err := paths(t, "/a/a/b").JSON([]byte(nested)); err != nil {
		t.Error(err)
	}
}

func TestPathsThatAreNone(t *testing.T) {
	for text, want := range map[string]error{
		"": errPointer, "a": errPointer, "a/b": errPointer, "/a~": errEscape, "/a~2": errEscape, strings.Repeat("/a", 33): errTooDeep,
	} {
		if _, wrong := ParsePaths([]string{"/fine", text}); len(wrong) != 1 || !errors.Is(wrong[1], want) {
			t.Errorf("%.20q: %v", text, wrong)
		}
	}
	if _, wrong := ParsePaths(make([]string, 101)); !errors.Is(wrong[100], errTooMany) {
		t.Errorf("101: %v", wrong[100])
	}
	texts := []string{"/a~1b/*/~0c", "/x"}
	if p := paths(t, texts...); !reflect.DeepEqual(p.Texts(), texts) || !reflect.DeepEqual(p.Names(), []string{"a/b", "~c", "x"}) {
		t.Errorf("got %q %q", p.Texts(), p.Names())
	}
}

func TestTheMaskThatComesBackIsFound(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a": "[turvakielto]"}`:                 true,
		`{"a": "x [turvakielto], 33100 Y"}`:      true,
		`{"a": "\u005bturvakielto\u005D"}`:       true,
		`{"a": {"b": ["[turvakielt\u006f]"]}}`:   true,
		`{"a": {"[turvakielto]": 1}}`:            true,
		`{"a": "x", "b": "[turvakielto]"}`:       false,
		`{"a": "turvakielto"}`:                   false,
		`{"a": ["[turvakiel", "to]"], "b": 1.5}`: false,
	} {
		if got, err := paths(t, "/a").MaskIn([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// pair is a text with the text that masking should make of it.
type pair struct{ plain, masked strings.Builder }

func (p *pair) both(text string) { p.plain.WriteString(text); p.masked.WriteString(text) }

const secret = "Salakuja 7 ä😀"

// drawValue writes a value, masked or not. Its members are to be masked whose names begin with hide.
func drawValue(t *rapid.T, p *pair, depth int, masked bool) {
	space := func() string { return rapid.SampledFrom([]string{"", "", " ", "\n\t", "\r\n  "}).Draw(t, "space") }
	put := p.both
	if masked {
		p.masked.WriteString(`"` + Mask + `"`)
		put = func(text string) { p.plain.WriteString(text) }
	}
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		put(rapid.SampledFrom([]string{"true", "false", "null", "0", "-12.5e+7"}).Draw(t, "word"))
	case 1, 2, 3, 4, 5:
		text := rapid.SampledFrom([]string{`plain`, `es\"c\\`, `\u00e4\ud83d\ude00`, `}],:{[`, ``, `ä😀`}).Draw(t, "text")
		if masked {
			text += rapid.SampledFrom([]string{secret, strings.ReplaceAll(secret, "a", `\u0061`)}).Draw(t, "secret")
		}
		put(`"` + text + `"`)
	case 6:
		put("[" + space())
		for i := range rapid.IntRange(0, 3).Draw(t, "items") {
			if i > 0 {
				put("," + space())
			}
			drawInside(t, p, depth, masked, false)
		}
		put(space() + "]")
	case 7:
		put("{" + space())
		for i := range rapid.IntRange(0, 4).Draw(t, "members") {
			if i > 0 {
				put("," + space())
			}
			hidden := rapid.Bool().Draw(t, "hidden")
			name := fmt.Sprintf("n%d", i)
			if hidden {
				name = fmt.Sprintf("hide%d", i)
			}
			if rapid.Bool().Draw(t, "escaped") {
				name = strings.Replace(name, name[:1], fmt.Sprintf(`\u%04x`, name[0]), 1)
			}
			put(`"` + name + `"` + space() + ":" + space())
			drawInside(t, p, depth, masked, hidden)
		}
		put(space() + "}")
	}
}

// drawInside writes a value inside another one: inside a masked value nothing shows.
func drawInside(t *rapid.T, p *pair, depth int, within, hidden bool) {
	if !within {
		drawValue(t, p, depth-1, hidden)
		return
	}
	var inner pair
	drawValue(t, &inner, depth-1, true)
	p.plain.WriteString(inner.plain.String())
}

// Outside masked values the bytes stay; of masked values nothing stays.
func TestOutsideMaskedValuesBytesAreEqual(t *testing.T) {
	var texts []string
	for depth := range 6 {
		for n := range 4 {
			texts = append(texts, strings.Repeat("/*", depth)+fmt.Sprintf("/hide%d", n))
		}
	}
	hide := paths(t, texts...)
	rapid.Check(t, func(t *rapid.T) {
		var p pair
		drawValue(t, &p, 5, false)
		got, err := hide.JSON([]byte(p.plain.String()))
		if err != nil || string(got) != p.masked.String() {
			t.Fatalf("%s\ngives %s, %v\nwant  %s", p.plain.String(), got, err, p.masked.String())
		}
		var value any
		if err := json.Unmarshal(got, &value); err != nil || strings.Contains(fmt.Sprint(value), secret) {
			t.Fatalf("the secret is in %s, %v", got, err)
		}
		again, err := hide.JSON(got)
		if err != nil || string(again) != string(got) {
			t.Fatalf("masked again: %s, %v", again, err)
		}
		found, err := hide.MaskIn(got)
		if err != nil || found != (p.plain.String() != p.masked.String()) {
			t.Fatalf("the mask in %s: %v, %v", got, found, err)
		}
	})
}

// masked is the naive oracle: it masks the decoded value.
func masked(value any, left [][]step) any {
	if reached(left) {
		return Mask
	}
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			out[name] = masked(member, inside(left, name, false))
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = masked(v[i], inside(left, "", true))
		}
		return out
	default:
		return value
	}
}

// FuzzJSON holds masking to the same on the decoded value.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a": [{"b": "x"}, {"c": 1}], "d": {"a": "y"}}`, `[]`, `"a"`, `{"a":"\u005bturvakielto]"}`, ` {"\u0061" :1e5 }`, `{"d":{"d":[[0]]}}`} {
		f.Add([]byte(seed))
	}
	p := paths(f, "/a/*/b", "/d/*", "/*/*/c", "/e")
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := p.JSON(data)
		plain, refused := wellformed.Decode(data)
		if (err != nil) != (refused != nil) {
			t.Fatalf("%v, but reading it: %v", err, refused)
		}
		if err != nil {
			return
		}
		value, err := wellformed.Decode(got)
		if err != nil || !reflect.DeepEqual(value, masked(plain, p.all)) {
			t.Fatalf("%s gives %s, %v", data, got, err)
		}
		if found, err := p.MaskIn(got); err != nil || !found && string(got) != string(data) {
			t.Fatalf("%s: the mask is not found, %v", got, err)
		}
	})
}
