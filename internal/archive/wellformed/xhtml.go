// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// xhtmlNamespace is the namespace of XHTML elements.
const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

// Errors of XHTML alone.
var (
	// ErrNotXHTML: the root is not the element html of the XHTML namespace.
	ErrNotXHTML = errors.New("the root element is not html in the XHTML namespace")
	// ErrDirective: there is a document type declaration or a processing instruction; both can
	// make readers see what is not in the text.
	ErrDirective = errors.New("has a document type declaration or a processing instruction")
)

// XHTML checks that the data are one well-formed XML document in UTF-8 with html as its root, and
// without a document type declaration. The errors are those of this package. Which elements and
// attributes may be in it is not judged.
func XHTML(data []byte) error {
	if !validText(data) {
		return ErrNotUTF8
	}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	decoder.Strict = true
	depth, roots := 0, 0
	for first := true; ; first = false {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && depth == 0 && roots == 1 {
			return nil
		}
		if err != nil {
			return ErrSyntax
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := checkStart(t, depth, roots); err != nil {
				return err
			}
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(t)) != "" {
				return ErrSyntax
			}
		case xml.Directive:
			return ErrDirective
		case xml.ProcInst:
			if !first || t.Target != "xml" {
				return ErrDirective
			}
		}
	}
}

func checkStart(element xml.StartElement, depth, roots int) error {
	switch {
	case depth == MaxDepth:
		return ErrTooDeep
	case depth == 0 && roots == 1:
		return ErrSyntax
	case depth == 0 && element.Name != (xml.Name{Space: xhtmlNamespace, Local: "html"}):
		return ErrNotXHTML
	}
	seen := make(map[xml.Name]bool, len(element.Attr))
	for _, attribute := range element.Attr { // encoding/xml does not look for doubled ones
		if seen[attribute.Name] {
			return ErrSyntax
		}
		seen[attribute.Name] = true
	}
	return nil
}
