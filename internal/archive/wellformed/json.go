// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import (
	"errors"
	"strings"
)

// Limits of JSON texts.
const (
	// MaxValues is how many values a text may hold, so that what reads it can bound its memory.
	MaxValues = 100_000
	// maxNumber is the longest number, in bytes, and maxExponent the largest exponent: beyond them
	// readers differ in what they see, and exact arithmetic becomes costly.
	maxNumber   = 64
	maxExponent = 300
)

// Errors of JSON alone.
var (
	// ErrDuplicateName: an object has a name twice.
	ErrDuplicateName = errors.New("has a name twice in one object")
	// ErrSurrogate: an escape is half of a surrogate pair, which is no character.
	ErrSurrogate = errors.New("has an escape that stands for half a character")
	// ErrNumber: a number is longer or has a larger exponent than readers agree on.
	ErrNumber = errors.New("has a number that is too long or too large")
	// ErrTooManyValues: there are more than MaxValues.
	ErrTooManyValues = errors.New("has too many values")
)

// JSON checks that the data are one JSON value (RFC 8259) in UTF-8 without duplicate names. The
// errors are those of this package.
func JSON(data []byte) error {
	_, err := parse(data, false)
	return err
}

// Decode checks what JSON checks and gives the value: map[string]any, []any, string, json.Number,
// bool or nil.
func Decode(data []byte) (any, error) { return parse(data, true) }

func parse(data []byte, build bool) (any, error) {
	if !validText(data) {
		return nil, ErrNotUTF8
	}
	p := parser{text: string(data), build: build} // one copy, of which the strings are parts
	p.space()
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at != len(p.text) {
		return nil, ErrSyntax
	}
	return value, nil
}

// parser reads a text once, from its front.
type parser struct {
	text   string
	at     int
	build  bool     // whether the values are wanted
	values int      // how many there were
	names  []string // those of the objects that are open, while nothing is built
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next passes over c and the space around it, if c is what comes next.
func (p *parser) next(c byte) bool {
	p.space()
	if p.at == len(p.text) || p.text[p.at] != c {
		return false
	}
	p.at++
	p.space()
	return true
}

func (p *parser) value(depth int) (any, error) {
	if p.at == len(p.text) {
		return nil, ErrSyntax
	}
	if p.values++; p.values > MaxValues {
		return nil, ErrTooManyValues
	}
	switch p.text[p.at] {
	case '{', '[':
		if depth == MaxDepth {
			return nil, ErrTooDeep
		}
		if p.text[p.at] == '{' {
			return p.object(depth + 1)
		}
		return p.array(depth + 1)
	case '"':
		s, err := p.str()
		if err != nil || !p.build {
			return nil, err
		}
		return s, nil
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	default:
		return p.number()
	}
}

func (p *parser) word(word string) error {
	if !strings.HasPrefix(p.text[p.at:], word) {
		return ErrSyntax
	}
	p.at += len(word)
	return nil
}

func (p *parser) object(depth int) (any, error) {
	p.next('{')
	members := p.open()
	defer members.close()
	if p.next('}') {
		return members.built, nil
	}
	for {
		if p.at == len(p.text) || p.text[p.at] != '"' {
			return nil, ErrSyntax
		}
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		if !p.next(':') {
			return nil, ErrSyntax
		}
		if members.has(name) {
			return nil, ErrDuplicateName
		}
		value, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		members.add(name, value)
		if p.next(',') {
			continue
		}
		if !p.next('}') {
			return nil, ErrSyntax
		}
		return members.built, nil
	}
}

func (p *parser) array(depth int) (any, error) {
	p.next('[')
	var items []any
	if p.next(']') {
		return []any{}, nil
	}
	for {
		item, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		if p.build {
			items = append(items, item)
		}
		if p.next(',') {
			continue
		}
		if !p.next(']') {
			return nil, ErrSyntax
		}
		return items, nil
	}
}
