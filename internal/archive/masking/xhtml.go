// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package masking

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// XHTML gives the document with the mask in the place of the content of every element that is marked by Class, and of
// its attributes title and datetime. Marked elements without content stay empty. ErrUnmarked if none is marked; other
// errors are those of wellformed.XHTML.
func XHTML(data []byte) ([]byte, error) {
	if err := wellformed.XHTML(data); err != nil {
		return nil, err
	}
	edits, marked, err := findMarked(data)
	switch {
	case err != nil:
		return nil, err
	case !marked:
		return nil, ErrUnmarked
	}
	masked := apply(data, edits)
	if wellformed.XHTML(masked) != nil {
		return nil, ErrBroken
	}
	return masked, nil
}

// MaskInXHTML tells whether the mask is in the text of the document or in an attribute: whether somebody who read it
// masked gives it back. The errors are those of wellformed.XHTML.
func MaskInXHTML(data []byte) (bool, error) {
	if err := wellformed.XHTML(data); err != nil {
		return false, err
	}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	var text strings.Builder // across elements, as a reader sees it
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return strings.Contains(text.String(), Mask), nil
		}
		if err != nil {
			return false, ErrBroken
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			for _, a := range t.Attr {
				if strings.Contains(a.Value, Mask) {
					return true, nil
				}
			}
		}
	}
}

// findMarked gives the edits that mask a well-formed document, and whether anything in it is marked.
func findMarked(data []byte) (edits []edit, marked bool, err error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	depth, within := 0, 0 // within is the depth of the marked element that is open; 0 for none
	content := 0          // where its content begins
	for {
		from := int(decoder.InputOffset())
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return edits, marked, nil
		}
		if err != nil {
			return nil, false, ErrBroken
		}
		until := int(decoder.InputOffset())
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			if within == 0 && isMarked(t) {
				marked, within, content = true, depth, until
				edits = append(edits, maskAttributes(data, from, until)...)
			}
		case xml.EndElement:
			if within == depth {
				if content < from {
					edits = append(edits, edit{content, from, Mask})
				}
				within = 0
			}
			depth--
		}
	}
}

func isMarked(element xml.StartElement) bool {
	for _, a := range element.Attr {
		if a.Name.Space == "" && a.Name.Local == "class" && slices.Contains(strings.Fields(a.Value), Class) {
			return true
		}
	}
	return false
}

// maskAttributes gives the edits of a marked start tag: of the attributes that a reader is shown.
func maskAttributes(data []byte, from, until int) (edits []edit) {
	for at := from; at < until; at++ {
		quote := data[at]
		if quote != '"' && quote != '\'' {
			continue
		}
		end := at + 1 + bytes.IndexByte(data[at+1:until], quote)
		switch attributeBefore(data[from:at]) {
		case "title", "datetime":
			if at+1 < end {
				edits = append(edits, edit{at + 1, end, Mask})
			}
		}
		at = end
	}
	return edits
}

// attributeBefore gives the name of the attribute whose value comes next.
func attributeBefore(tag []byte) string {
	name := bytes.TrimRight(bytes.TrimSuffix(bytes.TrimRight(tag, " \t\r\n"), []byte("=")), " \t\r\n")
	return string(name[bytes.LastIndexAny(name, " \t\r\n")+1:])
}
