// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package masking hides address and contact data in documents under a non-disclosure for personal safety
// (turvakielto). Which values of a JSON document those are is data, see Paths; in an XHTML document its author marks
// the elements, see Class. Everything else stays byte for byte as it was. What cannot be masked for certain is an
// error, never given out as it is.
package masking

import "errors"

// Mask is what stands in the place of a masked value: as a string in JSON, as text in XHTML.
const Mask = "[turvakielto]"

// Class is the class by which the author of an XHTML document marks an element with address or contact data in it.
// The element's whole content is masked, and its attributes title and datetime. A document with no such data in it
// says so by one marked element without content.
const Class = "non-disclosure"

// Errors of masking, besides those of the package wellformed. They carry nothing of the document.
var (
	// ErrUnmarked: the XHTML has no marked element, so it may hold such data anywhere.
	ErrUnmarked = errors.New("has no element of the class " + Class)
	// ErrBroken: what was rewritten would not be well-formed any more.
	ErrBroken = errors.New("cannot be masked")
)

// edit puts text in the place of the bytes from from until until.
type edit struct {
	from, until int
	text        string
}

// apply gives the data with the edits, which are in order and do not overlap.
func apply(data []byte, edits []edit) []byte {
	size := len(data)
	for _, e := range edits {
		size += len(e.text) - (e.until - e.from)
	}
	out := make([]byte, 0, size)
	at := 0
	for _, e := range edits {
		out = append(append(out, data[at:e.from]...), e.text...)
		at = e.until
	}
	return append(out, data[at:]...)
}
