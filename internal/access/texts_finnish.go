// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

var textsFinnish = [reasonEnd]Text{
	ReasonAllowed: {
		Title:  "Pyyntö on sallittu",
		Detail: "Kaikki rekisterinkäyttöoikeuden ehdot täyttyvät.",
	},
	ReasonViewIncomplete: {
		Title:  "Arkisto käynnistyy",
		Detail: "Arkisto ei ole vielä ladannut voimassa olevia oikeuksia, eikä se siksi vastaa. Yritä hetken kuluttua uudelleen. Jos tila jatkuu, ota yhteyttä arkiston ylläpitoon.",
	},
	ReasonViewStale: {
		Title:  "Oikeustiedot eivät ole ajan tasalla",
		Detail: "Arkisto ei pysty varmistamaan, että sen tiedot voimassa olevista oikeuksista ovat riittävän tuoreita, eikä se siksi vastaa. Yritä hetken kuluttua uudelleen. Jos tila jatkuu, ota yhteyttä arkiston ylläpitoon.",
	},
	ReasonRegistryUnknown: {
		Title:  "Rekisteriä ei ole",
		Detail: "Pyynnön OID-tunnus ei yksilöi mitään asiakasrekisteriä tässä arkistossa. Tarkista tunnus. Jos se on oikein, palvelunjärjestäjän on otettava rekisteri käyttöön arkistossa.",
	},
	ReasonRegistryNotAccepted: {
		Title:  "Rekisteri ei ole käytössä",
		Detail: "Asiakasrekisteriä ei ole hyväksytty käyttöön tai sitä ollaan poistamassa. Palvelunjärjestäjä voi selvittää asian arkiston ylläpidon kanssa.",
	},
	ReasonRegistryMismatch: {
		Title:  "Varmenne on toiseen rekisteriin",
		Detail: "Yhteyden varmenne on myönnetty toista asiakasrekisteriä varten. Käytä tämän rekisterin varmennetta. Jos sellaista ei ole, rekisterinkäyttöoikeuden antaa palvelunjärjestäjä.",
	},
	ReasonOrganizerEnded: {
		Title:  "Palvelunjärjestäjän liittyminen ei ole voimassa",
		Detail: "Palvelunjärjestäjä tai sen pääliittyjä ei ole tällä hetkellä liittynyt arkistoon. Palvelunjärjestäjä voi selvittää asian arkiston ylläpidon kanssa.",
	},
	ReasonUnitUnknown: {
		Title:  "Palveluyksikköä ei tunneta",
		Detail: "Arkistossa ei ole hyväksyttyä palveluyksikköä, jolla on varmenteen OID-tunnus. Palveluntuottajan on lisättävä palveluyksikkö tai korjattava sen tiedot.",
	},
	ReasonUnitWithdrawn: {
		Title:  "Palveluyksikkö ei hyväksy palvelunjärjestäjää",
		Detail: "Palveluyksikkö ei ole ilmoittanut ottavansa vastaan tämän palvelunjärjestäjän asiakkaita tai on perunut ilmoituksensa. Palveluntuottaja voi lisätä palvelunjärjestäjän palveluyksikön tietoihin.",
	},
	ReasonProducerEnded: {
		Title:  "Palveluntuottajan liittyminen ei ole voimassa",
		Detail: "Palveluntuottaja tai sen pääliittyjä ei ole tällä hetkellä liittynyt arkistoon. Palveluntuottaja voi selvittää asian pääliittyjänsä tai arkiston ylläpidon kanssa.",
	},
	ReasonSystemNotValid: {
		Title:  "Asiakastietojärjestelmän sertifikaatti ei ole voimassa",
		Detail: "Palvelunjärjestäjän tai palveluyksikön asiakastietojärjestelmällä ei ole voimassa olevaa sertifikaattia. Järjestelmän toimittajan on uusittava sertifikaatti ja arkiston ylläpidon on kirjattava se.",
	},
	ReasonGrantMissing: {
		Title:  "Rekisterinkäyttöoikeutta ei ole",
		Detail: "Palveluyksiköllä ei ole rekisterinkäyttöoikeutta tähän asiakasrekisteriin. Oikeuden antaa palvelunjärjestäjä.",
	},
	ReasonGrantSuspended: {
		Title:  "Rekisterinkäyttöoikeus on keskeytetty",
		Detail: "Palvelunjärjestäjä on keskeyttänyt palveluyksikön rekisterinkäyttöoikeuden. Vain palvelunjärjestäjä voi palauttaa sen.",
	},
	ReasonGrantExpired: {
		Title:  "Sopimuksen voimassaolo on päättynyt",
		Detail: "Sopimus, johon palveluyksikön rekisterinkäyttöoikeus perustuu, on päättynyt. Palvelunjärjestäjä voi jatkaa oikeutta, jos sopimus uusitaan.",
	},
	ReasonSocialCareNotBought: {
		Title:  "Sosiaalihuoltoa ei ole ostettu",
		Detail: "Sopimuksella, johon palveluyksikön rekisterinkäyttöoikeus perustuu, ostetaan vain terveydenhuoltoa. Siinä syntyvät tiedot kuuluvat potilastietovarantoon, eivät tähän sosiaalihuollon asiakasrekisteriin. Palvelunjärjestäjä voi korjata sopimuksen tiedot.",
	},
	ReasonGrantNotReady: {
		Title:  "Rekisterinkäyttöoikeuden edellytys puuttuu",
		Detail: "Palveluyksikölle on annettu rekisterinkäyttöoikeus, mutta jokin sen edellytyksistä ei täyty. Puuttuva edellytys on nimetty tässä vastauksessa. Palvelunjärjestäjä ja palveluntuottaja korjaavat sen kumpikin omalta osaltaan.",
	},
	ReasonGrantNotYetValid: {
		Title:  "Sopimus ei ole vielä voimassa",
		Detail: "Sopimus, johon palveluyksikön rekisterinkäyttöoikeus perustuu, ei ole vielä alkanut. Palvelunjärjestäjä voi tarkistaa alkamisajan.",
	},
	ReasonCredentialNotListed: {
		Title:  "Varmenne ei ole sallittujen luettelossa",
		Detail: "Yhteyden varmenne ei ole tälle rekisterille sallittujen varmenteiden luettelossa: se on poistettu tai sitä ei ole koskaan otettu käyttöön. Ota käyttöön viimeksi toimitettu varmenne. Jos se ei auta, ota yhteyttä palvelunjärjestäjään.",
	},
	ReasonCredentialSuperseded: {
		Title:  "Varmenne on korvattu uudella",
		Detail: "Yhteyden varmenne on korvattu uudella, eikä vanhaa enää hyväksytä. Ota järjestelmässä käyttöön uusi varmenne, joka on jo toimitettu.",
	},
	ReasonCredentialExpired: {
		Title:  "Varmenne on vanhentunut",
		Detail: "Yhteyden varmenteen voimassaolo on päättynyt. Ota käyttöön viimeksi toimitettu varmenne. Jos uutta ei ole tullut, ota yhteyttä palvelunjärjestäjään.",
	},
	ReasonCredentialNotYetValid: {
		Title:  "Varmenne ei ole vielä voimassa",
		Detail: "Yhteyden varmenteen voimassaolo ei ole vielä alkanut. Tarkista järjestelmän kello ja yritä uudelleen varmenteen alkamisajan jälkeen.",
	},
	ReasonProfessionalMissing: {
		Title:  "Ammattihenkilön vahvistus puuttuu",
		Detail: "Pyynnössä ei ole hyväksyttyä vahvistusta siitä, kuka ammattihenkilö sen tekee. Asiakastietojärjestelmän on liitettävä pyyntöön ammattihenkilön kortilla allekirjoitettu vahvistus.",
	},
	ReasonExtentInsufficient: {
		Title:  "Toiminto ei kuulu oikeuteen",
		Detail: "Toiminto ei sisälly rekisterinkäyttöoikeuden laajuuteen. Palvelunjärjestäjä voi tehdä toiminnon itse tai antaa laajan rekisterinkäyttöoikeuden, jos toiminto voi kuulua siihen.",
	},
	ReasonDocumentMissing: {
		Title:  "Asiakirjaa ei ole",
		Detail: "Toiminto kohdistuu asiakirjaan, jota ei ole nimetty tai jota ei ole tässä rekisterissä. Tarkista asiakirjan tunnus.",
	},
	ReasonDocumentOtherRegistry: {
		Title:  "Asiakirja kuuluu toiseen rekisteriin",
		Detail: "Asiakirja ei kuulu siihen asiakasrekisteriin, johon pyyntö on tehty. Tarkista rekisterin ja asiakirjan tunnukset.",
	},
	ReasonOldClientData: {
		Title:  "Asiakirja on vanhaa asiakastietoa",
		Detail: "Asiakirja on syntynyt ennen palvelunjärjestäjän liittymistä. Vanhat asiakastiedot eivät kuulu rekisterinkäyttöoikeuteen: niitä käyttää vain palvelunjärjestäjä.",
	},
	ReasonClientMissing: {
		Title:  "Asiakas puuttuu",
		Detail: "Pyynnössä ei ole nimetty asiakasta, tai asiakasta ei tunneta tällä tunnuksella. Hae asiakas ensin henkilötunnuksella.",
	},
	ReasonNoRelationship: {
		Title:  "Asiakkuutta ei ole",
		Detail: "Palveluyksiköllä ei ole tämän henkilön asiakkuutta tässä asiakasrekisterissä. Asiakkuuden kirjaa palvelunjärjestäjä.",
	},
	ReasonRelationshipNotAccepted: {
		Title:  "Asiakkuutta ei ole hyväksytty",
		Detail: "Asiakkuus on kirjattu, mutta sitä ei ole hyväksytty. Palvelunjärjestäjä näkee asiakkuuden tilasta, mitä siitä puuttuu.",
	},
	ReasonRelationshipNotStarted: {
		Title:  "Asiakkuus ei ole vielä alkanut",
		Detail: "Asiakkuus on kirjattu alkamaan myöhemmin. Oikeus alkaa kirjattuna ajankohtana. Palvelunjärjestäjä voi kirjata asiakkuuden uudelleen toiselle ajankohdalle.",
	},
	ReasonRelationshipEnded: {
		Title:  "Asiakkuus on päättynyt",
		Detail: "Asiakkuus palveluyksikössä on päättynyt. Sen jälkeen asiakirjat, myös palveluyksikön itse tallentamat, ovat vain palvelunjärjestäjän käytettävissä.",
	},
	ReasonDocumentOtherClient: {
		Title:  "Asiakirja ei ole tämän asiakkaan",
		Detail: "Asiakirja ei kuulu pyynnössä nimetylle asiakkaalle. Tarkista asiakkaan ja asiakirjan tunnukset.",
	},
	ReasonTaskNotCovered: {
		Title:  "Palvelutehtävä ei kuulu oikeuteen",
		Detail: "Pyynnön tai asiakirjan palvelutehtävä puuttuu, tai se ei kuulu asiakkuuteen ja sopimukseen. Tarkista palvelutehtävä. Palvelunjärjestäjä voi kirjata sille asiakkuuden.",
	},
	ReasonNotOwnDocument: {
		Title:  "Asiakirja on toisen tallentama",
		Detail: "Palveluyksikkö voi tehdä uuden version vain itse tallentamastaan asiakirjasta. Pyydä korjausta palvelunjärjestäjältä.",
	},
	ReasonPatientData: {
		Title:  "Asiakirja kuuluu potilastietoihin",
		Detail: "Palveluntuottajalta ostetaan sekä sosiaalihuoltoa että terveydenhuoltoa. Terveydenhuollon asiakirjat kuuluvat silloin potilastietovarantoon, eivät sosiaalihuollon asiakasrekisteriin, joten mitään ei tallennettu. Tallenna asiakirja sinne tai tarkista asiakirjatyyppi. Palvelunjärjestäjä voi korjata sopimuksen tiedot.",
	},
}
