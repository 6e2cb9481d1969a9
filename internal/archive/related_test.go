// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"errors"
	"mime"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// related makes a multipart body with the boundary b, of parts as they are.
func related(parts ...string) string {
	return "--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
}

const (
	jsonPart  = "Content-Type: application/json\r\n\r\n{}"
	xhtmlPart = "Content-Type: application/xhtml+xml; charset=utf-8\r\n\r\n<p/>"
)

func TestSplittingAMultipartBody(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		err  error
	}{
		"both":                   {related(jsonPart, xhtmlPart), nil},
		"the other order":        {related(xhtmlPart, jsonPart), nil},
		"no line end at the end": {strings.TrimSuffix(related(jsonPart, xhtmlPart), "\r\n"), nil},
		"header in lower case":   {related(strings.ToLower(jsonPart), xhtmlPart), nil},
		"empty":                  {"", errRelatedFrame},
		"only the end":           {"--b--\r\n", errRelatedFrame},
		"half":                   {related(jsonPart, xhtmlPart)[:60], errRelatedFrame},
		"not closed":             {strings.TrimSuffix(related(jsonPart, xhtmlPart), "--\r\n") + "\r\n", errRelatedFrame},
		"one part":               {related(jsonPart), errRelatedParts},
		"three parts":            {related(jsonPart, xhtmlPart, "Content-Type: text/plain\r\n\r\nx"), errRelatedParts},
		"the same twice":         {related(jsonPart, jsonPart), errRelatedParts},
		"another type":           {related(jsonPart, "Content-Type: text/html\r\n\r\nx"), errRelatedParts},
		"no header":              {related(jsonPart, "\r\n<p/>"), errRelatedHeader},
		"another header":         {related(jsonPart, "Content-Transfer-Encoding: quoted-printable\r\n"+xhtmlPart), errRelatedHeader},
		"another charset":        {related(jsonPart, "Content-Type: application/xhtml+xml; charset=latin1\r\n\r\nx"), errRelatedHeader},
		"type twice":             {related(jsonPart, "Content-Type: application/json\r\n"+xhtmlPart), errRelatedHeader},
		"preamble":               {"hello\r\n" + related(jsonPart, xhtmlPart), errRelatedFrame},
		"epilogue":               {related(jsonPart, xhtmlPart) + "bye\r\n", errRelatedFrame},
		"more after the end":     {related(jsonPart, xhtmlPart) + related(jsonPart, xhtmlPart), errRelatedFrame},
	} {
		parts, err := splitRelated([]byte(c.body), "b")
		if !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", name, err, c.err)
		}
		if err == nil && len(parts) != 2 {
			t.Errorf("%s: %d parts", name, len(parts))
		}
	}
}

func TestWhatIsJoinedIsSplitAgain(t *testing.T) {
	parts := []store.Representation{{ContentType: store.ContentJSON, Body: []byte("{}\r\n")}, {ContentType: store.ContentXHTML, Body: []byte("\r\n--b--\r\n")}}
	body, contentType := joinRelated(parts)
	again, _ := joinRelated(parts)
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || !bytes.Equal(body, again) {
		t.Fatalf("%v", err)
	}
	got, err := splitRelated(body, parameters["boundary"])
	if err != nil || len(got) != 2 || !bytes.Equal(got[0].Body, parts[0].Body) || !bytes.Equal(got[1].Body, parts[1].Body) {
		t.Errorf("got %v, %v", got, err)
	}
}

// FuzzRelated holds that a multipart body that is taken has two parts of different formats, which are in it, and
// the three boundaries around them.
func FuzzRelated(f *testing.F) {
	for _, seed := range []string{
		related(jsonPart, xhtmlPart), related(jsonPart), "--b\r\n\r\n--b--", "--b--", "--b\r\n" + jsonPart,
		related(jsonPart, "content-type: application/xhtml+xml\r\n\r\n\r\n"), "--b \r\n" + related(jsonPart, xhtmlPart)[5:],
	} {
		f.Add([]byte(seed), "b")
	}
	f.Fuzz(func(t *testing.T, body []byte, boundary string) {
		if boundary == "" || len(boundary) > maxBoundary {
			return
		}
		parts, err := splitRelated(body, boundary)
		if err != nil {
			return
		}
		if len(parts) != 2 || parts[0].ContentType == parts[1].ContentType {
			t.Fatalf("took %q", body)
		}
		frame := len(body)
		for _, part := range parts {
			if !isFormat(part.ContentType) || !bytes.Contains(body, part.Body) {
				t.Fatalf("a part that is not in %q", body)
			}
			frame -= len(part.Body)
		}
		if frame < 3*len("--"+boundary) {
			t.Fatalf("took %q", body)
		}
	})
}
