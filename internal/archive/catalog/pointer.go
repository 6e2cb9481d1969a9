// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"errors"
	"strings"
)

var (
	pointerEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// pointer is a JSON Pointer (RFC 6901) to a member of an object, by names alone.
type pointer []string

func parsePointer(text string) (pointer, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, errors.New("is not a JSON Pointer such as /service/unit")
	}
	var p pointer
	for _, step := range strings.Split(text[1:], "/") {
		name := pointerUnescaper.Replace(step)
		if pointerEscaper.Replace(name) != step {
			return nil, errors.New("has a ~ that is followed by neither 0 nor 1")
		}
		p = append(p, name)
	}
	return p, nil
}

func (p pointer) String() string {
	var text strings.Builder
	for _, name := range p {
		text.WriteString("/" + pointerEscaper.Replace(name))
	}
	return text.String()
}

// get gives the value there; false when there is none.
func (p pointer) get(value any) (any, bool) {
	for _, name := range p {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[name]; !ok {
			return nil, false
		}
	}
	return value, true
}

// set puts the member into the object that it belongs to, or takes it away for nil; false when there is
// no such object.
func (p pointer) set(value any, member any) bool {
	last := len(p) - 1
	owner, _ := p[:last].get(value)
	object, ok := owner.(map[string]any)
	switch {
	case !ok:
		return false
	case member == nil:
		delete(object, p[last])
	default:
		object[p[last]] = member
	}
	return true
}
