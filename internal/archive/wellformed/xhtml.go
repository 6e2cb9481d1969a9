// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
)

// xhtmlNamespace is the namespace of XHTML elements.
const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

// Errors of XHTML alone; see also ErrNotAllowed.
var (
	// ErrNotXHTML: the root is not the element html of the XHTML namespace.
	ErrNotXHTML = errors.New("the root element is not html in the XHTML namespace")
	// ErrDirective: there is a document type declaration, a processing instruction or a CDATA section, or
	// a comment with markup in it; readers differ in what they see there.
	ErrDirective = errors.New("has a document type declaration, a processing instruction, a CDATA section or a comment with markup in it")
)

// declaration is what an XML declaration may be.
var declaration = regexp.MustCompile(`^version=("1\.0"|'1\.0')(\s+encoding=("(?i:utf-8)"|'(?i:utf-8)'))?(\s+standalone=("(yes|no)"|'(yes|no)'))?\s*$`)

// XHTML checks that the data are one well-formed XML document in UTF-8 with html as its root, that it has
// none but the elements and attributes of text, lists and tables, and that it refers to nothing outside
// itself. A document that passes is as harmless to a reader that takes it for HTML. The errors are those
// of this package.
func XHTML(data []byte) error {
	if !validText(data) {
		return ErrNotUTF8
	}
	if bytes.Contains(data, []byte("<![")) {
		return ErrDirective // encoding/xml would give a CDATA section as plain text
	}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	decoder.Strict = true
	depth, roots := 0, 0
	for first := true; ; first = false {
		from := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && depth == 0 && roots == 1 {
			return nil
		}
		if err != nil {
			return ErrSyntax
		}
		if err := checkToken(token, depth, first); err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			if !spaced(data[from:decoder.InputOffset()]) {
				return ErrSyntax
			}
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

func checkToken(token xml.Token, depth int, first bool) error {
	switch t := token.(type) {
	case xml.StartElement:
		return checkStart(t, depth)
	case xml.CharData:
		if depth == 0 && strings.TrimSpace(string(t)) != "" {
			return ErrSyntax
		}
	case xml.Comment:
		if bytes.ContainsAny(t, "<>") {
			return ErrDirective // HTML ends some comments earlier than XML does
		}
	case xml.ProcInst:
		if !first || t.Target != "xml" || !declaration.Match(t.Inst) {
			return ErrDirective
		}
	case xml.Directive:
		return ErrDirective
	}
	return nil
}

func checkStart(element xml.StartElement, depth int) error {
	switch {
	case depth == MaxDepth:
		return ErrTooDeep
	case depth == 0 && element.Name != (xml.Name{Space: xhtmlNamespace, Local: "html"}):
		return ErrNotXHTML
	}
	for i, attribute := range element.Attr { // encoding/xml does not look for doubled ones
		for _, former := range element.Attr[:i] {
			if former.Name == attribute.Name {
				return ErrSyntax
			}
		}
	}
	return allowed(element)
}

// spaced tells whether there is space after each attribute's value in a start tag: encoding/xml does not
// ask for it.
func spaced(tag []byte) bool {
	var quote byte
	for i, c := range tag {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
			if i+1 < len(tag) && !bytes.ContainsRune([]byte(" \t\r\n/>"), rune(tag[i+1])) {
				return false
			}
		}
	}
	return true
}
