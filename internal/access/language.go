// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import "golang.org/x/text/language"

// Lang is one of the languages that a refusal can be told in.
type Lang uint8

// The languages. Finnish is what a caller gets that asks for none of them.
const (
	// Finnish is suomi.
	Finnish Lang = iota
	// Swedish is svenska.
	Swedish
	// English is English.
	English
	langEnd
)

var langTags = [langEnd]language.Tag{Finnish: language.Finnish, Swedish: language.Swedish, English: language.English}

var langMatcher = language.NewMatcher(langTags[:])

// MatchLang picks the language that fits an Accept-Language header best.
func MatchLang(acceptLanguage string) Lang {
	_, i := language.MatchStrings(langMatcher, acceptLanguage)
	return Lang(i)
}

// String is the language's tag, as a Content-Language header writes it.
func (l Lang) String() string {
	if l >= langEnd {
		l = Finnish
	}
	return langTags[l].String()
}

// Text is what a person is told about a reason.
type Text struct {
	// Title names the reason in a few words.
	Title string
	// Detail tells which condition is missing and who can mend it.
	Detail string
}

var texts = [langEnd]*[reasonEnd]Text{Finnish: &textsFinnish, Swedish: &textsSwedish, English: &textsEnglish}

// Text is what a person is told about the reason, in the language.
func (r Reason) Text(lang Lang) Text {
	if lang >= langEnd {
		lang = Finnish
	}
	if r >= reasonEnd {
		r = 0
	}
	return texts[lang][r]
}
