// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode

import "unique"

// Kind says what kind of identifier names a client.
type Kind string

// The kinds.
const (
	// KindCode is a personal identity code.
	KindCode Kind = "code"
	// KindTemporaryOID is a temporary identifier as an OID.
	KindTemporaryOID Kind = "temporary-oid"
	// KindTemporaryCode is a temporary identifier in the 11 characters that people see.
	KindTemporaryCode Kind = "temporary-code"
)

// Known tells whether it is one of the kinds.
func (k Kind) Known() bool { return k == KindCode || k.Temporary() }

// Temporary tells whether such an identifier is there to be replaced by a code.
func (k Kind) Temporary() bool { return k == KindTemporaryOID || k == KindTemporaryCode }

// Identifier is what names a client: a personal identity code or a temporary identifier. The zero value is none.
// Identifiers are comparable with ==. Only [Identifier.Reveal] gives the text out.
type Identifier struct {
	kind  Kind
	value unique.Handle[string] // see Code
}

// Identifier is the code as what names a client; of the zero value, none.
func (c Code) Identifier() Identifier {
	if c.IsZero() {
		return Identifier{}
	}
	return Identifier{KindCode, c.value}
}

// Kind is the identifier's kind, empty for the zero value.
func (i Identifier) Kind() Kind { return i.kind }

// IsZero reports whether i names nobody.
func (i Identifier) IsZero() bool { return i == Identifier{} }

// Reveal returns the identifier as text in its one spelling, or "" for the zero value. See [Code.Reveal].
func (i Identifier) Reveal() string {
	if i.IsZero() {
		return ""
	}
	return i.value.Value()
}

// BornOn is the day of birth that a code tells, as YYYY-MM-DD. It is empty for a temporary identifier: the date in
// one may be a guess.
func (i Identifier) BornOn() string {
	if i.kind != KindCode {
		return ""
	}
	return Code{i.value}.BornOn()
}
