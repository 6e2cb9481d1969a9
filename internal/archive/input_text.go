// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/logreport"
	"github.com/valtuus/valtuus/internal/oid"
)

// text checks a line of text of at most so many characters; empty is as good as none given.
func (f *fields) text(name, text string, most int) string {
	f.clean(text)
	if utf8.RuneCountInString(text) > most || strings.ContainsFunc(text, unicode.IsControl) {
		f.fail(name, "must be one line of at most "+strconv.Itoa(most)+" characters")
	}
	return text
}

// oid checks an OID; empty is as good as none given.
func (f *fields) oid(name, text string) string {
	f.clean(text)
	if text != "" && !oid.Valid(text) {
		f.fail(name, "must be an OID")
	}
	return text
}

// day reads a day, which must be given.
func (f *fields) day(name, text string) catalog.Day {
	day, ok := logreport.ParseDay(text)
	if !ok {
		f.fail(name, "must be a day such as 2026-03-01")
	}
	return day
}
