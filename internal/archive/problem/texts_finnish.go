// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import "github.com/valtuus/valtuus/internal/access"

var textsFinnish = [kindEnd]access.Text{
	IdentityCodeInURL:         {Title: "Henkilötunnus osoitteessa", Detail: "Pyynnön osoitteessa on merkkijono, joka näyttää henkilötunnukselta. Osoitteet päätyvät lokeihin, joten lähetä tunnus haun runko-osassa. Arkisto ei kirjannut osoitteen tunnusta, mutta tarkistakaa järjestelmänne ja arkiston väliset lokit."},
	IdentityCodeMisplaced:     {Title: "Henkilötunnus väärässä paikassa", Detail: "Muuhun tarkoitetussa kentässä on merkkijono, joka näyttää henkilötunnukselta. Lähetä tunnus vain kentässä identityCode."},
	UnknownParameter:          {Title: "Tuntematon parametri", Detail: "Osoitteessa on kyselyparametri, jota tämä toiminto ei tunne. Väärin kirjoitettua parametria ei ohiteta, koska vastauksessa voisi silloin olla enemmän kuin pyydettiin."},
	InvalidParameter:          {Title: "Virheellinen parametri", Detail: "Pyynnön parametri puuttuu, on annettu kahdesti tai on väärää muotoa. Vastaus nimeää parametrin."},
	UnknownField:              {Title: "Tuntematon kenttä", Detail: "Pyynnön runko-osassa on kenttä, jota tämä toiminto ei tunne. Väärin kirjoitettua kenttää ei ohiteta, koska vastauksessa voisi silloin olla enemmän kuin pyydettiin."},
	InvalidField:              {Title: "Virheellinen kenttä", Detail: "Pyynnön runko-osan kenttä puuttuu tai on väärää muotoa. Vastaus nimeää kentän."},
	InvalidBody:               {Title: "Virheellinen runko-osa", Detail: "Pyynnön runko-osan on oltava yksi UTF-8-merkistöinen JSON-objekti, jossa kukin nimi on kerran."},
	IdentityCodeInvalid:       {Title: "Henkilötunnus ei kelpaa", Detail: "Tunnus ei ole kelvollinen suomalainen henkilötunnus. Tarkista, että se on kirjoitettu oikein. Kenttä hint kertoo, mikä osa ei täsmää."},
	IdentityCodeNotTest:       {Title: "Tunnus ei ole testitunnus", Detail: "Tämä on testirekisteri. Siihen kelpaavat vain 900-sarjan henkilötunnukset, joita ei ole annettu kenellekään."},
	DocumentMalformed:         {Title: "Asiakirja ei ole oikein muodostettu", Detail: "Asiakirja ei ole oikein muodostettu siinä muodossa, jossa se ilmoitettiin, joten sitä ei tallennettu. Kenttä hint kertoo, mikä on vialla."},
	ContentTypeUnsupported:    {Title: "Sisältötyyppiä ei tueta", Detail: "Asiakirjan tyypin on oltava application/json tai application/xhtml+xml ja muun pyynnön runko-osan application/json, merkistönä UTF-8."},
	NotAcceptable:             {Title: "Asiakirja on toisessa muodossa", Detail: "Asiakirja on tallennettu muodossa, jota pyyntö ei hyväksy. Arkisto palauttaa asiakirjat sellaisina kuin ne on tallennettu eikä muunna niitä."},
	BodyTooLarge:              {Title: "Runko-osa on liian suuri", Detail: "Asiakirja saa olla enintään 10 MiB ja muun pyynnön runko-osa enintään 64 KiB."},
	DigestMismatch:            {Title: "Tiiviste ei täsmää", Detail: "Arkistoon saapuneilla tavuilla on eri tiiviste kuin pyynnössä ilmoitettiin, joten mitään ei tallennettu. Lähetä pyyntö uudelleen."},
	CertificateUnrecognized:   {Title: "Varmenne ei nimeä arkiston käyttäjää", Detail: "Yhteyden varmenne on arkiston varmentajan myöntämä, mutta se ei nimeä palveluyksikköä eikä palvelunjärjestäjää. Käytä varmennetta, joka toimitettiin rekisterinkäyttöoikeuden mukana."},
	AssertionMalformed:        {Title: "Ammattihenkilön vahvistus on väärää muotoa", Detail: "Otsakkeessa Professional-Assertion on oltava yksi allekirjoitettu vahvistus arkiston ohjeen mukaisessa muodossa. Asiakastietojärjestelmän toimittaja voi korjata asian."},
	AssertionAlgorithmRefused: {Title: "Vahvistuksen algoritmi ei kelpaa", Detail: "Ammattihenkilön vahvistus on allekirjoitettu algoritmilla, jota arkisto ei hyväksy tai joka ei sovi kortin avaimeen. Asiakastietojärjestelmän toimittaja voi korjata asian."},
	AssertionChainRefused:     {Title: "Ammattihenkilön korttiin ei luoteta", Detail: "Ammattihenkilön kortin varmenne ei ole voimassa, tai sen on myöntänyt varmentaja, johon tämä arkisto ei luota. Tarkista, että kortti on voimassa."},
	AssertionSignatureInvalid: {Title: "Vahvistuksen allekirjoitus on väärä", Detail: "Ammattihenkilön vahvistusta ei ole allekirjoitettu siinä nimetyn kortin avaimella, tai sitä on muutettu jälkeenpäin."},
	AssertionNotBound:         {Title: "Vahvistus kuuluu toiseen yhteyteen", Detail: "Ammattihenkilön vahvistus on tehty toiselle asiakasvarmenteelle kuin tämän yhteyden varmenteelle. Asiakastietojärjestelmän on tehtävä se käytössä olevalle varmenteelle."},
	AssertionWrongAudience:    {Title: "Vahvistus on toiseen rekisteriin", Detail: "Ammattihenkilön vahvistus on tehty toiseen asiakasrekisteriin kuin osoitteessa olevaan."},
	AssertionLifetimeTooLong:  {Title: "Vahvistus on voimassa liian pitkään", Detail: "Ammattihenkilön vahvistus saa olla voimassa enintään viisi minuuttia."},
	AssertionExpired:          {Title: "Vahvistus on vanhentunut", Detail: "Ammattihenkilön vahvistus ei ole enää voimassa. Asiakastietojärjestelmän on tehtävä uusi jokaista pyyntöä varten, ja sen kellon on oltava oikeassa."},
	AssertionNotYetValid:      {Title: "Vahvistus ei ole vielä voimassa", Detail: "Ammattihenkilön vahvistus on päivätty tulevaisuuteen. Tarkista asiakastietojärjestelmän kello."},
	AssertionSubjectRefused:   {Title: "Ammattihenkilön tunniste ei kelpaa", Detail: "Ammattihenkilön vahvistuksen tunniste tai rooli on väärää muotoa, ei ole sama kuin kortilla tai näyttää henkilötunnukselta. Käytä ammattihenkilön rekisteröintinumeroa."},
	AssertionReplayed:         {Title: "Vahvistus on jo käytetty", Detail: "Ammattihenkilön vahvistus kelpaa vain yhteen pyyntöön. Asiakastietojärjestelmän on tehtävä uusi jokaista pyyntöä varten."},
	TrustAnchorsMissing:       {Title: "Arkisto ei voi vielä tarkistaa ammattikortteja", Detail: "Arkistolle ei ole vielä kerrottu, mitkä varmentajat myöntävät ammattikortteja, joten se ei vastaa. Yritä hetken kuluttua uudelleen. Jos tämä jatkuu, ota yhteys arkiston ylläpitoon."},
	DocumentNotFound:          {Title: "Asiakirjaa ei löydy", Detail: "Rekisterissä ei ole tällä tunnisteella asiakirjaa, josta saisit tietää."},
	ClientUnknown:             {Title: "Asiakasta ei löydy", Detail: "Rekisterissä ei ole tällaista asiakasta. Palvelunjärjestäjä rekisteröi asiakkaan henkilötunnuksella ennen kuin mitään voi tallentaa."},
	CursorInvalid:             {Title: "Kohdistin ei kuulu tähän", Detail: "Kohdistinta ei ole annettu tälle kutsujalle tähän hakuun, tai sitä on muutettu matkalla. Aloita haku ensimmäiseltä sivulta."},
	NotFound:                  {Title: "Osoitteessa ei ole mitään", Detail: "Arkistolla ei ole tässä osoitteessa mitään. Rajapinnan kuvaus on osoitteessa /openapi.json."},
	MethodNotAllowed:          {Title: "Metodi ei ole sallittu", Detail: "Tämä osoite ei hyväksy tätä metodia. Otsake Allow luettelee hyväksytyt."},
	LogUnavailable:            {Title: "Käyttölokia ei voi kirjoittaa", Detail: "Jokainen asiakastietojen käyttö on kirjattava ennen vastausta, eikä kirjausta voi nyt tehdä. Siksi mitään ei vastata. Yritä hetken kuluttua uudelleen. Jos tämä jatkuu, ota yhteys arkiston ylläpitoon."},
	StoreUnavailable:          {Title: "Asiakirjavarasto ei ole käytettävissä", Detail: "Asiakirjoja ei voi nyt lukea eikä kirjoittaa. Mitään ei tallennettu. Yritä hetken kuluttua uudelleen. Jos tämä jatkuu, ota yhteys arkiston ylläpitoon."},
	InternalError:             {Title: "Arkistossa on virhe", Detail: "Arkisto ei pystynyt vastaamaan pyyntöön. Kerro arkiston ylläpidolle tässä vastauksessa oleva pyynnön tunniste."},
}
