// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import (
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"unicode"
)

// ErrNotAllowed means that there is an element, attribute or reference that documents may not have. Each
// such error is a *NotAllowedError.
var ErrNotAllowed = errors.New("has something that documents may not have")

// What a NotAllowedError is about.
const (
	NotAllowedElement   = "element"
	NotAllowedAttribute = "attribute"
	// NotAllowedValue is about the value of an attribute, such as a reference outside the document.
	NotAllowedValue = "value of the attribute"
)

// NotAllowedError tells what a document may not have.
type NotAllowedError struct {
	// Kind is one of the constants above.
	Kind string
	// Name is the element's or attribute's; empty if it is not a name of HTML, for it is then the
	// document's own text.
	Name string
}

// Error names the element or attribute.
func (e *NotAllowedError) Error() string {
	if e.Name == "" {
		return "has an " + e.Kind + " that is not on the list of what documents may have"
	}
	if e.Kind == NotAllowedValue {
		return "has a " + e.Kind + " " + e.Name + " that documents may not have"
	}
	return "has the " + e.Kind + " " + e.Name + ", which documents may not have"
}

// Is makes it an ErrNotAllowed.
func (*NotAllowedError) Is(target error) bool { return target == ErrNotAllowed }

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

var (
	// elements are those that a document may have.
	elements = words(`html head title meta body
		main header footer section article aside nav address div p hr br wbr pre blockquote h1 h2 h3 h4 h5 h6 hgroup
		ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr th td
		a span em strong b i u s small sub sup q cite abbr dfn code kbd samp var mark time bdi bdo ins del`)

	// everywhere are the attributes that any element may have, with what their values may be.
	everywhere = map[string]func(string) bool{"id": anyText, "class": anyText, "title": anyText, "lang": anyText, "dir": direction}

	// attributes are those of single elements.
	attributes = map[string]map[string]func(string) bool{
		"a":    {"href": fragment},
		"meta": {"charset": utf8Name},
		"td":   {"colspan": smallNumber, "rowspan": smallNumber, "headers": anyText},
		"th":   {"colspan": smallNumber, "rowspan": smallNumber, "headers": anyText, "scope": anyText},
		"time": {"datetime": anyText}, "ins": {"datetime": anyText}, "del": {"datetime": anyText},
	}

	// speakable are names that are HTML's or its neighbors', and so say nothing of a document's content.
	speakable = words(`applet area audio base basefont bgsound blink body button canvas data datalist details dialog embed
		fieldset figure figcaption font form frame frameset iframe img image input isindex keygen label layer legend link listing
		map marquee math menu menuitem meta meter noembed noframes noscript object optgroup option output param picture
		plaintext portal progress rp rt ruby script select slot source style summary svg template textarea tfoot track tt video xmp
		action align alt autofocus background bgcolor border cellpadding cellspacing charset cite color content contenteditable
		data datetime formaction headers height href http-equiv hidden is manifest media name nonce ping poster rel role
		rowspan scope size span src srcdoc srcset start tabindex target type usemap valign value width xmlns
		onabort onanimationend onanimationstart onauxclick onbeforeinput onbeforetoggle onblur oncancel onchange onclick onclose
		oncontextmenu oncopy oncut ondblclick ondrag ondrop onerror onfocus onfocusin oninput oninvalid onkeydown onkeypress
		onkeyup onload onmessage onmousedown onmouseenter onmousemove onmouseout onmouseover onmouseup onpaste onpointerdown
		onpointerover onreset onresize onscroll onselect onsubmit ontoggle ontouchstart ontransitionend onunload onwheel`)
)

func allowed(element xml.StartElement) error {
	if element.Name.Space != xhtmlNamespace {
		return &NotAllowedError{Kind: NotAllowedElement}
	}
	name := element.Name.Local
	if !elements[name] {
		return &NotAllowedError{NotAllowedElement, spoken(name)}
	}
	for _, attribute := range element.Attr {
		if err := allowedAttribute(name, attribute); err != nil {
			return err
		}
	}
	return nil
}

func allowedAttribute(element string, attribute xml.Attr) error {
	const xmlNamespace = "http://www.w3.org/XML/1998/namespace"
	var valid func(string) bool
	switch name := attribute.Name; {
	case name == xml.Name{Local: "xmlns"}:
		valid = anyText // it is the element's own namespace, which has been checked
	case name == xml.Name{Space: xmlNamespace, Local: "lang"}:
		valid = anyText
	case name.Space != "":
		return &NotAllowedError{Kind: NotAllowedAttribute} // declarations of prefixes, too
	default:
		if valid = everywhere[name.Local]; valid == nil {
			valid = attributes[element][name.Local]
		}
	}
	if valid == nil {
		return &NotAllowedError{NotAllowedAttribute, spoken(attribute.Name.Local)}
	}
	if !valid(attribute.Value) {
		return &NotAllowedError{NotAllowedValue, attribute.Name.Local}
	}
	return nil
}

// spoken gives a name that may be told.
func spoken(name string) string {
	if elements[name] || speakable[name] || everywhere[name] != nil {
		return name
	}
	return ""
}

func anyText(string) bool { return true }

func direction(value string) bool { return slices.Contains([]string{"ltr", "rtl", "auto"}, value) }

func utf8Name(value string) bool { return strings.EqualFold(value, "utf-8") }

// fragment takes references within the document.
func fragment(value string) bool {
	id, isFragment := strings.CutPrefix(value, "#")
	return isFragment && !strings.ContainsFunc(id, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.:", r)
	})
}

// smallNumber bounds how large a table a few bytes can make.
func smallNumber(value string) bool {
	return 0 < len(value) && len(value) <= 3 && !strings.ContainsFunc(value, func(r rune) bool { return r < '0' || '9' < r })
}
