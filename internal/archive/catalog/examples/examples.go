// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package examples has a document of each type of the stand-in catalog. People, places and companies in
// them are made up.
package examples

import (
	"embed"
	"encoding/json"
	"strings"
)

//go:embed *.json *.xhtml
var files embed.FS

// JSON gives the structured example of a document type.
func JSON(documentType string) []byte { return file(documentType + ".json") }

// CaseNoteXHTML gives the case note as people read it.
func CaseNoteXHTML() []byte { return file("case-note.xhtml") }

// CaseNote gives a structured case note of exactly that many bytes, 4,096 to 60,000, as long entries are:
// more parts, each of some sentences.
func CaseNote(size int) []byte {
	const partSize = 1200
	var note map[string]any
	if err := json.Unmarshal(JSON("case-note"), &note); err != nil {
		panic("examples: the case note is tested: " + err.Error())
	}
	parts := note["sections"].([]any)
	sentences, _ := note["text"].(string)
	part := func(bytes int) any {
		return map[string]any{"heading": "Havaintoja", "text": strings.Repeat(ascii(sentences)+" ", bytes/100+1)[:bytes]}
	}
	for {
		note["sections"] = parts
		raw := encode(note)
		missing := size - len(raw)
		switch empty := len(encode(part(1))); {
		case missing == 0:
			return raw
		case missing < 0:
			panic("examples: a case note is not that short")
		case missing > 2*partSize:
			parts = append(parts, part(partSize))
		default: // the comma before it, and the one character that was counted
			parts = append(parts, part(missing-empty))
		}
	}
}

// ascii leaves the other characters out, so that text can be cut anywhere.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return -1
		}
		return r
	}, text)
}

func encode(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic("examples: what was decoded is encoded: " + err.Error())
	}
	return raw
}

func file(name string) []byte {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic("examples: " + err.Error())
	}
	return raw
}
