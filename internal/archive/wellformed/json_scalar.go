// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string, whose opening quote comes next.
func (p *parser) str() (string, error) {
	p.at++
	from := p.at
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return p.text[from : p.at-1], nil
		case c == '\\':
			return p.escaped(from)
		case c < 0x20:
			return "", ErrSyntax
		}
		p.at++
	}
	return "", ErrSyntax
}

// escaped reads on in a string at its first escape.
func (p *parser) escaped(from int) (string, error) {
	out := []byte(p.text[from:p.at])
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return string(out), nil
		case c < 0x20:
			return "", ErrSyntax
		case c != '\\':
			out = append(out, c)
			p.at++
		default:
			var err error
			if out, err = p.escape(out); err != nil {
				return "", err
			}
		}
	}
	return "", ErrSyntax
}

// escapes gives what each escape of two characters stands for.
const (
	escapes    = `"\/bfnrt`
	escapedFor = "\"\\/\b\f\n\r\t"
)

func (p *parser) escape(out []byte) ([]byte, error) {
	if p.at+1 == len(p.text) {
		return nil, ErrSyntax
	}
	c := p.text[p.at+1]
	if i := strings.IndexByte(escapes, c); i >= 0 {
		p.at += 2
		return append(out, escapedFor[i]), nil
	}
	unit, ok := p.codeUnit()
	if !ok {
		return nil, ErrSyntax
	}
	if !utf16.IsSurrogate(unit) {
		return utf8.AppendRune(out, unit), nil
	}
	low, ok := p.codeUnit()
	character := utf16.DecodeRune(unit, low)
	if !ok || character == utf8.RuneError {
		return nil, ErrSurrogate
	}
	return utf8.AppendRune(out, character), nil
}

// hexDigits has those in upper case at the end.
const hexDigits = "0123456789abcdefABCDEF"

// codeUnit passes over an escape of the form backslash, u and four hexadecimal digits.
func (p *parser) codeUnit() (rune, bool) {
	if len(p.text)-p.at < 6 || p.text[p.at] != '\\' || p.text[p.at+1] != 'u' {
		return 0, false
	}
	var unit rune
	for _, c := range []byte(p.text[p.at+2 : p.at+6]) {
		digit := strings.IndexByte(hexDigits, c)
		if digit < 0 {
			return 0, false
		}
		if digit > 0xf {
			digit -= 6
		}
		unit = unit<<4 | rune(digit)
	}
	p.at += 6
	return unit, true
}

func (p *parser) number() (any, error) {
	from := p.at
	p.oneOf("-")
	if !p.oneOf("0") && p.digits() == 0 {
		return nil, ErrSyntax
	}
	if p.oneOf(".") && p.digits() == 0 {
		return nil, ErrSyntax
	}
	exponent := ""
	if p.oneOf("eE") {
		p.oneOf("+-")
		start := p.at
		if p.digits() == 0 {
			return nil, ErrSyntax
		}
		exponent = p.text[start:p.at]
	}
	text := p.text[from:p.at]
	if len(text) > maxNumber {
		return nil, ErrNumber
	}
	if exponent != "" {
		if n, err := strconv.Atoi(exponent); err != nil || n > maxExponent {
			return nil, ErrNumber
		}
	}
	if !p.build {
		return nil, nil
	}
	return json.Number(text), nil
}

// oneOf passes over the next character if it is one of those given.
func (p *parser) oneOf(characters string) bool {
	if p.at == len(p.text) || strings.IndexByte(characters, p.text[p.at]) < 0 {
		return false
	}
	p.at++
	return true
}

// digits passes over digits and tells how many there were.
func (p *parser) digits() int {
	from := p.at
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at - from
}
