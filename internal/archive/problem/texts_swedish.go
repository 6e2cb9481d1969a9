// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import "github.com/valtuus/valtuus/internal/access"

var textsSwedish = [kindEnd]access.Text{
	IdentityCodeInURL:         {Title: "En personbeteckning i adressen", Detail: "Begärans adress innehåller något som ser ut som en personbeteckning. Adresser hamnar i loggar, så sänd beteckningen i sökningens meddelandedel. Arkivet antecknade inte beteckningen, men kontrollera loggarna mellan ert system och arkivet."},
	IdentityCodeMisplaced:     {Title: "En personbeteckning på fel plats", Detail: "Ett fält som är avsett för något annat innehåller något som ser ut som en personbeteckning. Sänd beteckningen endast i fältet identityCode."},
	UnknownParameter:          {Title: "Okänd parameter", Detail: "Adressen har en frågeparameter som denna funktion inte känner till. En felstavad parameter förbigås aldrig, eftersom svaret då kunde innehålla mer än vad som begärdes."},
	InvalidParameter:          {Title: "Ogiltig parameter", Detail: "En parameter i begäran saknas, har getts två gånger eller har fel form. Svaret nämner parametern."},
	UnknownField:              {Title: "Okänt fält", Detail: "Begärans meddelandedel har ett fält som denna funktion inte känner till. Ett felstavat fält förbigås aldrig, eftersom svaret då kunde innehålla mer än vad som begärdes."},
	InvalidField:              {Title: "Ogiltigt fält", Detail: "Ett fält i begärans meddelandedel saknas eller har fel form. Svaret nämner fältet."},
	InvalidBody:               {Title: "Ogiltig meddelandedel", Detail: "Begärans meddelandedel ska vara ett JSON-objekt i UTF-8, med varje namn en gång."},
	IdentityCodeInvalid:       {Title: "Personbeteckningen är inte giltig", Detail: "Beteckningen är inte en giltig finländsk personbeteckning. Kontrollera att den är rätt skriven. Fältet hint anger vilken del som inte stämmer."},
	IdentityCodeNotTest:       {Title: "Inte en testbeteckning", Detail: "Detta är ett testregister. Det tar endast emot personbeteckningar i 900-serien, som inte tillhör någon."},
	DocumentMalformed:         {Title: "Handlingen är inte välformad", Detail: "Handlingen är inte välformad i det format som den uppges ha, så den sparades inte. Fältet hint anger vad som är fel."},
	ContentTypeUnsupported:    {Title: "Innehållstypen stöds inte", Detail: "En handling ska vara application/json eller application/xhtml+xml och övriga begärandens meddelandedel application/json, i UTF-8."},
	NotAcceptable:             {Title: "Handlingen är i ett annat format", Detail: "Handlingen har sparats i ett format som begäran inte godtar. Arkivet lämnar ut handlingar så som de sparades och omvandlar dem inte."},
	BodyTooLarge:              {Title: "Meddelandedelen är för stor", Detail: "En handling får vara högst 10 MiB och övriga begärandens meddelandedel högst 64 KiB."},
	DigestMismatch:            {Title: "Kondensatet stämmer inte", Detail: "De byte som nådde arkivet har inte det kondensat som begäran uppgav, så ingenting sparades. Sänd begäran på nytt."},
	CertificateUnrecognized:   {Title: "Certifikatet nämner ingen användare av arkivet", Detail: "Förbindelsens certifikat är utfärdat av arkivets certifikatutfärdare, men det nämner varken en serviceenhet eller en serviceanordnare. Använd det certifikat som levererades med åtkomsträtten till registret."},
	AssertionMalformed:        {Title: "Intyget om yrkesutbildad person har fel form", Detail: "Rubriken Professional-Assertion ska innehålla ett undertecknat intyg i den form som arkivets anvisning anger. Klientdatasystemets leverantör kan åtgärda detta."},
	AssertionAlgorithmRefused: {Title: "Intygets algoritm godtas inte", Detail: "Intyget om yrkesutbildad person är undertecknat med en algoritm som arkivet inte godtar eller som inte passar kortets nyckel. Klientdatasystemets leverantör kan åtgärda detta."},
	AssertionChainRefused:     {Title: "Yrkeskortet är inte betrott", Detail: "Certifikatet på yrkeskortet är inte giltigt nu, eller har utfärdats av en utfärdare som detta arkiv inte litar på. Kontrollera att kortet är giltigt."},
	AssertionSignatureInvalid: {Title: "Intygets underskrift är fel", Detail: "Intyget om yrkesutbildad person är inte undertecknat med nyckeln på det kort som det nämner, eller har ändrats i efterhand."},
	AssertionNotBound:         {Title: "Intyget hör till en annan förbindelse", Detail: "Intyget om yrkesutbildad person har gjorts för ett annat klientcertifikat än denna förbindelses. Klientdatasystemet ska göra det för det certifikat som används."},
	AssertionWrongAudience:    {Title: "Intyget gäller ett annat register", Detail: "Intyget om yrkesutbildad person har gjorts för ett annat klientregister än det i adressen."},
	AssertionLifetimeTooLong:  {Title: "Intyget gäller för länge", Detail: "Intyget om yrkesutbildad person får gälla i högst fem minuter."},
	AssertionExpired:          {Title: "Intyget har gått ut", Detail: "Intyget om yrkesutbildad person gäller inte längre. Klientdatasystemet ska göra ett nytt för varje begäran, och dess klocka ska gå rätt."},
	AssertionNotYetValid:      {Title: "Intyget gäller inte ännu", Detail: "Intyget om yrkesutbildad person är daterat i framtiden. Kontrollera klientdatasystemets klocka."},
	AssertionSubjectRefused:   {Title: "Den yrkesutbildade personens identifierare godtas inte", Detail: "Identifieraren eller rollen i intyget har fel form, är inte den på kortet eller ser ut som en personbeteckning. Använd den yrkesutbildade personens registreringsnummer."},
	AssertionReplayed:         {Title: "Intyget har redan använts", Detail: "Intyget om yrkesutbildad person gäller endast en begäran. Klientdatasystemet ska göra ett nytt för varje begäran."},
	TrustAnchorsMissing:       {Title: "Arkivet kan ännu inte kontrollera yrkeskort", Detail: "Arkivet har ännu inte fått veta vilka utfärdare som ger ut yrkeskort, så det svarar inte. Försök igen om en stund. Om detta fortsätter, kontakta arkivets driftspersonal."},
	DocumentNotFound:          {Title: "Handlingen finns inte", Detail: "Registret har ingen handling med denna identifierare som du får veta om."},
	ClientUnknown:             {Title: "Klienten finns inte", Detail: "Registret har ingen sådan klient. Serviceanordnaren registrerar klienten med personbeteckningen innan något kan sparas."},
	CursorInvalid:             {Title: "Markören hör inte hit", Detail: "Markören har inte getts till denna anropare för denna sökning, eller har ändrats på vägen. Börja sökningen från första sidan."},
	NotFound:                  {Title: "Ingenting på denna adress", Detail: "Arkivet har ingenting på denna adress. Gränssnittets beskrivning finns på /openapi.json."},
	MethodNotAllowed:          {Title: "Metoden är inte tillåten", Detail: "Denna adress tar inte emot denna metod. Rubriken Allow räknar upp de tillåtna."},
	LogUnavailable:            {Title: "Användningsloggen kan inte skrivas", Detail: "Varje användning av klientuppgifter ska antecknas innan den besvaras, och anteckningen kan inte göras nu. Därför besvaras ingenting. Försök igen om en stund. Om detta fortsätter, kontakta arkivets driftspersonal."},
	StoreUnavailable:          {Title: "Handlingsförrådet är inte tillgängligt", Detail: "Handlingar kan inte läsas eller skrivas nu. Ingenting sparades. Försök igen om en stund. Om detta fortsätter, kontakta arkivets driftspersonal."},
	InternalError:             {Title: "Ett fel i arkivet", Detail: "Arkivet kunde inte besvara begäran. Uppge identifieraren i detta svar för arkivets driftspersonal."},
}
