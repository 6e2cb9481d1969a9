// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// page puts markup into the body of a document.
func page(markup string) string {
	return `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>` + markup + `</body></html>`
}

func TestXHTML(t *testing.T) {
	const ns = ` xmlns="http://www.w3.org/1999/xhtml"`
	for text, want := range map[string]error{
		`<html` + ns + `><body><p>hei &amp; moi</p></body></html>`:                         nil,
		`<?xml version="1.0" encoding="UTF-8"?>` + "\n<!-- x --><html" + ns + "></html>\n": nil,
		`<?xml version='1.0' encoding='utf-8' standalone='yes' ?><html` + ns + `></html>`:  nil,
		`<html` + ns + `><body><p>auki</body></html>`:                                      ErrSyntax,
		`<html` + ns + `></html><html` + ns + `></html>`:                                   ErrSyntax,
		`<html` + ns + `></html>x`:                                                         ErrSyntax,
		`x<html` + ns + `></html>`:                                                         ErrSyntax,
		`<html` + ns + `>`:                                                                 ErrSyntax,
		``:                                                                                 ErrSyntax,
		`<html` + ns + `>&nbsp;</html>`:                                                    ErrSyntax,
		`<html` + ns + `><p id="a" id="b"></p></html>`:                                     ErrSyntax,
		`<html` + ns + `><p id="a"class="b"></p></html>`:                                   ErrSyntax,
		`<html` + ns + `><p id=a></p></html>`:                                              ErrSyntax,
		`<html` + ns + `>&#0;</html>`:                                                      ErrSyntax,
		`<html></html>`:                                                                    ErrNotXHTML,
		`<svg xmlns="http://www.w3.org/2000/svg"></svg>`:                                   ErrNotXHTML,
		`<HTML` + ns + `></HTML>`:                                                          ErrNotXHTML,
		`<!DOCTYPE html><html` + ns + `></html>`:                                           ErrDirective,
		`<?xml-stylesheet href="x"?><html` + ns + `></html>`:                               ErrDirective,
		` <?xml version="1.0"?><html` + ns + `></html>`:                                    ErrDirective,
		`<?xml version="1.0" foo="x"?><html` + ns + `></html>`:                             ErrDirective,
		`<html` + ns + `><?php x ?></html>`:                                                ErrDirective,
		`<?xml version="1.0" encoding="ISO-8859-1"?><html` + ns + `></html>`:               ErrSyntax,
		`<?xml version="1.1"?><html` + ns + `></html>`:                                     ErrSyntax,
		"<html" + ns + ">\xe4</html>":                                                      ErrNotUTF8,
		"\ufeff<html" + ns + "></html>":                                                    ErrNotUTF8,
		"\xff\xfe<\x00h\x00t\x00m\x00l\x00":                                                ErrNotUTF8,
		`<html` + ns + `>` + strings.Repeat("<p>", 100) + strings.Repeat("</p>", 100) + `</html>`: ErrTooDeep,
	} {
		if err := XHTML([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.80q: got %v, want %v", text, err, want)
		}
	}
}

func TestXHTMLTakesTextListsAndTables(t *testing.T) {
	for _, markup := range []string{
		`<h1 id="alku">Otsikko</h1><p class="x" title="y" dir="ltr" lang="fi" xml:lang="fi">Teksti<br/><em>tärkeä</em></p>`,
		`<ul><li><a href="#alku">alku</a></li></ul><ol><li>1</li></ol><dl><dt>a</dt><dd>b</dd></dl>`,
		`<table><caption>c</caption><thead><tr><th id="h" scope="col" colspan="2">t</th></tr></thead><tbody><tr><td headers="h" rowspan="1">d</td></tr></tbody></table>`,
		`<p><time datetime="2026-03-01">1.3.2026</time> <ins datetime="2026-03-01">x</ins> &lt;script&gt; &#228;</p>`,
		`<!-- a plain comment --><p/>`,
	} {
		if err := XHTML([]byte(page(markup))); err != nil {
			t.Errorf("%s: %v", markup, err)
		}
	}
	if err := XHTML([]byte(strings.Replace(page(""), "<title>", `<meta charset="UTF-8"/><title>`, 1))); err != nil {
		t.Errorf("charset: %v", err)
	}
}

// attacks are documents that do something else to some reader than show text, with the error that each
// has to meet.
var attacks = map[string]struct {
	text string
	want error
	says string
}{
	"script":                      {page(`<script>alert(1)</script>`), ErrNotAllowed, "the element script"},
	"script in capitals":          {page(`<SCRIPT>alert(1)</SCRIPT>`), ErrNotAllowed, "an element that"},
	"handler":                     {page(`<p onclick="x()">a</p>`), ErrNotAllowed, "the attribute onclick"},
	"handler in capitals":         {page(`<p onClick="x()">a</p>`), ErrNotAllowed, "an attribute that"},
	"style element":               {page(`<style>p{background:url(//x)}</style>`), ErrNotAllowed, "the element style"},
	"style attribute":             {page(`<p style="background:url(//x)">a</p>`), ErrNotAllowed, "the attribute style"},
	"javascript":                  {page(`<a href="javascript:alert(1)">a</a>`), ErrNotAllowed, "value of the attribute href"},
	"javascript, escaped":         {page(`<a href="&#106;avascript:alert(1)">a</a>`), ErrNotAllowed, "href"},
	"javascript, tabbed":          {page("<a href=\"\tjava\nscript:alert(1)\">a</a>"), ErrNotAllowed, "href"},
	"data":                        {page(`<a href="data:text/html,x">a</a>`), ErrNotAllowed, "href"},
	"other host":                  {page(`<a href="https://example.org/">a</a>`), ErrNotAllowed, "href"},
	"same host":                   {page(`<a href="/v1/registries">a</a>`), ErrNotAllowed, "href"},
	"relative":                    {page(`<a href="">a</a>`), ErrNotAllowed, "href"},
	"fragment with more":          {page(`<a href="#x y">a</a>`), ErrNotAllowed, "href"},
	"ping":                        {page(`<a href="#x" ping="https://example.org/">a</a>`), ErrNotAllowed, "ping"},
	"target":                      {page(`<a href="#x" target="_blank">a</a>`), ErrNotAllowed, "target"},
	"href elsewhere":              {page(`<p href="#x">a</p>`), ErrNotAllowed, "the attribute href"},
	"image":                       {page(`<img src="https://example.org/x.png"/>`), ErrNotAllowed, "the element img"},
	"image by its old name":       {page(`<image src="x"/>`), ErrNotAllowed, "the element image"},
	"iframe":                      {page(`<iframe src="#x"/>`), ErrNotAllowed, "iframe"},
	"object":                      {page(`<object data="x"/>`), ErrNotAllowed, "object"},
	"embed":                       {page(`<embed src="x"/>`), ErrNotAllowed, "embed"},
	"form":                        {page(`<form action="x"><input/></form>`), ErrNotAllowed, "form"},
	"link":                        {page(`<link rel="stylesheet" href="#x"/>`), ErrNotAllowed, "link"},
	"base":                        {page(`<base href="https://example.org/"/>`), ErrNotAllowed, "the element base"},
	"refresh":                     {page(`<meta http-equiv="refresh" content="0;url=https://example.org/"/>`), ErrNotAllowed, "http-equiv"},
	"charset":                     {page(`<meta charset="utf-7"/>`), ErrNotAllowed, "charset"},
	"cite":                        {page(`<blockquote cite="https://example.org/">a</blockquote>`), ErrNotAllowed, "the attribute cite"},
	"xml:base":                    {page(`<p xml:base="https://example.org/">a</p>`), ErrNotAllowed, "an attribute that"},
	"svg":                         {page(`<svg xmlns="http://www.w3.org/2000/svg"><a/></svg>`), ErrNotAllowed, "an element that"},
	"svg without namespace":       {page(`<svg onload="x()"/>`), ErrNotAllowed, "the element svg"},
	"svg by prefix":               {page(`<s:svg xmlns:s="http://www.w3.org/2000/svg"/>`), ErrNotAllowed, "an element that"},
	"math":                        {page(`<math xmlns="http://www.w3.org/1998/Math/MathML"><mi/></math>`), ErrNotAllowed, "an element that"},
	"script by prefix":            {page(`<h:script xmlns:h="http://www.w3.org/1999/xhtml">x()</h:script>`), ErrNotAllowed, "the element script"},
	"text by prefix":              {page(`<h:p xmlns:h="http://www.w3.org/1999/xhtml">x</h:p>`), ErrNotAllowed, "an attribute that"},
	"unbound prefix":              {page(`<h:p>x</h:p>`), ErrNotAllowed, "an element that"},
	"namespace taken away":        {page(`<p xmlns="">x</p>`), ErrNotAllowed, "an element that"},
	"xlink":                       {page(`<a xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="javascript:x()">a</a>`), ErrNotAllowed, "an attribute that"},
	"two prefixes, one attribute": {page(`<p xmlns:a="u" xmlns:b="u" a:id="1" b:id="2">x</p>`), ErrSyntax, ""},
	"entity":                      {`<!DOCTYPE html [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + page(`&e;`), ErrDirective, ""},
	"billion laughs": {`<!DOCTYPE html [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>` +
		page(`&c;`), ErrDirective, ""},
	"entity without declaration":      {page(`&e;`), ErrSyntax, ""},
	"CDATA":                           {page(`<![CDATA[text]]>`), ErrDirective, ""},
	"CDATA that HTML ends":            {page(`<![CDATA[><script>alert(1)</script>]]>`), ErrDirective, ""},
	"comment that HTML ends":          {page(`<!--><script>alert(1)</script>-->`), ErrDirective, ""},
	"comment with two hyphens":        {page(`<!-- a -- b -->`), ErrSyntax, ""},
	"conditional comment":             {page(`<!--[if IE]><script>alert(1)</script><![endif]-->`), ErrDirective, ""},
	"instruction":                     {page(`<?xml-stylesheet href="https://example.org/x.xsl"?>`), ErrDirective, ""},
	"vast cell":                       {page(`<table><tr><td colspan="99999999">a</td></tr></table>`), ErrNotAllowed, "colspan"},
	"name of the document's own":      {page(`<virtanen>a</virtanen>`), ErrNotAllowed, "an element that"},
	"attribute of the document's own": {page(`<p virtanen="a">a</p>`), ErrNotAllowed, "an attribute that"},
	"UTF-7":                           {page(`+ADw-script+AD4-alert(1)`) + "\xff", ErrNotUTF8, ""},
	"overlong":                        {page("\xc0\xbcscript\xc0\xbe"), ErrNotUTF8, ""},
	"bare less-than":                  {page(`<p title="<script>">a</p>`), ErrSyntax, ""},
}

func TestXHTMLAttacks(t *testing.T) {
	for name, attack := range attacks {
		err := XHTML([]byte(attack.text))
		if !errors.Is(err, attack.want) {
			t.Errorf("%s: got %v, want %v", name, err, attack.want)
			continue
		}
		if !strings.Contains(err.Error(), attack.says) || strings.Contains(err.Error(), "virtanen") {
			t.Errorf("%s: says %q, want %q in it", name, err, attack.says)
		}
	}
}

// FuzzXHTMLIsHarmlessAsHTML reads what has passed as browsers read HTML: whatever they make of it is on
// the list still.
func FuzzXHTMLIsHarmlessAsHTML(f *testing.F) {
	for _, attack := range attacks {
		f.Add([]byte(attack.text))
	}
	f.Add([]byte(page(`<table><p>a</p><tr><td/></tr></table><a href="#x"><a href="#y">b</a></a><title/><pre>&#10;</pre>`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if XHTML(data) != nil {
			return
		}
		root, err := html.Parse(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for node := range root.Descendants() {
			if node.Type != html.ElementNode {
				continue
			}
			if !elements[node.Data] || node.Namespace != "" {
				t.Fatalf("HTML has the element %s %s", node.Namespace, node.Data)
			}
			for _, a := range node.Attr {
				valid := everywhere[a.Key]
				if valid == nil {
					valid = attributes[node.Data][a.Key]
				}
				if a.Key != "xmlns" && a.Key != "xml:lang" && (valid == nil || !valid(a.Val)) {
					t.Fatalf("HTML has the attribute %s of %s", a.Key, node.Data)
				}
			}
		}
	})
}

func BenchmarkXHTML(b *testing.B) {
	text, err := os.ReadFile("../catalog/examples/case-note.xhtml")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := XHTML(text); err != nil {
			b.Fatal(err)
		}
	}
}
