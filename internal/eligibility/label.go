// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"fmt"
	"strings"
)

// label names an organization in a message.
func (o *Organization) label() string {
	if o.Name == "" {
		return o.OID
	}
	return fmt.Sprintf("%s (%s)", o.Name, o.OID)
}

// label names a registry in a message.
func (r *Registry) label() string { return fmt.Sprintf("Registry %s (%s)", r.Name, r.OID) }

// label names a producer unit in a message.
func (u *Unit) label() string { return fmt.Sprintf("ProducerUnit %s (%s)", u.Name, u.OID) }

// orNone makes an empty name or list visible in a message.
func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func list(items []string) string { return orNone(strings.Join(items, ", ")) }
