// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package summary

import "github.com/valtuus/valtuus/internal/access"

// words are the texts of a summary in one language.
type words struct {
	title, client, registry, organizer, madeAt, nonDisclosure string

	matters, noMatters, matter, opened                            string
	relationships, noRelationships, unit, since, until, openEnded string
	decisions, noDecisions, plans, noPlans                        string
	document, created, author, id, masked                         string
	counts, noDocuments, count, total, serviceTasks, timeLayout   string
}

func wordsOf(lang access.Lang) *words {
	switch lang {
	case access.Swedish:
		return &swedish
	case access.English:
		return &english
	default:
		return &finnish
	}
}

var finnish = words{
	title: "Asiakastiedon kooste", client: "Asiakas", registry: "Asiakasrekisteri", organizer: "Palvelunjärjestäjä",
	madeAt: "Koostettu", nonDisclosure: "Asiakkaalla on turvakielto.",
	matters: "Avoimet asiat", noMatters: "Ei avoimia asioita.", matter: "Asia", opened: "Avattu",
	relationships: "Voimassa olevat asiakkuudet", noRelationships: "Ei voimassa olevia asiakkuuksia.",
	unit: "Palveluyksikkö", since: "Alkaen", until: "Päättyy", openEnded: "toistaiseksi",
	decisions: "Viimeisimmät päätökset", noDecisions: "Ei päätöksiä.",
	plans: "Viimeisimmät suunnitelmat", noPlans: "Ei suunnitelmia.",
	document: "Asiakirja", created: "Laadittu", author: "Laatija", id: "Tunniste", masked: "yhteystiedot peitetty",
	counts: "Asiakirjat tyypeittäin", noDocuments: "Ei asiakirjoja.", count: "Määrä", total: "Asiakirjoja yhteensä",
	serviceTasks: "Palvelutehtävät", timeLayout: "2.1.2006 15.04",
}

var swedish = words{
	title: "Sammandrag av klientuppgifter", client: "Klient", registry: "Klientregister", organizer: "Serviceanordnare",
	madeAt: "Sammanställt", nonDisclosure: "Klienten har spärrmarkering.",
	matters: "Öppna ärenden", noMatters: "Inga öppna ärenden.", matter: "Ärende", opened: "Öppnat",
	relationships: "Gällande klientrelationer", noRelationships: "Inga gällande klientrelationer.",
	unit: "Serviceenhet", since: "Från och med", until: "Upphör", openEnded: "tills vidare",
	decisions: "De senaste besluten", noDecisions: "Inga beslut.",
	plans: "De senaste planerna", noPlans: "Inga planer.",
	document: "Handling", created: "Upprättad", author: "Upprättare", id: "Identifikator", masked: "kontaktuppgifterna maskerade",
	counts: "Handlingar efter typ", noDocuments: "Inga handlingar.", count: "Antal", total: "Handlingar sammanlagt",
	serviceTasks: "Serviceuppgifter", timeLayout: "2.1.2006 15.04",
}

var english = words{
	title: "Summary of client data", client: "Client", registry: "Client registry", organizer: "Organizer",
	madeAt: "Made", nonDisclosure: "The client is under a non-disclosure for personal safety.",
	matters: "Open matters", noMatters: "No open matters.", matter: "Matter", opened: "Opened",
	relationships: "Live service relationships", noRelationships: "No live service relationships.",
	unit: "Service unit", since: "Since", until: "Until", openEnded: "open-ended",
	decisions: "Latest decisions", noDecisions: "No decisions.",
	plans: "Latest plans", noPlans: "No plans.",
	document: "Document", created: "Authored", author: "Author", id: "Id", masked: "contact data masked",
	counts: "Documents by type", noDocuments: "No documents.", count: "Number", total: "Documents in all",
	serviceTasks: "Service tasks", timeLayout: "2 Jan 2006 15:04",
}
