// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a [Key] or a [CA] shows instead of its content.
const Redacted = "[private key]"

// String returns [Redacted].
func (Key) String() string { return Redacted }

// GoString returns [Redacted].
func (Key) GoString() string { return Redacted }

// Format writes [Redacted] for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText returns [Redacted].
func (Key) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON returns [Redacted] as a JSON string.
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// LogValue returns [Redacted].
func (Key) LogValue() slog.Value { return slog.StringValue(Redacted) }

// String returns [Redacted].
func (CA) String() string { return Redacted }

// GoString returns [Redacted].
func (CA) GoString() string { return Redacted }

// Format writes [Redacted] for every verb.
func (CA) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText returns [Redacted].
func (CA) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON returns [Redacted] as a JSON string.
func (CA) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// LogValue returns [Redacted].
func (CA) LogValue() slog.Value { return slog.StringValue(Redacted) }
