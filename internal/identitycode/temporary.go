// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode

import (
	"errors"
	"fmt"
	"strings"
	"unique"
)

// ErrTemporary means that a temporary identifier is of neither form. It does not carry the input.
var ErrTemporary = errors.New("temporary identifier: wrong form")

const (
	// temporaryRoot begins the OIDs of Finnish organizations; temporaryArc stands before the year.
	temporaryRoot = "1.2.246.10."
	unitArc       = "10."
	temporaryArc  = "22."
	// maxTemporaryOID is the longest OID taken, in characters.
	maxTemporaryOID = 64
	// temporaryMark stands where a code has the first digit of its individual number. It counts as its place among
	// the check characters, 23, which no digit equals modulo 31: no temporary code becomes a code by one mistake.
	temporaryMark = 'R'
	markCounts    = 23 * 100
	firstYear     = 1900
	lastYear      = 2999
)

// ParseTemporaryOID checks a temporary identifier in the form 1.2.246.10.<organization>.22.<year>.<number> or
// 1.2.246.10.<organization>.10.<unit>.22.<year>.<number>. No arc has a leading zero. The error is [ErrTemporary].
func ParseTemporaryOID(s string) (Identifier, error) {
	rest, ok := strings.CutPrefix(s, temporaryRoot)
	if !ok || len(s) > maxTemporaryOID {
		return Identifier{}, ErrTemporary
	}
	arcs := strings.Split(rest, ".")
	for _, arc := range arcs {
		if arc == "" || !allDigits(arc) || arc[0] == '0' && len(arc) > 1 {
			return Identifier{}, ErrTemporary
		}
	}
	switch {
	case len(arcs) == 6 && arcs[1] == "10":
		arcs = append(arcs[:1:1], arcs[3:]...)
	case len(arcs) != 4:
		return Identifier{}, ErrTemporary
	}
	year := arcs[2]
	if arcs[1] != "22" || len(year) != 4 || year < fmt.Sprint(firstYear) || year > fmt.Sprint(lastYear) {
		return Identifier{}, ErrTemporary
	}
	return Identifier{KindTemporaryOID, unique.Make(s)}, nil
}

// ParseTemporaryCode checks a temporary identifier in the 11 characters that people see: DDMMYY, a century sign, R,
// two digits, and a check character as in a code, the R counted as 23. Where the public description is silent, that
// is this program's choice: it is no code, of the 900 series or any other, and not one wrong character away from one.
// The date is that of the birth as far as it is known. Lower case letters are taken as upper case. The error is
// [ErrTemporary].
func ParseTemporaryCode(s string) (Identifier, error) {
	if len(s) != length {
		return Identifier{}, ErrTemporary
	}
	var b [length]byte
	for i := range length {
		b[i] = upper(s[i])
	}
	date, isNumber := number(b[0:6])
	century, isSign := centuryOf(b[6])
	serial, isSerial := number(b[8:10])
	switch {
	case !isNumber || !isSign || b[7] != temporaryMark || !isSerial:
		return Identifier{}, ErrTemporary
	case !isDate(century+date%100, date/100%100, date/10000) || b[10] != checkCharacter(date, markCounts+serial):
		return Identifier{}, ErrTemporary
	}
	return Identifier{KindTemporaryCode, unique.Make(string(b[:]))}, nil
}

// SyntheticTemporary returns the n-th of SyntheticCodes temporary identifiers of 11 characters, for tests, the demo
// and benchmarks.
func SyntheticTemporary(n int) Identifier {
	n %= SyntheticCodes
	date, serial := (1+n/100%28)*10_000+(1+n/2800)*100+50, n%100
	identifier, err := ParseTemporaryCode(fmt.Sprintf("%06d-%c%02d%c", date, temporaryMark, serial, checkCharacter(date, markCounts+serial)))
	if err != nil {
		panic(err) // every n gives a valid one: a test tries them all
	}
	return identifier
}

// holdsTemporaryOID reports whether s holds anything that the second half of [Pattern] finds.
func holdsTemporaryOID(s string) bool {
	for {
		_, rest, found := strings.Cut(s, temporaryRoot)
		if !found {
			return false
		}
		s = rest // the root is found again no earlier than after itself
		rest, ok := cutArc(rest)
		if unit, inUnit := strings.CutPrefix(rest, unitArc); ok && inUnit {
			rest, ok = cutArc(unit)
		}
		year, isTemporary := strings.CutPrefix(rest, temporaryArc)
		if ok && isTemporary && len(year) > 5 && allDigits(year[:4]) && year[4] == '.' && allDigits(year[5:6]) {
			return true
		}
	}
}

// cutArc cuts the digits and the dot that s begins with.
func cutArc(s string) (rest string, ok bool) {
	arc, rest, ok := strings.Cut(s, ".")
	return rest, ok && arc != "" && allDigits(arc)
}
