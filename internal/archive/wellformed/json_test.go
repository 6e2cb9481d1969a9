// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestJSON(t *testing.T) {
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf(`"n%d":{"x":1,"y":[{"x":2}]}`, i)
	}
	for text, want := range map[string]error{
		`{"a":1,"b":[{"a":2},{"a":"a"}],"c":{"a":null}}`: nil,
		`[]`: nil, `"text"`: nil, ` 1.5e3 `: nil, `{"a":"a"}`: nil, `{}`: nil, ` [ 1 , { "a" : true , "b" : false } ] `: nil,
		`"\"\\\/\b\f\n\r\t\u00e4\uD83D\uDE00"`: nil, `-0`: nil, `-0.10E+05`: nil, `{"":1}`: nil,
		``: ErrSyntax, `{`: ErrSyntax, `{"a":1}{"b":2}`: ErrSyntax, `{"a":1} x`: ErrSyntax, `{"a":1,}`: ErrSyntax, `[1,]`: ErrSyntax,
		`{a:1}`: ErrSyntax, `{"a"}`: ErrSyntax, `]`: ErrSyntax, `01`: ErrSyntax, `NaN`: ErrSyntax, `1 2`: ErrSyntax, `[1`: ErrSyntax, `[1}`: ErrSyntax,
		`+1`: ErrSyntax, `.5`: ErrSyntax, `1.`: ErrSyntax, `1e`: ErrSyntax, `-`: ErrSyntax, `tru`: ErrSyntax, `nul`: ErrSyntax, `{,}`: ErrSyntax,
		`"a`: ErrSyntax, `"\`: ErrSyntax, `"\x"`: ErrSyntax, `"\u12"`: ErrSyntax, "\"\\u\x10000\"": ErrSyntax, "\"a\nb\"": ErrSyntax, "\"\\n\n\"": ErrSyntax,
		"\u00a01": ErrSyntax, "\x0b1": ErrSyntax, `//x`: ErrSyntax, `'a'`: ErrSyntax,
		`{"a":1,"a":2}`: ErrDuplicateName, `{"x":{"a":1,"b":[1],"a":2}}`: ErrDuplicateName,
		`{"a":1,"\u0061":2}`: ErrDuplicateName, `{"a":{"b":1},"c":[{"a":1}],"a":2}`: ErrDuplicateName, `{"":1,"":1}`: ErrDuplicateName,
		`{` + strings.Join(many, ",") + `}`:                           nil,
		`{` + strings.Join(many, ",") + `,"n0":1}`:                    ErrDuplicateName,
		`{` + strings.Join(many, ",") + `,"n39":1}`:                   ErrDuplicateName,
		`{` + strings.Join(many, ",") + `,"z":{"n1":1},"n\u00316":1}`: ErrDuplicateName,
		`"\ud800"`: ErrSurrogate, `"\ud800\ud800"`: ErrSurrogate, `"\udc00"`: ErrSurrogate, `"\ud800x"`: ErrSurrogate, `"\ud800\n"`: ErrSurrogate,
		`{"\ud800":1}`:     ErrSurrogate,
		"{\"a\":\"\xff\"}": ErrNotUTF8, "\ufeff{}": ErrNotUTF8, "\"\xed\xa0\x80\"": ErrNotUTF8,
		`1e301`: ErrNumber, `1e-301`: ErrNumber, `1e99999999999999999999`: ErrNumber, strings.Repeat("1", 65): ErrNumber, `1e300`: nil, strings.Repeat("1", 64): nil,
		strings.Repeat("[", 100) + strings.Repeat("]", 100):           nil,
		strings.Repeat("[", 101) + strings.Repeat("]", 101):           ErrTooDeep,
		strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101): ErrTooDeep,
		strings.Repeat("[", 1_000_000):                                ErrTooDeep,
		"[" + strings.Repeat("1,", MaxValues-2) + "1]":                nil,
		"[" + strings.Repeat("1,", MaxValues-1) + "1]":                ErrTooManyValues,
	} {
		if err := JSON([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.40q: got %v, want %v", text, err, want)
		}
		if _, err := Decode([]byte(text)); !errors.Is(err, want) {
			t.Errorf("Decode of %.40q: got %v, want %v", text, err, want)
		}
	}
}

func TestDecodeGivesWhatTheStandardLibraryGives(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) any { return drawValue(t, 0) })
	rapid.Check(t, func(t *rapid.T) {
		raw, err := json.Marshal(text.Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if want := standard(t, raw); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
	})
}

func drawValue(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 4 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})([.][0-9]{1,9})?([eE][-+]?[0-9]{1,2})?`).Draw(t, "number"))
	case 3:
		return rapid.String().Draw(t, "text")
	case 4:
		list := make([]any, rapid.IntRange(0, 4).Draw(t, "items"))
		for i := range list {
			list[i] = drawValue(t, depth+1)
		}
		return list
	default:
		object := map[string]any{}
		for range rapid.IntRange(0, 20).Draw(t, "members") {
			object[rapid.String().Draw(t, "name")] = drawValue(t, depth+1)
		}
		return object
	}
}

func standard(t interface{ Fatal(...any) }, raw []byte) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func FuzzJSONAgreesWithTheStandardLibrary(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, `[[[`, `"\ud800"`, "\ufeff1", `"\u00e4\ud83d\ude00\/"`, `-1.5e+3`, `{"a":1,"\u0061":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := JSON(data)
		value, decodeErr := Decode(data)
		switch {
		case !errors.Is(decodeErr, err):
			t.Fatal("checking and decoding differ")
		case err == nil && !json.Valid(data):
			t.Fatal("passed what is no JSON")
		case errors.Is(err, ErrSyntax) && json.Valid(data):
			t.Fatal("refused JSON for its grammar")
		case err == nil && !reflect.DeepEqual(value, standard(t, data)):
			t.Fatal("decoded another value")
		}
	})
}
