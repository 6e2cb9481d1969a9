// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package masking

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// page puts markup into the body of a document.
func page(markup string) string {
	return `<?xml version="1.0"?>` + "\r\n" + `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>` + markup + "</body></html>\n"
}

func TestXHTMLMasksWhatItsAuthorHasMarked(t *testing.T) {
	for name, c := range map[string][2]string{
		"a paragraph":           {`<p class="non-disclosure">Katu 1</p><p>x</p>`, `<p class="non-disclosure">[turvakielto]</p><p>x</p>`},
		"all inside":            {`<div class="non-disclosure"><p title="a">Katu <b>1</b></p><!-- c --><br/></div >`, `<div class="non-disclosure">[turvakielto]</div >`},
		"among other classes":   {`<p class='a  non-disclosure&#9;b'>x &amp; y</p>`, `<p class='a  non-disclosure&#9;b'>[turvakielto]</p>`},
		"spelled by references": {`<p class="non&#45;disclosur&#x65;">x</p>`, `<p class="non&#45;disclosur&#x65;">[turvakielto]</p>`},
		"marked inside marked":  {`<p class="non-disclosure">a<b class="non-disclosure">b</b>c</p>d`, `<p class="non-disclosure">[turvakielto]</p>d`},
		"two":                   {`<i class="non-disclosure">a</i> <i class="non-disclosure">b</i>`, `<i class="non-disclosure">[turvakielto]</i> <i class="non-disclosure">[turvakielto]</i>`},
		"attributes that show":  {`<time class="non-disclosure" datetime='2026-01-01' title = "a > b" lang="fi">x</time>`, `<time class="non-disclosure" datetime='[turvakielto]' title = "[turvakielto]" lang="fi">[turvakielto]</time>`},
		"an empty attribute":    {`<p title="" class="non-disclosure">x</p>`, `<p title="" class="non-disclosure">[turvakielto]</p>`},
		"nothing in it":         {`<p class="non-disclosure"></p><p>x</p>`, `<p class="non-disclosure"></p><p>x</p>`},
		"nothing, in short":     {`<p class="non-disclosure" /><p>x</p>`, `<p class="non-disclosure" /><p>x</p>`},
		"space in it":           {`<p class="non-disclosure"> </p>`, `<p class="non-disclosure">[turvakielto]</p>`},
		"the class quoted":      {`<p class="non-disclosure" title="class='x' title='y'">z</p>`, `<p class="non-disclosure" title="[turvakielto]">[turvakielto]</p>`},
	} {
		got, err := XHTML([]byte(page(c[0])))
		if err != nil || string(got) != page(c[1]) {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
}

func TestXHTMLWithoutAMarkIsNotGiven(t *testing.T) {
	for _, markup := range []string{
		`<p>Katu 1</p>`, `<p class="non-disclosures">x</p>`, `<p class="Non-Disclosure">x</p>`, `<p id="non-disclosure">x</p>`,
		`<!-- class="non-disclosure" -->`, `<p title="class=&quot;non-disclosure&quot;">x</p>`, ``,
	} {
		if got, err := XHTML([]byte(page(markup))); !errors.Is(err, ErrUnmarked) || got != nil {
			t.Errorf("%s: got %s, %v", markup, got, err)
		}
	}
	for text, want := range map[string]error{
		page(`<p class="non-disclosure">x`): wellformed.ErrSyntax, page(`<script class="non-disclosure"/>`): wellformed.ErrNotAllowed,
		"": wellformed.ErrSyntax, page(`<p class="non-disclosure"><![CDATA[x]]></p>`): wellformed.ErrDirective,
	} {
		if got, err := XHTML([]byte(text)); !errors.Is(err, want) || got != nil {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
		if _, err := MaskInXHTML([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTheMaskThatComesBackIsFoundInXHTML(t *testing.T) {
	for markup, want := range map[string]bool{
		`<p class="non-disclosure">[turvakielto]</p>`:    true,
		`<p>Osoite: [turvakielto]</p>`:                   true, // the mark is lost, the mask is not
		`<p>&#91;turvakielto&#x5d;</p>`:                  true,
		`<p><b>[turva</b>kielto]</p>`:                    true,
		`<p title="[turvakielto]">x</p>`:                 true,
		`<p class="non-disclosure">turvakielto</p>`:      false,
		`<!-- [turvakielto] --><p>Katu 1</p>`:            false,
		`<p class="non-disclosure"/><p>[turvakielt]</p>`: false,
	} {
		if got, err := MaskInXHTML([]byte(page(markup))); err != nil || got != want {
			t.Errorf("%s: %v, %v", markup, got, err)
		}
	}
}

// drawNodes gives markup with marked elements in it, if they are wanted; anyMarked is set if there are some.
func drawNodes(t *rapid.T, p *pair, depth int, anyMarked *bool) {
	for range rapid.IntRange(0, 3).Draw(t, "nodes") {
		name := rapid.SampledFrom([]string{"p", "div", "td", "span"}).Draw(t, "name")
		switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
		case kind == 0 || depth == 0:
			p.both(rapid.SampledFrom([]string{"text ä😀", " &amp;&#228;\r\n", `<!-- class="non-disclosure" -->`, "<br  />"}).Draw(t, "text"))
		case kind == 1:
			*anyMarked = true
			var content pair
			drawNodes(t, &content, depth-1, anyMarked)
			content.both(rapid.SampledFrom([]string{"", secret, "<b>" + secret + "</b>"}).Draw(t, "secret"))
			p.both("<" + name + ` class="x non-disclosure">`)
			if content.plain.Len() > 0 {
				p.plain.WriteString(content.plain.String())
				p.masked.WriteString(Mask)
			}
			p.both("</" + name + " >")
		default:
			p.both("<" + name + ` id='a>b'>`)
			drawNodes(t, p, depth-1, anyMarked)
			p.both("</" + name + ">")
		}
	}
}

// Outside marked elements the bytes stay; of what is inside nothing stays.
func TestOutsideMarkedElementsBytesAreEqual(t *testing.T) {
	head, foot, _ := strings.Cut(page("|"), "|")
	rapid.Check(t, func(t *rapid.T) {
		var p pair
		marked := false
		p.both(head)
		drawNodes(t, &p, 4, &marked)
		p.both(foot)
		got, err := XHTML([]byte(p.plain.String()))
		if !marked {
			if !errors.Is(err, ErrUnmarked) {
				t.Fatalf("unmarked: %v", err)
			}
			return
		}
		if err != nil || string(got) != p.masked.String() || bytes.Contains(got, []byte(secret)) {
			t.Fatalf("%s\ngives %s, %v\nwant  %s", p.plain.String(), got, err, p.masked.String())
		}
	})
}

// shown gives the text outside marked elements, and the text inside.
func shown(t *testing.T, data []byte) (outside, inside string) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(data))
	var open []bool
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return outside, inside
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, isMarked(e))
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if slices.Contains(open, true) {
				inside += string(e)
			} else {
				outside += string(e)
			}
		}
	}
}

// FuzzXHTML holds that what is masked is well-formed, shows the same outside marked elements, and inside nothing but
// the mask.
func FuzzXHTML(f *testing.F) {
	for _, seed := range []string{`<p class="non-disclosure">x</p>`, `<p class='non-disclosure' title="y"><b>x</b></p>z`, `<p class="non-disclosure"/>`, `<p>x</p>`} {
		f.Add([]byte(page(seed)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := XHTML(data)
		if err != nil {
			return
		}
		if err := wellformed.XHTML(got); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		before, _ := shown(t, data)
		outside, inside := shown(t, got)
		if outside != before || strings.ReplaceAll(inside, Mask, "") != "" {
			t.Fatalf("%s gives %s", data, got)
		}
		if again, err := XHTML(got); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("masked again: %s, %v", again, err)
		}
	})
}
