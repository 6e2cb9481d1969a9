// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package wellformed checks that documents are what their format calls well-formed, strictly
// enough that two readers never see two different things in the same bytes.
package wellformed

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// MaxDepth is how deep objects and arrays, or elements, may nest.
const MaxDepth = 100

// Errors. They carry nothing of the document.
var (
	// ErrNotUTF8: the bytes are not UTF-8, or begin with a byte order mark.
	ErrNotUTF8 = errors.New("not UTF-8 without a byte order mark")
	// ErrSyntax: the text breaks the format's grammar.
	ErrSyntax = errors.New("breaks the format's grammar")
	// ErrDuplicateName: an object has a name twice.
	ErrDuplicateName = errors.New("has a name twice in one object")
	// ErrTooDeep: nested deeper than MaxDepth.
	ErrTooDeep = errors.New("is nested too deep")
)

// frame is an open object or array.
type frame struct {
	names  map[string]bool // nil in an array
	isName bool            // the next string token is a name
}

// JSON checks that the data are one JSON value (RFC 8259) in UTF-8 without duplicate names. The
// errors are those of this package.
func JSON(data []byte) error {
	if !validText(data) {
		return ErrNotUTF8
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var open []frame
	for values := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && values == 1 && len(open) == 0 {
			return nil
		}
		if err != nil || values == 1 {
			return ErrSyntax
		}
		if open, err = step(open, token); err != nil {
			return err
		}
		if len(open) == 0 {
			values++
		}
	}
}

// step takes one token in.
func step(open []frame, token json.Token) ([]frame, error) {
	delimiter, isDelimiter := token.(json.Delim)
	if isDelimiter && (delimiter == '}' || delimiter == ']') {
		return open[:len(open)-1], nil
	}
	if len(open) > 0 {
		if top := &open[len(open)-1]; top.names != nil {
			if name, ok := token.(string); ok && top.isName {
				if top.names[name] {
					return nil, ErrDuplicateName
				}
				top.names[name], top.isName = true, false
				return open, nil
			}
			top.isName = true // what follows this value
		}
	}
	if !isDelimiter {
		return open, nil
	}
	if len(open) == MaxDepth {
		return nil, ErrTooDeep
	}
	next := frame{}
	if delimiter == '{' {
		next = frame{names: map[string]bool{}, isName: true}
	}
	return append(open, next), nil
}

func validText(data []byte) bool {
	return utf8.Valid(data) && !bytes.HasPrefix(data, []byte("\ufeff"))
}
