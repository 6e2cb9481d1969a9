// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package wellformed checks that documents are what their format calls well-formed, strictly
// enough that two readers never see two different things in the same bytes.
package wellformed

import (
	"bytes"
	"errors"
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
	// ErrTooDeep: nested deeper than MaxDepth.
	ErrTooDeep = errors.New("is nested too deep")
)

func validText(data []byte) bool {
	return utf8.Valid(data) && !bytes.HasPrefix(data, []byte("\ufeff"))
}
