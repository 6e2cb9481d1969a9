// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package clientkey

import (
	"fmt"
	"io"
)

const redacted = "[client key]"

// String hides the keys.
func (Keyring) String() string { return redacted }

// GoString hides the keys.
func (Keyring) GoString() string { return redacted }

// Format hides the keys for every verb.
func (Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText hides the keys.
func (Keyring) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String hides the key.
func (DataKey) String() string { return redacted }

// GoString hides the key.
func (DataKey) GoString() string { return redacted }

// Format hides the key for every verb.
func (DataKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText hides the key.
func (DataKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }
