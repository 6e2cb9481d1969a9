// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package masking

import (
	"errors"
	"strings"
)

// Limits of paths.
const (
	maxPaths = 100
	maxSteps = 32
)

// Errors of ParsePaths.
var (
	errPointer = errors.New("is not a JSON Pointer such as /contact/address or /participants/*/phone")
	errEscape  = errors.New("has a ~ that is followed by neither 0 nor 1")
	errTooDeep = errors.New("has more than 32 steps")
	errTooMany = errors.New("is one of more than 100")
)

var (
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
	reescape = strings.NewReplacer("~", "~0", "/", "~1")
)

// step leads from a value to one inside it: a member by its name, or any item or member.
type step struct {
	any  bool
	name string
}

// Paths say which values of JSON documents hold address or contact data: JSON Pointers (RFC 6901) in which * stands
// for each item of an array and each member of an object. Items are reached by * alone. The zero value is of no value.
type Paths struct {
	all [][]step
}

// ParsePaths reads the pointers. Each that is wrong is an error of its own: wrong are those by their number.
func ParsePaths(texts []string) (p Paths, wrong map[int]error) {
	wrong = map[int]error{}
	for i, text := range texts {
		steps, err := parsePath(text)
		switch {
		case i == maxPaths:
			wrong[i] = errTooMany
			return Paths{}, wrong
		case err != nil:
			wrong[i] = err
		}
		p.all = append(p.all, steps)
	}
	if len(wrong) > 0 {
		return Paths{}, wrong
	}
	return p, nil
}

func parsePath(text string) ([]step, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, errPointer
	}
	parts := strings.Split(text[1:], "/")
	if len(parts) > maxSteps {
		return nil, errTooDeep
	}
	steps := make([]step, 0, len(parts))
	for _, part := range parts {
		name := unescape.Replace(part)
		if reescape.Replace(name) != part {
			return nil, errEscape
		}
		steps = append(steps, step{any: part == "*", name: name})
	}
	return steps, nil
}

// Texts gives the pointers as they were read.
func (p Paths) Texts() []string {
	texts := make([]string, 0, len(p.all))
	for _, steps := range p.all {
		text := ""
		for _, s := range steps {
			text += "/" + reescape.Replace(s.name)
		}
		texts = append(texts, text)
	}
	return texts
}

// Names gives the names of members that the paths go through, each as often as it is there.
func (p Paths) Names() (names []string) {
	for _, steps := range p.all {
		for _, s := range steps {
			if !s.any {
				names = append(names, s.name)
			}
		}
	}
	return names
}

// inside gives what is left of the paths inside an item, or inside the member with the name.
func inside(paths [][]step, name string, item bool) (left [][]step) {
	for _, steps := range paths {
		if len(steps) > 0 && (steps[0].any || !item && steps[0].name == name) {
			left = append(left, steps[1:])
		}
	}
	return left
}

// reached tells whether one of the paths ends here.
func reached(paths [][]step) bool {
	for _, steps := range paths {
		if len(steps) == 0 {
			return true
		}
	}
	return false
}
