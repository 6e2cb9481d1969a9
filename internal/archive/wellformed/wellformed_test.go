// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	for text, want := range map[string]error{
		`{"a":1,"b":[{"a":2},{"a":"a"}],"c":{"a":null}}`: nil,
		`[]`: nil, `"text"`: nil, ` 1.5e3 `: nil, `{"a":"a"}`: nil,
		``: ErrSyntax, `{`: ErrSyntax, `{"a":1}{"b":2}`: ErrSyntax, `{"a":1} x`: ErrSyntax, `{"a":1,}`: ErrSyntax,
		`{a:1}`: ErrSyntax, `{"a"}`: ErrSyntax, `]`: ErrSyntax, `01`: ErrSyntax, `NaN`: ErrSyntax, `1 2`: ErrSyntax,
		`{"a":1,"a":2}`: ErrDuplicateName, `{"x":{"a":1,"b":[1],"a":2}}`: ErrDuplicateName,
		`{"a":1,"\u0061":2}`: ErrDuplicateName,
		"{\"a\":\"\xff\"}":   ErrNotUTF8, "\ufeff{}": ErrNotUTF8,
		strings.Repeat("[", 100) + strings.Repeat("]", 100): nil,
		strings.Repeat("[", 101) + strings.Repeat("]", 101): ErrTooDeep,
	} {
		if err := JSON([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.40q: got %v, want %v", text, err, want)
		}
	}
}

func TestXHTML(t *testing.T) {
	const ns = ` xmlns="http://www.w3.org/1999/xhtml"`
	for text, want := range map[string]error{
		`<html` + ns + `><body><p>hei &amp; moi</p></body></html>`:                         nil,
		`<?xml version="1.0" encoding="UTF-8"?>` + "\n<!-- x --><html" + ns + "></html>\n": nil,
		`<html` + ns + `><body><p>auki</body></html>`:                                      ErrSyntax,
		`<html` + ns + `></html><html` + ns + `></html>`:                                   ErrSyntax,
		`<html` + ns + `></html>x`:                                                         ErrSyntax,
		`x<html` + ns + `></html>`:                                                         ErrSyntax,
		`<html` + ns + `>`:                                                                 ErrSyntax,
		``:                                                                                 ErrSyntax,
		`<html` + ns + `>&nbsp;</html>`:                                                    ErrSyntax,
		`<html` + ns + `><p id="a" id="b"></p></html>`:                                     ErrSyntax,
		`<html></html>`:                                                                    ErrNotXHTML,
		`<svg xmlns="http://www.w3.org/2000/svg"></svg>`:                                   ErrNotXHTML,
		`<!DOCTYPE html [<!ENTITY a "b">]><html` + ns + `></html>`:                         ErrDirective,
		`<?xml-stylesheet href="x"?><html` + ns + `></html>`:                               ErrDirective,
		`<html` + ns + `><?php x ?></html>`:                                                ErrDirective,
		`<?xml version="1.0" encoding="ISO-8859-1"?><html` + ns + `></html>`:               ErrSyntax,
		"<html" + ns + ">\xe4</html>":                                                      ErrNotUTF8,
		`<html` + ns + `>` + strings.Repeat("<p>", 100) + strings.Repeat("</p>", 100) + `</html>`: ErrTooDeep,
	} {
		if err := XHTML([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.60q: got %v, want %v", text, err, want)
		}
	}
}

func FuzzJSONAgreesWithTheStandardLibrary(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, `[[[`, `"\ud800"`, "\ufeff1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := JSON(data)
		if err == nil && !json.Valid(data) {
			t.Fatal("passed what is no JSON")
		}
		if errors.Is(err, ErrSyntax) && json.Valid(data) {
			t.Fatal("refused JSON for its grammar")
		}
	})
}

func FuzzXHTMLDoesNotPanic(f *testing.F) {
	f.Add([]byte(`<html xmlns="http://www.w3.org/1999/xhtml"><p a="b">x</p></html>`))
	f.Fuzz(func(_ *testing.T, data []byte) { _ = XHTML(data) })
}
