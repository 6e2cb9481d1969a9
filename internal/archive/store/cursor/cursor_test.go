// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cursor_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
)

const testKey = "a key for tests only"

func TestACursorComesBackUnderItsBindingOnly(t *testing.T) {
	codec, err := cursor.NewCodec([]byte(testKey))
	if err != nil {
		t.Fatal(err)
	}
	other, err := cursor.NewCodec([]byte(testKey + "2"))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		binding := sha256.Sum256([]byte(rapid.String().Draw(t, "binding")))
		position := cursor.Position{StoredMicros: rapid.Int64().Draw(t, "micros"), ID: uuid.New()}
		token := codec.Encode(binding, position)
		if got, err := codec.Decode(binding, token); err != nil || got != position {
			t.Fatalf("got %+v, %v", got, err)
		}
		if _, err := codec.Decode(sha256.Sum256([]byte("another")), token); !errors.Is(err, store.ErrCursor) {
			t.Fatalf("another binding: %v", err)
		}
		if _, err := other.Decode(binding, token); !errors.Is(err, store.ErrCursor) {
			t.Fatalf("another key: %v", err)
		}

		place := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "place")
		token = codec.Seal(binding, place)
		if got, err := codec.Open(binding, token); err != nil || !bytes.Equal(got, place) {
			t.Fatalf("got %x, %v", got, err)
		}
		_, another := codec.Open(sha256.Sum256([]byte("another")), token)
		_, otherKey := other.Open(binding, token)
		_, asPosition := codec.Decode(binding, token)
		_, asPlace := codec.Open(binding, codec.Encode(binding, position))
		for _, err := range []error{another, otherKey, asPosition, asPlace} {
			if !errors.Is(err, store.ErrCursor) {
				t.Fatalf("a sealed one elsewhere: %v", err)
			}
		}
	})
}

func FuzzDecodeNeverAcceptsAForgery(f *testing.F) {
	codec, err := cursor.NewCodec([]byte(testKey))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(strings.Repeat("A", 55))
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := codec.Decode([32]byte{}, token); !errors.Is(err, store.ErrCursor) {
			t.Fatalf("a token nobody made: %v", err)
		}
		if _, err := codec.Open([32]byte{}, token); !errors.Is(err, store.ErrCursor) {
			t.Fatalf("a sealed one nobody made: %v", err)
		}
	})
}

func TestACodecDoesNotPrintItsKey(t *testing.T) {
	codec, err := cursor.NewCodec([]byte(testKey))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, codec); strings.Contains(got, "tests") || strings.Contains(got, "61") {
			t.Errorf("%s shows %q", verb, got)
		}
	}
}
