// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package masking

import (
	"encoding/json"
	"strings"

	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// JSON gives the document with the mask in the place of every value that a path leads to, whatever the value is. The
// errors are those of wellformed.JSON. The answer is no longer than the data and one mask for each of its values.
func (p Paths) JSON(data []byte) ([]byte, error) {
	edits, err := p.find(data)
	if err != nil {
		return nil, err
	}
	return apply(data, edits), nil
}

// MaskIn tells whether the mask is in one of the values that the paths lead to: whether somebody who read the document
// masked gives it back. The errors are those of wellformed.JSON.
func (p Paths) MaskIn(data []byte) (bool, error) {
	edits, err := p.find(data)
	if err != nil {
		return false, err
	}
	for _, e := range edits {
		if maskInside(data[e.from:e.until]) {
			return true, nil
		}
	}
	return false, nil
}

// maskInside tells whether the mask is in a string of the value, or in a name.
func maskInside(value []byte) bool {
	if strings.Contains(string(value), Mask) {
		return true
	}
	s := scanner{data: value}
	for s.at < len(value) {
		if value[s.at] != '"' {
			s.at++
		} else if strings.Contains(s.str(), Mask) {
			return true
		}
	}
	return false
}

// find gives the edits that mask a document.
func (p Paths) find(data []byte) ([]edit, error) {
	// What follows reads only what is well-formed and not too deep.
	if err := wellformed.JSON(data); err != nil {
		return nil, err
	}
	if len(p.all) == 0 {
		return nil, nil
	}
	s := scanner{data: data}
	s.space()
	s.value(p.all)
	return s.edits, nil
}

// scanner goes through a well-formed text once and collects the edits.
type scanner struct {
	data  []byte
	at    int
	edits []edit
}

func (s *scanner) space() {
	for s.at < len(s.data) && strings.IndexByte(" \t\r\n", s.data[s.at]) >= 0 {
		s.at++
	}
}

// next passes over c and the space around it, if c is what comes next.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.at == len(s.data) || s.data[s.at] != c {
		return false
	}
	s.at++
	s.space()
	return true
}

// value passes over a value, inside which the paths go on.
func (s *scanner) value(paths [][]step) {
	from := s.at
	switch {
	case reached(paths):
		s.skip()
		s.edits = append(s.edits, edit{from, s.at, `"` + Mask + `"`})
	case len(paths) == 0:
		s.skip()
	case s.data[s.at] == '{':
		for s.at++; !s.closed('}'); s.next(',') {
			name := s.str()
			s.next(':')
			s.value(inside(paths, name, false))
		}
	case s.data[s.at] == '[':
		for s.at++; !s.closed(']'); s.next(',') {
			s.value(inside(paths, "", true))
		}
	default:
		s.skip()
	}
}

// closed passes over c, if it is what comes next, but not over what follows it: that is no part of the value.
func (s *scanner) closed(c byte) bool {
	s.space()
	if s.at < len(s.data) && s.data[s.at] != c {
		return false
	}
	s.at++
	return true
}

// skip passes over a value without looking at it.
func (s *scanner) skip() {
	for depth := 0; s.at < len(s.data); {
		switch s.data[s.at] {
		case '"':
			s.pass()
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.at++
		default: // a number or a word
			for s.at < len(s.data) && strings.IndexByte(",:]} \t\r\n", s.data[s.at]) < 0 {
				s.at++
			}
		}
		if depth == 0 {
			return
		}
	}
}

// pass passes over a string, whose opening quote comes next, and tells whether it has escapes.
func (s *scanner) pass() (escaped bool) {
	for s.at++; s.at < len(s.data) && s.data[s.at] != '"'; s.at++ {
		if s.data[s.at] == '\\' {
			escaped = true
			s.at++
		}
	}
	s.at++
	return escaped
}

// str passes over a string and gives what it stands for.
func (s *scanner) str() string {
	from := s.at
	escaped := s.pass()
	if !escaped {
		return string(s.data[from+1 : s.at-1])
	}
	var text string
	if json.Unmarshal(s.data[from:s.at], &text) != nil {
		return "" // a well-formed string always unmarshals
	}
	return text
}
