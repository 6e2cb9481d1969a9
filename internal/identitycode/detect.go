// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode

// Pattern finds anything that looks like a personal identity code or a temporary identifier. A code is six digits, a
// century sign, three digits (of a temporary one R and two digits) and a check character, with no letter or digit on
// either side; neither the date nor the check character is checked, so a mistyped one is found as well. A temporary
// identifier as an OID is found by its arcs. The syntax is RE2 with no backslash: use it as it is in Go and in CEL
// (!self.matches('...')).
const Pattern = `(^|[^0-9A-Za-z])[0-9]{6}[-+A-FU-Ya-fu-y][0-9Rr][0-9]{2}[0-9A-Za-z]($|[^0-9A-Za-z])` +
	`|1[.]2[.]246[.]10[.][0-9]+[.](10[.][0-9]+[.])?22[.][0-9]{4}[.][0-9]`

// LooksLike reports whether s holds anything that [Pattern] finds. Kubernetes names, labels,
// events, logs and metric labels must not.
//
// It is written out because it runs on every request and log line: about thirty times as fast
// as the expression. A fuzz test holds the two together.
func LooksLike(s string) bool {
	for i := 6; i+5 <= len(s); i++ {
		if _, sign := centuryOf(upper(s[i])); !sign {
			continue
		}
		if allDigits(s[i-6:i]) && (allDigits(s[i+1:i+2]) || upper(s[i+1]) == temporaryMark) && allDigits(s[i+2:i+4]) && isAlphanumeric(upper(s[i+4])) &&
			(i == 6 || !isAlphanumeric(upper(s[i-7]))) &&
			(i+5 == len(s) || !isAlphanumeric(upper(s[i+5]))) {
			return true
		}
	}
	return holdsTemporaryOID(s)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
