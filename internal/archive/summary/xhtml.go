// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package summary

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the image has no zone files

	"github.com/valtuus/valtuus/internal/access"
)

// Names gives what service tasks and document types are called in the language of a summary; "" where it has none.
type Names struct {
	ServiceTask, DocumentType func(code string) string
}

// XHTML gives the summary as people read it, in the language.
func (s *Summary) XHTML(lang access.Lang, names Names) []byte {
	w := &page{words: wordsOf(lang), names: names}
	tag := lang.String()
	w.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.open("html", `xmlns="http://www.w3.org/1999/xhtml"`, attribute("lang", tag), attribute("xml:lang", tag))
	w.open("head")
	w.raw(`<meta charset="utf-8"/>`)
	w.element("title", w.words.title)
	w.end("head")
	w.open("body")
	w.element("h1", w.words.title)
	w.open("dl")
	for _, line := range [][2]string{
		{w.words.client, s.Client.String()}, {w.words.registry, s.Registry}, {w.words.organizer, s.Organizer},
	} {
		w.element("dt", line[0])
		w.element("dd", line[1])
	}
	w.element("dt", w.words.madeAt)
	w.open("dd")
	w.moment(s.MadeAt)
	w.end("dd")
	w.end("dl")
	if s.NonDisclosure {
		w.open("p")
		w.element("strong", w.words.nonDisclosure)
		w.end("p")
	}
	w.matters(s.Matters)
	w.relationships(s.Relationships)
	w.documents(w.words.decisions, w.words.noDecisions, s.Decisions)
	w.documents(w.words.plans, w.words.noPlans, s.Plans)
	w.counts(s)
	w.end("body")
	w.end("html")
	w.raw("\n")
	return w.out.Bytes()
}

// page writes XHTML. Whatever is not its own markup goes through text or attribute, which escape it.
type page struct {
	out   bytes.Buffer
	words *words
	names Names
}

func (w *page) raw(markup string) { w.out.WriteString(markup) }

func (w *page) open(name string, attributes ...string) {
	w.raw("<" + strings.Join(append([]string{name}, attributes...), " ") + ">")
}

func (w *page) end(name string) { w.raw("</" + name + ">") }

func (w *page) text(text string) { w.raw(escaped(text)) }

func (w *page) element(name, text string) {
	w.open(name)
	w.text(text)
	w.end(name)
}

func attribute(name, value string) string { return name + `="` + escaped(value) + `"` }

// escaped gives text as it stands in markup. What XML cannot hold becomes a replacement character.
func escaped(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a Builder takes everything
	return out.String()
}

// finland is the zone that people read times in.
var finland = func() *time.Location {
	location, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		panic("summary: time/tzdata is built in: " + err.Error())
	}
	return location
}()

// moment writes a time, for people in Finnish time.
func (w *page) moment(t time.Time) {
	w.open("time", attribute("datetime", t.UTC().Format(time.RFC3339)))
	w.text(t.In(finland).Format(w.words.timeLayout))
	w.end("time")
}

// section writes a heading, then a table of rows, or that there are none.
func (w *page) section(heading, none string, rows int, columns []string, row func(i int)) {
	w.open("section")
	w.element("h2", heading)
	if rows == 0 {
		w.element("p", none)
		w.end("section")
		return
	}
	w.raw("<table><thead><tr>")
	for _, column := range columns {
		w.open("th", `scope="col"`)
		w.text(column)
		w.end("th")
	}
	w.raw("</tr></thead><tbody>")
	for i := range rows {
		w.open("tr")
		row(i)
		w.end("tr")
	}
	w.raw("</tbody></table>")
	w.end("section")
}

func (w *page) cell(text string) { w.element("td", text) }

func (w *page) timeCell(t time.Time) {
	w.open("td")
	w.moment(t)
	w.end("td")
}

// tasks names service tasks.
func (w *page) tasks(codes []string) string {
	named := make([]string, len(codes))
	for i, code := range codes {
		named[i] = called(w.names.ServiceTask, code)
	}
	return strings.Join(named, ", ")
}

// called gives the name of a code, or the code for what has none.
func called(name func(string) string, code string) string {
	if text := name(code); text != "" {
		return text
	}
	return code
}

func (w *page) matters(matters []Matter) {
	w.section(w.words.matters, w.words.noMatters, len(matters),
		[]string{w.words.matter, w.words.serviceTasks, w.words.opened}, func(i int) {
			w.cell(matters[i].ID)
			w.cell(w.tasks(matters[i].ServiceTasks))
			w.timeCell(matters[i].OpenedAt)
		})
}

func (w *page) relationships(relationships []Relationship) {
	w.section(w.words.relationships, w.words.noRelationships, len(relationships),
		[]string{w.words.unit, w.words.serviceTasks, w.words.since, w.words.until}, func(i int) {
			r := &relationships[i]
			w.cell(r.Unit)
			w.cell(w.tasks(r.ServiceTasks))
			w.timeCell(r.Start)
			if r.End == nil {
				w.cell(w.words.openEnded)
				return
			}
			w.timeCell(*r.End)
		})
}

func (w *page) documents(heading, none string, documents []Document) {
	w.section(heading, none, len(documents),
		[]string{w.words.document, w.words.serviceTasks, w.words.created, w.words.author, w.words.matter, w.words.id}, func(i int) {
			d := &documents[i]
			name := called(w.names.DocumentType, d.Type)
			if d.Masked {
				name += " (" + w.words.masked + ")"
			}
			w.cell(name)
			w.cell(w.tasks(d.ServiceTasks))
			w.timeCell(d.Created)
			author := d.Unit
			if author == "" {
				author = d.Organization
			}
			w.cell(author)
			w.cell(d.Matter)
			w.cell(d.ID.String())
		})
}

func (w *page) counts(s *Summary) {
	w.section(w.words.counts, w.words.noDocuments, len(s.Counts), []string{w.words.document, w.words.count}, func(i int) {
		w.cell(called(w.names.DocumentType, s.Counts[i].Type))
		w.cell(strconv.Itoa(s.Counts[i].Count))
	})
	w.element("p", w.words.total+": "+strconv.Itoa(s.Total))
}
