// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logreport

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
)

// texts of the page for a person.
var texts = struct {
	title, covers, client, registry, period, units, special, made, madeBy, about, confidential, uses, none,
	time, who, what, outcome, ground, organizerSystem, archive, organization, unit, role, professional, documents, withheld, withheldCount words
}{
	title:           words{"Selvitys asiakastietojen käytöstä", "Utredning om användningen av klientuppgifter", "Report on the use of client data"},
	covers:          words{"Mitä selvitys koskee", "Vad utredningen gäller", "What the report covers"},
	client:          words{"Asiakkaan tunniste rekisterissä", "Klientens identifierare i registret", "The client's identifier in the registry"},
	registry:        words{"Rekisteri", "Register", "Registry"},
	period:          words{"Ajanjakso", "Period", "Period"},
	units:           words{"Yksiköt", "Enheter", "Units"},
	special:         words{"Erityinen syy yli kahden vuoden ajanjaksolle", "Särskilt skäl till en period på över två år", "Special reason for a period of more than two years"},
	made:            words{"Laadittu", "Uppgjord", "Made"},
	madeBy:          words{"Laatija", "Uppgjord av", "Made by"},
	about:           words{"Taulukossa on jokainen kerta, jolloin tietojasi on käytetty tai yritetty käyttää tässä rekisterissä: milloin, kuka, mitä tehtiin, miten kävi ja millä perusteella. Mukana ovat palvelunjärjestäjä ja kaikki palveluntuottajien yksiköt. Estetty yritys tarkoittaa, että arkisto ei antanut tietoja.", "Tabellen visar varje gång som uppgifter om dig har använts, eller någon har försökt använda dem, i detta register: när, vem, vad som gjordes, hur det gick och på vilken grund. Serviceanordnaren och alla serviceproducenters enheter är med. Ett nekat försök betyder att arkivet inte lämnade ut uppgifter.", "The table has each time that data about you were used, or somebody tried to use them, in this registry: when, who, what was done, how it ended and on what ground. The organizer and all units of service producers are in it. A refused try means that the archive gave no data."},
	confidential:    words{"Lokitiedot ovat salassa pidettäviä. Saat käyttää niitä vain omien oikeuksiesi selvittämiseen.", "Logguppgifterna är sekretessbelagda. Du får använda dem endast för att utreda dina egna rättigheter.", "The log data are confidential. You may use them only to clarify your own rights."},
	uses:            words{"Tietojen käyttö", "Användningen av uppgifter", "Use of the data"},
	none:            words{"Ajanjaksolla ei ole kerrottavia merkintöjä.", "Det finns inga anteckningar att visa för perioden.", "There are no entries to show for the period."},
	time:            words{"Aika", "Tid", "Time"},
	who:             words{"Kuka", "Vem", "Who"},
	what:            words{"Mitä", "Vad", "What"},
	outcome:         words{"Lopputulos", "Utfall", "Outcome"},
	ground:          words{"Peruste", "Grund", "Ground"},
	organizerSystem: words{"Palvelunjärjestäjä", "Serviceanordnaren", "The organizer"},
	archive:         words{"Arkisto", "Arkivet", "The archive"},
	organization:    words{"organisaatio", "organisation", "organization"}, //nolint:misspell // Swedish.
	unit:            words{"Palveluyksikkö", "Serviceenhet", "Service unit"},
	role:            words{"rooli", "roll", "role"},
	professional:    words{"ammattihenkilö", "yrkesutbildad person", "professional"},
	documents:       words{"asiakirjoja", "handlingar", "documents"},
	withheld:        words{"Merkinnät, joita ei anneta", "Anteckningar som inte lämnas ut", "Entries that are withheld"},
	withheldCount:   words{"Merkintöjä: %d. Päätös: %s. Syy: %s.", "Anteckningar: %d. Beslut: %s. Skäl: %s.", "Entries: %d. Decision: %s. Reason: %s."},
}

// XHTML gives the report as a page for a person. It names the unit and the role in which somebody acted, and the
// professional only if it is asked to: who the person was is for the organizer to weigh against the worker's own right
// to data protection, and the JSON always has it.
func XHTML(r *Report, lang access.Lang, nameProfessionals bool) []byte {
	p := &page{lang: lang, named: nameProfessionals}
	p.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	p.raw(`<html xmlns="http://www.w3.org/1999/xhtml" lang="` + lang.String() + `" xml:lang="` + lang.String() + `">` + "\n<head><meta charset=\"utf-8\"/>")
	p.element("title", texts.title.in(lang))
	p.raw("</head>\n<body>\n")
	p.element("h1", texts.title.in(lang))
	p.head(r)
	p.element("p", texts.about.in(lang))
	p.element("p", texts.confidential.in(lang))
	p.element("h2", texts.uses.in(lang))
	p.entries(r.Entries)
	p.withheld(r.Withheld)
	p.raw("</body>\n</html>\n")
	return []byte(p.b.String())
}

// page is XHTML under construction.
type page struct {
	b     strings.Builder
	lang  access.Lang
	named bool
}

// raw adds markup; what comes from elsewhere goes through text.
func (p *page) raw(markup string) { p.b.WriteString(markup) }

func (p *page) text(text string) { _ = xml.EscapeText(&p.b, []byte(text)) } // a Builder takes all

func (p *page) element(name, text string) {
	p.raw("<" + name + ">")
	p.text(text)
	p.raw("</" + name + ">\n")
}

func (p *page) moment(t time.Time) {
	p.raw(`<time datetime="` + t.UTC().Format(time.RFC3339Nano) + `">`)
	p.text(p.localTime(t))
	p.raw("</time>")
}

func (p *page) localTime(t time.Time) string {
	layout := "2.1.2006 15.04.05"
	if p.lang == access.English {
		layout = "2 January 2006 15:04:05"
	}
	return t.In(finland).Format(layout)
}

func (p *page) day(d catalog.Day) string {
	layout := "2.1.2006"
	if p.lang == access.English {
		layout = "2 January 2006"
	}
	return midnight(d, 0).In(finland).Format(layout)
}

func (p *page) head(r *Report) {
	p.element("h2", texts.covers.in(p.lang))
	p.raw("<dl>\n")
	line := func(name words, value string) {
		p.element("dt", name.in(p.lang))
		p.element("dd", value)
	}
	line(texts.client, r.Client.String())
	line(texts.registry, r.Registry)
	line(texts.period, p.day(r.From)+" – "+p.day(r.Until))
	if len(r.Units) > 0 {
		line(texts.units, strings.Join(r.Units, ", "))
	}
	if r.SpecialReason != "" {
		line(texts.special, r.SpecialReason)
	}
	line(texts.made, p.localTime(r.MadeAt))
	line(texts.madeBy, strings.Join(p.party(&r.MadeBy, false), ", "))
	p.raw("</dl>\n")
}

// party tells who somebody is.
func (p *page) party(by *Party, archive bool) (parts []string) {
	switch {
	case archive:
		return []string{texts.archive.in(p.lang)}
	case by.Unit != "":
		parts = append(parts, texts.unit.in(p.lang)+" "+by.Unit)
		if by.Organization != "" {
			parts = append(parts, texts.organization.in(p.lang)+" "+by.Organization)
		}
	default:
		parts = append(parts, strings.TrimSpace(texts.organizerSystem.in(p.lang)+" "+by.Organization))
	}
	if by.RoleName != "" {
		parts = append(parts, texts.role.in(p.lang)+" "+by.RoleName)
	}
	if p.named && by.Professional != "" {
		parts = append(parts, texts.professional.in(p.lang)+" "+by.Professional)
	}
	return parts
}

func (p *page) entries(entries []Entry) {
	if len(entries) == 0 {
		p.element("p", texts.none.in(p.lang))
		return
	}
	p.raw("<table>\n<thead><tr>")
	for _, column := range []words{texts.time, texts.who, texts.what, texts.outcome, texts.ground} {
		p.raw(`<th scope="col">`)
		p.text(column.in(p.lang))
		p.raw("</th>")
	}
	p.raw("</tr></thead>\n<tbody>\n")
	for i := range entries {
		p.entry(&entries[i])
	}
	p.raw("</tbody>\n</table>\n")
}

func (p *page) entry(e *Entry) {
	p.raw("<tr><td>")
	p.moment(e.Time)
	p.raw("</td><td>")
	p.text(strings.Join(p.party(&e.Party, e.Ground != nil && e.Ground.Kind == GroundArchive), ", "))
	p.raw("</td><td>")
	p.text(e.OperationText)
	if n := len(e.Documents); n > 1 {
		p.text(" (" + strconv.Itoa(n) + " " + texts.documents.in(p.lang) + ")")
	}
	p.raw("</td><td>")
	p.text(e.OutcomeText)
	p.raw("</td><td>")
	if e.Ground != nil {
		p.text(e.Ground.Text)
	}
	p.raw("</td></tr>\n")
}

func (p *page) withheld(withheld []Withheld) {
	if len(withheld) == 0 {
		return
	}
	p.element("h2", texts.withheld.in(p.lang))
	p.raw("<ul>\n")
	for _, w := range withheld {
		p.element("li", fmt.Sprintf(texts.withheldCount.in(p.lang), w.Entries, w.Decision, w.ReasonText))
	}
	p.raw("</ul>\n")
}
