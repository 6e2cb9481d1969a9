// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logreport

import (
	"slices"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// words are a text in Finnish, Swedish and English.
type words struct{ fi, sv, en string }

func (w words) in(lang access.Lang) string {
	switch lang {
	case access.English:
		return w.en
	case access.Swedish:
		return w.sv
	default:
		return w.fi
	}
}

// operationNames tell in plain words what was done, or tried.
var operationNames = map[string]words{
	"RegisterClient":      {"Asiakas kirjattiin rekisteriin", "Klienten fördes in i registret", "The client was entered in the registry"},
	"FindClient":          {"Asiakas haettiin henkilötunnuksella", "Klienten söktes med personbeteckning", "The client was looked up by personal identity code"},
	"Store":               {"Asiakirja tallennettiin", "En handling sparades", "A document was stored"},
	"Read":                {"Asiakirja luettiin", "En handling lästes", "A document was read"},
	"Search":              {"Asiakirjoja haettiin", "Handlingar söktes", "Documents were searched for"},
	"NewVersion":          {"Asiakirjasta tallennettiin uusi versio", "En ny version av en handling sparades", "A new version of a document was stored"},
	"Correct":             {"Asiakirja korjattiin", "En handling rättades", "A document was corrected"},
	"Annul":               {"Asiakirja mitätöitiin", "En handling makulerades", "A document was annulled"},
	"ReadMetadata":        {"Asiakirjan kuvailutiedot luettiin", "En handlings metadata lästes", "What is known of a document was read"},
	"ListVersions":        {"Asiakirjan versiot lueteltiin", "En handlings versioner listades", "The versions of a document were listed"},
	"ReadSignature":       {"Asiakirjan allekirjoitus luettiin", "En handlings underskrift lästes", "The signature of a document was read"},
	"Summary":             {"Asiakastiedoista tehtiin kooste", "Ett sammandrag av klientuppgifterna gjordes", "A summary of the client's data was made"},
	"Destroy":             {"Tietoja hävitettiin säilytysajan päätyttyä", "Uppgifter förstördes när förvaringstiden hade gått ut", "Data were destroyed at the end of their retention time"},
	"Explain":             {"Kysyttiin, sallittaisiinko tietojen käyttö", "Det frågades om användning skulle tillåtas", "It was asked whether use would be allowed"},
	"OpenMatter":          {"Asia avattiin", "Ett ärende öppnades", "A matter was opened"},
	"CloseMatter":         {"Asia päätettiin", "Ett ärende avslutades", "A matter was closed"},
	"ReopenMatter":        {"Asia avattiin uudelleen", "Ett ärende öppnades på nytt", "A matter was opened again"},
	"ReadMatter":          {"Asian tiedot luettiin", "Uppgifterna om ett ärende lästes", "What is known of a matter was read"},
	"SearchMatters":       {"Asioita haettiin", "Ärenden söktes", "Matters were searched for"},
	"ReadClient":          {"Asiakkaan tunnisteet ja perustiedot luettiin", "Klientens identifierare och basuppgifter lästes", "The client's identifiers and basic data were read"},
	"UpdateClient":        {"Asiakkaan perustietoja muutettiin", "Klientens basuppgifter ändrades", "The client's basic data were changed"},
	"ReplaceIdentity":     {"Asiakkaan tilapäinen tunniste korvattiin henkilötunnuksella", "Klientens tillfälliga identifikation ersattes med en personbeteckning", "The client's temporary identifier was replaced by a personal identity code"}, //nolint:misspell // Swedish.
	"RelationshipHistory": {"Asiakkuuksien historia luettiin", "Klientrelationernas historia lästes", "The history of service relationships was read"},
	"RelationshipReview":  {"Takautuvasti päättyneiden asiakkuuksien käyttö tarkistettiin", "Användningen under retroaktivt avslutade klientrelationer granskades", "The use under service relationships with a backdated end was reviewed"},
	"SearchLog":           {"Käyttölokia haettiin valvontaa varten", "Användningsloggen söktes för tillsyn", "The use log was searched for supervision"},
	"UnusualUse":          {"Käyttölokista etsittiin poikkeavaa käyttöä", "Användningsloggen granskades för avvikande användning", "The use log was looked through for unusual use"},
	"ExtractLog":          {"Käyttölokista tehtiin todistettava ote", "Ett bevisbart utdrag ur användningsloggen gjordes", "A provable extract of the use log was made"},
	"ReportLog":           {"Käyttölokista laadittiin selvitys asiakkaalle", "En utredning ur användningsloggen gjordes åt klienten", "A report of the use log was made for the client"},
	"WithholdLog":         {"Lokitietojen antamista rajoitettiin päätöksellä", "Utlämnandet av logguppgifter begränsades genom beslut", "Log entries were withheld by a decision"},
	"LiftWithholding":     {"Lokitietojen antamisen rajoitus poistettiin", "Begränsningen av logguppgifter hävdes", "The withholding of log entries was lifted"},
	"ListWithheld":        {"Lokitietojen rajoitukset lueteltiin", "Begränsningarna av logguppgifter listades", "The withholdings of log entries were listed"},
	"NewLogKey":           {"Uusi avain alkoi allekirjoittaa käyttölokia", "En ny nyckel började underteckna användningsloggen", "A new key began to sign the use log"},
	"DestroyLog":          {"Vanhentuneet lokitiedot hävitettiin", "Föråldrade logguppgifter förstördes", "Log entries past their retention time were destroyed"},
}

// HasWords tells whether an operation of the log has words of its own.
func HasWords(operation string) bool { return operationNames[operation] != (words{}) }

// operationWords gives the words for an operation, its name where there are none.
func operationWords(operation string) words {
	if w, known := operationNames[operation]; known {
		return w
	}
	return words{operation, operation, operation}
}

var outcomes = map[store.Outcome]words{
	store.OutcomeAllowed: {"Sallittu", "Tillåten", "Allowed"},
	store.OutcomeRefused: {"Estetty", "Nekad", "Refused"},
	store.OutcomeError:   {"Ei toteutunut", "Genomfördes inte", "Not carried out"},
}

// reasonTitle gives what a reason code is called, nothing for one that is none.
func reasonTitle(code string, lang access.Lang) string {
	if source, known := reasons[code]; known {
		return source.Text(lang).Title
	}
	return ""
}

var reasons = func() map[string]problem.Source {
	all := map[string]problem.Source{}
	for _, r := range access.Reasons() {
		all[r.Code()] = r
	}
	for _, k := range problem.Kinds() {
		all[k.Code()] = k
	}
	return all
}()

var grounds = map[GroundKind]words{
	GroundRelationship: {"Asiakkuus yksikössä ja yksikön rekisterinkäyttöoikeus", "Klientrelation i enheten och enhetens åtkomsträtt till registret", "The client's service relationship in the unit, and the unit's register access right"},
	GroundGrant:        {"Yksikön rekisterinkäyttöoikeus", "Enhetens åtkomsträtt till registret", "The unit's register access right"},
	GroundController:   {"Palvelunjärjestäjän oma työ rekisterinpitäjänä", "Serviceanordnarens eget arbete som personuppgiftsansvarig", "The organizer's own work as the controller of the registry"},
	GroundArchive:      {"Arkiston oma toiminta", "Arkivets egen verksamhet", "The archive's own rules"},
}

var userRight = words{"käyttöoikeus roolissa", "åtkomsträttighet i rollen", "user right in the role"}

// Reasons for withholding: what the law lets a request be refused for.
const (
	ReasonClientHealth   = "client-health-or-care"
	ReasonRightsOfOthers = "rights-of-others"
)

var withholdingReasons = map[string]words{
	ReasonClientHealth:   {"Tiedon antaminen voisi vaarantaa vakavasti asiakkaan terveyden tai hoidon", "Utlämnandet kunde allvarligt äventyra klientens hälsa eller vård", "Telling it could seriously endanger the client's health or care"},
	ReasonRightsOfOthers: {"Tiedon antaminen voisi vaarantaa vakavasti jonkun muun oikeuksia", "Utlämnandet kunde allvarligt äventyra någon annans rättigheter", "Telling it could seriously endanger the rights of someone else"},
}

// WithholdingReasons gives the codes of the reasons for withholding.
func WithholdingReasons() []string {
	all := []string{}
	for code := range withholdingReasons {
		all = append(all, code)
	}
	slices.Sort(all)
	return all
}

func withholdingWords(code string) words {
	if w, known := withholdingReasons[code]; known {
		return w
	}
	return words{code, code, code}
}
