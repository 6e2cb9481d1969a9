// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package identitycode_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/identitycode"
)

func TestNothingPrintsACode(t *testing.T) {
	code, err := identitycode.Parse(published)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Exported   identitycode.Code
		unexported identitycode.Code
		Pointer    *identitycode.Code
	}
	values := map[string]any{
		"value":   code,
		"pointer": &code,
		"struct":  holder{code, code, &code},
		"slice":   []identitycode.Code{code},
		"map":     map[identitycode.Code]identitycode.Code{code: code},
		"error":   fmt.Errorf("client %v", code),
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%20v"} {
			refuse(t, name+" "+verb, fmt.Sprintf(verb, v))
		}
		text, err := json.Marshal(v)
		if err == nil {
			refuse(t, name+" json", string(text))
		}
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "k", v)
		refuse(t, name+" slog", out.String())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, code); got != identitycode.Redacted {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if got := code.LogValue().String(); got != identitycode.Redacted {
		t.Errorf("slog gets %q", got)
	}
	if strings.Contains(identitycode.Redacted, "9") || identitycode.LooksLike(identitycode.Redacted) {
		t.Error("the placeholder itself looks like a code")
	}
}

func refuse(t *testing.T, how, text string) {
	t.Helper()
	hexadecimal := fmt.Sprintf("%x", published)
	if strings.Contains(text, published) || strings.Contains(strings.ToLower(text), hexadecimal) {
		t.Errorf("%s leaks the code: %s", how, text)
	}
}
