// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a [Code] shows instead of its text.
const Redacted = "[personal identity code]"

// String returns [Redacted].
func (Code) String() string { return Redacted }

// GoString returns [Redacted].
func (Code) GoString() string { return Redacted }

// Format writes [Redacted] for every verb, so that no verb reaches the text by reflection.
func (Code) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText returns [Redacted]. To store a code, store what [Code.Reveal] returns.
func (Code) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON returns [Redacted] as a JSON string.
func (Code) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// LogValue returns [Redacted].
func (Code) LogValue() slog.Value { return slog.StringValue(Redacted) }

// RedactedIdentifier is what an [Identifier] shows instead of its text.
const RedactedIdentifier = "[client identifier]"

// String returns [RedactedIdentifier].
func (Identifier) String() string { return RedactedIdentifier }

// GoString returns [RedactedIdentifier].
func (Identifier) GoString() string { return RedactedIdentifier }

// Format writes [RedactedIdentifier] for every verb.
func (Identifier) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, RedactedIdentifier) }

// MarshalText returns [RedactedIdentifier]. To store an identifier, seal what [Identifier.Reveal] returns.
func (Identifier) MarshalText() ([]byte, error) { return []byte(RedactedIdentifier), nil }

// MarshalJSON returns [RedactedIdentifier] as a JSON string.
func (Identifier) MarshalJSON() ([]byte, error) { return []byte(`"` + RedactedIdentifier + `"`), nil }

// LogValue returns [RedactedIdentifier].
func (Identifier) LogValue() slog.Value { return slog.StringValue(RedactedIdentifier) }
