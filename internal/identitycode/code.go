// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package identitycode checks Finnish personal identity codes (henkilötunnus) and the temporary
// identifiers (tilapäinen yksilöintitunnus) that stand in for them, and keeps both from leaking:
// a parsed [Code] or [Identifier] prints as a placeholder wherever it is formatted, encoded or
// logged, and [LooksLike] finds them in text that must not hold any.
//
// The form is that of the Digital and Population Data Services Agency (DVV), with the
// intermediate characters added by the decree in force since 2023:
// DDMMYY, century sign, individual number 002 to 999, check character.
package identitycode

import (
	"errors"
	"fmt"
	"unique"
)

// Parse errors. None of them carries the input: a refused string may still be most of a code.
var (
	// ErrFormat means a wrong length, century sign or individual number, or a character out of place.
	ErrFormat = errors.New("personal identity code: wrong format")
	// ErrDate means that the first six digits are no date in the century that the sign names.
	ErrDate = errors.New("personal identity code: no such date")
	// ErrCheckCharacter means that the last character does not fit the digits before it.
	ErrCheckCharacter = errors.New("personal identity code: wrong check character")
)

// checkCharacters maps the nine digits modulo 31 to the check character.
const checkCharacters = "0123456789ABCDEFHJKLMNPRSTUVWXY"

const (
	length        = 11
	minIndividual = 2
	minTest       = 900
)

// Code is a valid personal identity code in upper case. The zero value is no code.
// Codes are comparable with == and usable as map keys. Only [Code.Reveal] gives the text out.
type Code struct {
	// A handle instead of the string: fmt does not follow the pointer inside, so a Code in
	// an unexported field of another struct, where fmt cannot call Format, stays unprinted.
	value unique.Handle[string]
}

// Parse checks s in full and returns its code. Lower case letters are taken as upper case;
// spaces are not trimmed. Errors are [ErrFormat], [ErrDate] and [ErrCheckCharacter].
func Parse(s string) (Code, error) {
	if len(s) != length {
		return Code{}, ErrFormat
	}
	var b [length]byte
	for i := range length {
		b[i] = upper(s[i])
	}
	date, ok := number(b[0:6])
	if !ok {
		return Code{}, ErrFormat
	}
	century, ok := centuryOf(b[6])
	if !ok {
		return Code{}, ErrFormat
	}
	individual, ok := number(b[7:10])
	if !ok || individual < minIndividual {
		return Code{}, ErrFormat
	}
	if !isAlphanumeric(b[10]) {
		return Code{}, ErrFormat
	}
	if !isDate(century+date%100, date/100%100, date/10000) {
		return Code{}, ErrDate
	}
	if b[10] != checkCharacter(date, individual) {
		return Code{}, ErrCheckCharacter
	}
	return Code{unique.Make(string(b[:]))}, nil
}

// Reveal returns the code as text in upper case, or "" for the zero value. It is the only way
// out: call it where the code is stored or searched by, nowhere else.
func (c Code) Reveal() string {
	if c.IsZero() {
		return ""
	}
	return c.value.Value()
}

// IsZero reports whether c holds no code.
func (c Code) IsZero() bool {
	return c == Code{}
}

// Test reports whether the code is of the 900 series (individual number 900 to 999), which is
// never given to a person and is the only one that test registries accept.
func (c Code) Test() bool {
	return !c.IsZero() && c.value.Value()[7] == '9'
}

// BornOn is the day of birth that the code tells, as YYYY-MM-DD, or "" for the zero value.
func (c Code) BornOn() string {
	if c.IsZero() {
		return ""
	}
	text := c.value.Value()
	century, _ := centuryOf(text[6])
	return fmt.Sprintf("%02d%s-%s-%s", century/100, text[4:6], text[2:4], text[0:2])
}

// checkCharacter gives the check character of a date, as the number DDMMYY, and an individual number.
func checkCharacter(date, individual int) byte { return checkCharacters[(date*1000+individual)%31] }

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z'
}

// number reads decimal digits; false where there is anything else.
func number(digits []byte) (int, bool) {
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// centuryOf returns the first year of the century that an upper-case sign names.
func centuryOf(sign byte) (int, bool) {
	switch sign {
	case '+':
		return 1800, true
	case '-', 'U', 'V', 'W', 'X', 'Y':
		return 1900, true
	case 'A', 'B', 'C', 'D', 'E', 'F':
		return 2000, true
	default:
		return 0, false
	}
}

// isDate reports whether the day exists in the Gregorian calendar.
func isDate(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days++
	}
	return day <= days
}
