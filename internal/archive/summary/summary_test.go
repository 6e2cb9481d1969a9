// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package summary

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

var languages = []access.Lang{access.Finnish, access.Swedish, access.English}

var noNames = Names{ServiceTask: func(string) string { return "" }, DocumentType: func(string) string { return "" }}

var noon = time.Date(2026, 3, 5, 10, 15, 0, 0, time.UTC)

// texts gives the texts of elements by name, in their order.
func texts(t testing.TB, page []byte) map[string][]string {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(page))
	found := map[string][]string{}
	var open []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
			found[e.Name.Local] = append(found[e.Name.Local], "")
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, name := range open {
				found[name][len(found[name])-1] += string(e)
			}
		}
	}
}

func TestEveryLanguageHasEveryWord(t *testing.T) {
	for _, lang := range languages {
		w := reflect.ValueOf(*wordsOf(lang))
		for i := range w.NumField() {
			if w.Field(i).String() == "" {
				t.Errorf("%v lacks %s", lang, w.Type().Field(i).Name)
			}
		}
	}
}

func TestEmptySectionsAreSaidToBeEmpty(t *testing.T) {
	for _, lang := range languages {
		s := &Summary{Client: uuid.New(), Registry: "1.2.3", Organizer: "1.2.4", MadeAt: noon}
		page := s.XHTML(lang, noNames)
		if err := wellformed.XHTML(page); err != nil {
			t.Errorf("%v: %v", lang, err)
		}
		w := wordsOf(lang)
		want := []string{w.noMatters, w.noRelationships, w.noDecisions, w.noPlans, w.noDocuments, w.total + ": 0"}
		if got := texts(t, page)["p"]; !slices.Equal(got, want) {
			t.Errorf("%v: %q", lang, got)
		}
		if !strings.Contains(string(page), ` lang="`+lang.String()+`" xml:lang="`+lang.String()+`"`) {
			t.Errorf("%v: %s", lang, page)
		}
	}
}

func TestAPersonReadsWhatThereIs(t *testing.T) {
	end := noon.AddDate(0, 3, 0)
	id := uuid.New()
	s := &Summary{
		Client: uuid.New(), Registry: "1.2.3", Organizer: "1.2.4", MadeAt: noon, NonDisclosure: true,
		Matters: []Matter{{ID: "m-1", ServiceTasks: []string{"a", "b"}, OpenedAt: noon}},
		Relationships: []Relationship{
			{Unit: "1.2.5", ServiceTasks: []string{"a"}, Start: noon}, {Unit: "1.2.6", ServiceTasks: []string{"x"}, Start: noon, End: &end},
		},
		Decisions: []Document{{ID: id, Type: "decision", Created: noon, ServiceTasks: []string{"a"}, Organization: "1.2.4", Matter: "m-1", Masked: true}},
		Counts:    []Count{{"decision", 12}, {"other", 1}}, Total: 13,
	}
	page := s.XHTML(access.Finnish, Names{
		ServiceTask:  func(code string) string { return map[string]string{"a": "Työikäisten palvelut", "b": "B & C"}[code] },
		DocumentType: func(code string) string { return map[string]string{"decision": "Päätös"}[code] },
	})
	found := texts(t, page)
	if want := []string{
		"m-1", "Työikäisten palvelut, B & C", "5.3.2026 12.15",
		"1.2.5", "Työikäisten palvelut", "5.3.2026 12.15", "toistaiseksi", "1.2.6", "x", "5.3.2026 12.15", "5.6.2026 13.15",
		"Päätös (yhteystiedot peitetty)", "Työikäisten palvelut", "5.3.2026 12.15", "1.2.4", "m-1", id.String(),
		"Päätös", "12", "other", "1",
	}; !slices.Equal(found["td"], want) {
		t.Errorf("the cells are %q", found["td"])
	}
	if !slices.Equal(found["strong"], []string{"Asiakkaalla on turvakielto."}) || !slices.Equal(found["p"], []string{"Asiakkaalla on turvakielto.", "Ei suunnitelmia.", "Asiakirjoja yhteensä: 13"}) {
		t.Errorf("said: %q", found["p"])
	}
	if !slices.Equal(found["h1"], []string{"Asiakastiedon kooste"}) || len(found["h2"]) != 5 || len(found["table"]) != 4 {
		t.Errorf("headings %q %q", found["h1"], found["h2"])
	}
}

// Whatever is in it, the page is one that the archive itself would take, and shows that and no markup of its own.
func TestEveryPageIsWellFormedAndEscaped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string {
			return rapid.SampledFrom([]string{"a", `<script>alert("x")</script>`, `" onclick="x`, "]]>", "&amp;", "ä😀", "\x00\x0b", "\xff", "'", "<!--", ""}).Draw(t, label) +
				rapid.String().Draw(t, label)
		}
		list := func(label string) []string { return []string{text(label), text(label)} }
		s := &Summary{Client: uuid.New(), Registry: text("registry"), Organizer: text("organizer"), MadeAt: noon, NonDisclosure: true}
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			s.Matters = append(s.Matters, Matter{ID: text("matter"), ServiceTasks: list("task"), OpenedAt: noon})
			s.Relationships = append(s.Relationships, Relationship{Unit: text("unit"), ServiceTasks: list("task"), Start: noon})
			s.Plans = append(s.Plans, Document{ID: uuid.New(), Type: text("type"), ServiceTasks: list("task"), Organization: text("organization"), Matter: text("matter")})
			s.Counts = append(s.Counts, Count{text("type"), 1})
		}
		name := func(code string) string { return text("name") }
		page := s.XHTML(rapid.SampledFrom(languages).Draw(t, "language"), Names{ServiceTask: name, DocumentType: name})
		if err := wellformed.XHTML(page); err != nil {
			t.Fatalf("%v: %s", err, page)
		}
		if rows := strings.Count(string(page), "<tr>"); rows != 4*len(s.Matters)+4*min(len(s.Matters), 1) || bytes.Contains(page, []byte("<script")) {
			t.Fatalf("%d rows: %s", rows, page)
		}
	})
}
