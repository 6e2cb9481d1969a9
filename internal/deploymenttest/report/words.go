// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import "github.com/valtuus/valtuus/api/v1alpha1"

var title = Text{"Käyttöönottokokeen raportti", "Rapport om ibruktagningsprov", "Report of a deployment test"}

var simulated = Text{
	"SIMULOITU KOE: ohjelma esitti molempia osapuolia. Osapuolten omat asiakastietojärjestelmät eivät olleet mukana.",
	"SIMULERAT PROV: ett program spelade båda parterna. Parternas egna klientdatasystem deltog inte.",
	"SIMULATED TEST: a program played both parties. The parties' own client systems took no part.",
}

var results = map[v1alpha1.DeploymentTestResult]Text{
	v1alpha1.ResultPassed: {"Hyväksytty", "Godkänt", "Passed"},
	v1alpha1.ResultFailed: {"Hylätty", "Underkänt", "Failed"},
}

var stepTitles = map[v1alpha1.TestStepName]Text{
	v1alpha1.StepRelationshipStored: {
		"Järjestäjä tallensi asiakkuusasiakirjan, jossa palveluyksikkö nimetään, ja asiakirjan tuottajan luettavaksi",
		"Serviceanordnaren sparade en klientrelationshandling som namnger enheten och en handling för producenten att läsa",
		"The organizer stored a client relationship document that names the unit, and a document for the producer to read",
	},
	v1alpha1.StepProducerSearched: {"Tuottaja haki asiakkaan asiakirjoja", "Producenten sökte klientens handlingar", "The producer searched the client's documents"},
	v1alpha1.StepProducerRead:     {"Tuottaja luki järjestäjän tallentaman asiakirjan", "Producenten läste en handling som serviceanordnaren hade sparat", "The producer read a document that the organizer had stored"},
	v1alpha1.StepProducerStored:   {"Tuottaja tallensi asiakirjan", "Producenten sparade en handling", "The producer stored a document"},
	v1alpha1.StepOrganizerSearched: {
		"Järjestäjä haki asiakkaan asiakirjoja", "Serviceanordnaren sökte klientens handlingar", "The organizer searched the client's documents",
	},
	v1alpha1.StepOrganizerRead:     {"Järjestäjä luki tuottajan tallentaman asiakirjan", "Serviceanordnaren läste handlingen som producenten hade sparat", "The organizer read the document that the producer had stored"},
	v1alpha1.StepRelationshipEnded: {"Järjestäjä päätti asiakkuuden", "Serviceanordnaren avslutade klientrelationen", "The organizer ended the relationship"},
	v1alpha1.StepProducerRefused:   {"Tuottajan seuraava pyyntö evättiin", "Producentens nästa begäran nekades", "The producer's next request was refused"},
}

// labels are the words of the view.
var labels = map[string]Text{
	"result": {"Tulos", "Resultat", "Result"}, "test": {"Koe", "Prov", "Test"},
	"registry": {"Rekisteri, jota varten", "Registret som provet gäller", "Registry it is for"}, "task": {"Palvelutehtävä", "Serviceuppgift", "Service task"},
	"organizer": {"Palvelunjärjestäjä", "Serviceanordnare", "Organizer"}, "producer": {"Palveluntuottaja", "Tjänsteproducent", "Producer"},
	"unit": {"Palveluyksikkö", "Serviceenhet", "Producer unit"}, "systems": {"Asiakastietojärjestelmät", "Klientdatasystem", "Client systems"},
	"vendor": {"Toimittaja", "Leverantör", "Vendor"}, "product": {"Tuote", "Produkt", "Product"}, "version": {"Versio", "Version", "Version"},
	"party": {"Osapuoli", "Part", "Party"}, "times": {"Ajat (UTC)", "Tider (UTC)", "Times (UTC)"}, "agreed": {"Sovittu alku", "Avtalad början", "Agreed start"},
	"opened": {"Koeaika alkoi", "Provtiden började", "Window opened"}, "closed": {"Koeaika päättyi", "Provtiden slutade", "Window closed"},
	"passed": {"Viimeinen vaihe nähtiin", "Sista steget sågs", "Last step seen"}, "signed": {"Allekirjoitettu", "Undertecknad", "Signed"},
	"extended": {"Jatkettu", "Förlängd till", "Extended until"}, "steps": {"Vaiheet", "Steg", "Steps"}, "step": {"Vaihe", "Steg", "Step"},
	"state": {"Tila", "Läge", "State"}, "seen": {"Nähty (UTC)", "Sett (UTC)", "Seen (UTC)"}, "evidence": {"Näyttö", "Bevis", "Evidence"},
	"leaf":       {"lokin lehti", "loggens löv", "leaf of the log"},
	"checkpoint": {"Käyttölokin allekirjoitettu tarkistuspiste", "Användningsloggens undertecknade kontrollpunkt", "Signed checkpoint of the use log"},
	"destroyed":  {"Koerekisterin tiedot hävitettiin", "Provregistrets uppgifter utplånades", "The test registry's data was destroyed"},
	"documents":  {"asiakirjaa", "handlingar", "documents"}, "clients": {"asiakasta", "klienter", "clients"},
	"verify": {
		"Allekirjoitettu raportti on tiedostossa report.jws. Sen tarkistaa komento valtuus tests verify.",
		"Den undertecknade rapporten finns i filen report.jws. Kommandot valtuus tests verify kontrollerar den.",
		"The signed report is the file report.jws. The command valtuus tests verify checks it.",
	},
}

var states = map[v1alpha1.TestStepState]Text{
	v1alpha1.StepSeen:    {"nähty", "sett", "seen"},
	v1alpha1.StepPending: {"odottaa", "väntar", "pending"},
	v1alpha1.StepFailed:  {"epäonnistui", "misslyckades", "failed"},
}
