// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package clientkey

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

var (
	client   = uuid.MustParse("3f2f8a38-7d1f-4a3c-9d8e-2c8f4d8a9b10")
	stranger = uuid.MustParse("4f2f8a38-7d1f-4a3c-9d8e-2c8f4d8a9b10")
)

const (
	registry = "1.2.246.10.99999991.19.0"
	purpose  = "identifier/code"
	secret   = "020516C903K"
)

// line is a key file's line of the key made of one byte.
func line(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, Size)) + "\n"
}

func ringOf(t testing.TB, lines ...string) Keyring {
	t.Helper()
	k, err := Parse([]byte(strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAKeyFileIsReadOrRefused(t *testing.T) {
	short := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, Size-1)) + "\n"
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"one":             {line(1), nil},
		"without newline": {strings.TrimSpace(line(1)), nil},
		"two and remarks": {"# primary\r\n" + line(1) + "\n# former\n" + line(2), nil},
		"empty":           {"", ErrNoKey},
		"remarks alone":   {"# nothing\n\n", ErrNoKey},
		"short":           {short, ErrMalformed},
		"long":            {"AAAA" + line(1), ErrMalformed},
		"not base64":      {"!" + line(1)[1:], ErrMalformed},
		"raw bytes":       {string(bytes.Repeat([]byte{200}, Size)), ErrMalformed},
		"hexadecimal":     {hex.EncodeToString(bytes.Repeat([]byte{1}, Size)), ErrMalformed},
		"second is short": {line(1) + short, ErrMalformed},
		"cut in the end":  {line(1) + line(2)[:20], ErrMalformed},
		"twice":           {line(1) + line(2) + line(1), ErrTwice},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := Parse([]byte(c.text))
			if !errors.Is(err, c.want) || k.IsZero() != (c.want != nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "AQEB") {
				t.Errorf("the error holds the key: %v", err)
			}
		})
	}
	text, err := NewFile()
	if err != nil {
		t.Fatal(err)
	}
	again, _ := NewFile()
	if ringOf(t, string(text)).Primary() == ringOf(t, string(again)).Primary() {
		t.Error("two new files hold one key")
	}
}

func TestTheFirstKeyIsThePrimary(t *testing.T) {
	one, two, both := ringOf(t, line(1)), ringOf(t, line(2)), ringOf(t, line(2), line(1))
	if both.Primary() != two.Primary() || one.Primary() == two.Primary() || !both.Knows(one.Primary()) || one.Knows(two.Primary()) {
		t.Error("the ring is not in the file's order")
	}
	if id := one.Primary(); len(id) != 16 || strings.Contains(id, hex.EncodeToString([]byte{1, 1, 1, 1})) {
		t.Errorf("the id is %q", id)
	}
}

func TestSealedTextOpensOnlyInItsPlace(t *testing.T) {
	k := ringOf(t, line(1))
	key, wrapped, err := k.New(client)
	if err != nil {
		t.Fatal(err)
	}
	sealed := key.Seal(registry, purpose, []byte(secret))
	if bytes.Contains(sealed, []byte(secret)) || bytes.Equal(sealed, key.Seal(registry, purpose, []byte(secret))) {
		t.Error("it is not sealed, or twice to the same bytes")
	}
	fresh := ringOf(t, line(1)) // nothing cached
	opened, err := fresh.Open(client, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := opened.Unseal(registry, purpose, sealed); err != nil || string(text) != secret {
		t.Errorf("got %q, %v", text, err)
	}
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for name, c := range map[string]struct {
		registry, purpose string
		sealed            []byte
	}{
		"another registry": {registry + ".1", purpose, sealed},
		"another purpose":  {registry, "identifier/temporary-oid", sealed},
		"moved boundary":   {registry + "i", purpose[1:], sealed},
		"damaged":          {registry, purpose, damaged},
		"cut":              {registry, purpose, sealed[:5]},
		"nothing":          {registry, purpose, nil},
	} {
		if text, err := opened.Unseal(c.registry, c.purpose, c.sealed); !errors.Is(err, ErrDamaged) || text != nil {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	other, _, _ := k.New(stranger)
	if _, err := other.Unseal(registry, purpose, sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("another client's key: %v", err)
	}
	// The client's id is bound by itself, not only through its key.
	same, _ := newDataKey(client, bytes.Repeat([]byte{9}, Size))
	moved, _ := newDataKey(stranger, bytes.Repeat([]byte{9}, Size))
	if _, err := moved.Unseal(registry, purpose, same.Seal(registry, purpose, []byte(secret))); !errors.Is(err, ErrDamaged) {
		t.Errorf("another client under the same key: %v", err)
	}
}

func TestAWrappedKeyOpensOnlyForItsClientAndKey(t *testing.T) {
	k := ringOf(t, line(1), line(2))
	_, wrapped, err := k.New(client)
	if err != nil {
		t.Fatal(err)
	}
	damaged := Wrapped{wrapped.KeyID, bytes.Clone(wrapped.Bytes)}
	damaged.Bytes[20] ^= 1
	for name, c := range map[string]struct {
		ring    Keyring
		client  uuid.UUID
		wrapped Wrapped
		want    error
	}{
		"another client":     {k, stranger, wrapped, ErrDamaged},
		"another key's id":   {k, client, Wrapped{ringOf(t, line(2)).Primary(), wrapped.Bytes}, ErrDamaged},
		"a key that is lost": {ringOf(t, line(2)), client, wrapped, ErrUnknownKey},
		"damaged":            {k, client, damaged, ErrDamaged},
		"empty":              {k, client, Wrapped{KeyID: wrapped.KeyID}, ErrDamaged},
	} {
		if _, err := c.ring.Open(c.client, c.wrapped); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, err := c.ring.Rewrap(c.client, c.wrapped); !errors.Is(err, c.want) {
			t.Errorf("rewrapping, %s: %v, want %v", name, err, c.want)
		}
	}
}

func TestRotation(t *testing.T) {
	before, during, after := ringOf(t, line(1)), ringOf(t, line(2), line(1)), ringOf(t, line(2))
	key, wrapped, err := before.New(client)
	if err != nil {
		t.Fatal(err)
	}
	sealed := key.Seal(registry, purpose, []byte(secret))
	if _, err := during.Open(client, wrapped); err != nil {
		t.Errorf("during the rotation: %v", err)
	}
	rewrapped, err := during.Rewrap(client, wrapped)
	if err != nil || rewrapped.KeyID != after.Primary() {
		t.Fatalf("rewrapped under %s (%v)", rewrapped.KeyID, err)
	}
	opened, err := after.Open(client, rewrapped)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := opened.Unseal(registry, purpose, sealed); err != nil || string(text) != secret {
		t.Errorf("after the rotation: %q, %v", text, err)
	}
	if _, err := before.Open(client, rewrapped); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("the former key alone: %v", err)
	}
}

func TestNothingOfAKeyPrints(t *testing.T) {
	k := ringOf(t, line('k'))
	key, wrapped, err := k.New(client)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		ring Keyring
		key  DataKey
	}
	_, unknown := ringOf(t, line(2)).Open(client, wrapped)
	values := map[string]any{"ring": k, "key": key, "pointers": []any{&k, &key}, "struct": holder{k, key}, "pointer": &holder{k, key}, "error": unknown}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%20v"} {
			got := fmt.Sprintf(verb, v)
			for _, leak := range []string{"kkkk", "6b6b6b", "6B6B6B", "107 107 107", "0x6b, 0x6b", strings.TrimSpace(line('k'))} {
				if strings.Contains(got, leak) {
					t.Errorf("%s %s prints %q", name, verb, got)
				}
			}
		}
		if raw, err := json.Marshal(v); err == nil && (strings.Contains(string(raw), "a2tr") || strings.Contains(string(raw), "kkkk")) {
			t.Errorf("%s encodes as %s", name, raw)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, k); got != redacted {
			t.Errorf("%s prints %q", verb, got)
		}
		if got := fmt.Sprintf(verb, key); got != redacted {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func TestTheCacheIsBoundedAndOpensNothingWithoutItsWrappedKey(t *testing.T) {
	k := ringOf(t, line(1))
	k.state.cache.size = 3
	clients, keys := make([]uuid.UUID, 5), make([]Wrapped, 5)
	for i := range clients {
		clients[i] = uuid.New()
		_, keys[i], _ = k.New(clients[i])
	}
	if n := k.state.cache.order.Len(); n != 3 || len(k.state.cache.byID) != 3 {
		t.Fatalf("%d keys are cached", n)
	}
	opens := func(i int, unwraps uint64) {
		t.Helper()
		before := k.Unwraps()
		if _, err := k.Open(clients[i], keys[i]); err != nil || k.Unwraps()-before != unwraps {
			t.Errorf("client %d: %d unwraps, want %d (%v)", i, k.Unwraps()-before, unwraps, err)
		}
	}
	opens(2, 0)
	opens(0, 1) // pushes out 3, which was used longest ago
	opens(2, 0)
	opens(3, 1)
	if _, err := k.Open(clients[2], Wrapped{KeyID: keys[2].KeyID, Bytes: make([]byte, len(keys[2].Bytes))}); !errors.Is(err, ErrDamaged) {
		t.Errorf("with another wrapped key: %v", err)
	}
	if _, err := k.Open(clients[2], Wrapped{}); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("without a wrapped key: %v", err)
	}
	rewrapped, err := k.Rewrap(clients[2], keys[2])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(clients[2], rewrapped); err != nil {
		t.Errorf("rewrapped: %v", err)
	}
}

func TestManyOpenAtOnce(t *testing.T) {
	k := ringOf(t, line(1))
	k.state.cache.size = 4
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				id := uuid.New()
				key, wrapped, _ := k.New(id)
				sealed := key.Seal(registry, purpose, []byte(secret))
				opened, err := k.Open(id, wrapped)
				if err != nil {
					t.Error(err)
					return
				}
				if text, err := opened.Unseal(registry, purpose, sealed); err != nil || string(text) != secret {
					t.Errorf("%q, %v", text, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{line(1), line(1) + line(2), "# x\n", "", "AAAA"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := Parse(text)
		if (err == nil) == k.IsZero() {
			t.Fatal("neither a ring nor an error, or both")
		}
		if err == nil && !k.Knows(k.Primary()) {
			t.Fatal("the ring lacks its primary")
		}
	})
}

func BenchmarkOpenCached(b *testing.B) {
	k := ringOf(b, line(1))
	_, wrapped, _ := k.New(client)
	before := k.Unwraps()
	for b.Loop() {
		if _, err := k.Open(client, wrapped); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(k.Unwraps()-before)/float64(b.N), "unwraps/op")
}

func BenchmarkOpenUncached(b *testing.B) {
	k := ringOf(b, line(1))
	k.state.cache.size = 0
	_, wrapped, _ := k.New(client)
	for b.Loop() {
		if _, err := k.Open(client, wrapped); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(k.Unwraps())/float64(b.N), "unwraps/op")
}
