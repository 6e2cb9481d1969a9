// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

var textsSwedish = [reasonEnd]Text{
	ReasonAllowed: {
		Title:  "Begäran är tillåten",
		Detail: "Alla villkor för åtkomsträtten till registret är uppfyllda.",
	},
	ReasonViewIncomplete: {
		Title:  "Arkivet startar",
		Detail: "Arkivet har ännu inte läst in de gällande rättigheterna och svarar därför inte. Försök igen om en stund. Kontakta arkivets driftansvariga om läget fortsätter.",
	},
	ReasonViewStale: {
		Title:  "Uppgifterna om rättigheter är inte aktuella",
		Detail: "Arkivet kan inte säkerställa att dess uppgifter om gällande rättigheter är tillräckligt färska och svarar därför inte. Försök igen om en stund. Kontakta arkivets driftansvariga om läget fortsätter.",
	},
	ReasonRegistryUnknown: {
		Title:  "Registret finns inte",
		Detail: "OID-koden i begäran identifierar inget klientregister i det här arkivet. Kontrollera koden. Om den är rätt ska serviceanordnaren ta registret i bruk i arkivet.",
	},
	ReasonRegistryNotAccepted: {
		Title:  "Registret är inte i bruk",
		Detail: "Klientregistret har inte godkänts för användning eller håller på att tas bort. Serviceanordnaren kan reda ut saken med arkivets driftansvariga.",
	},
	ReasonRegistryMismatch: {
		Title:  "Certifikatet gäller ett annat register",
		Detail: "Förbindelsens certifikat har utfärdats för ett annat klientregister. Använd certifikatet för det här registret. Om det inte finns något är det serviceanordnaren som ger åtkomsträtt till registret.",
	},
	ReasonOrganizerEnded: {
		Title:  "Serviceanordnarens anslutning är inte i kraft",
		Detail: "Serviceanordnaren eller dess huvudanslutare är för närvarande inte ansluten till arkivet. Serviceanordnaren kan reda ut saken med arkivets driftansvariga.",
	},
	ReasonUnitUnknown: {
		Title:  "Serviceenheten är okänd",
		Detail: "I arkivet finns ingen godkänd serviceenhet med certifikatets OID-kod. Tjänsteproducenten ska lägga till serviceenheten eller rätta dess uppgifter.",
	},
	ReasonUnitWithdrawn: {
		Title:  "Serviceenheten godkänner inte serviceanordnaren",
		Detail: "Serviceenheten har inte meddelat att den tar emot klienter från den här serviceanordnaren, eller har återtagit sitt meddelande. Tjänsteproducenten kan lägga till serviceanordnaren i serviceenhetens uppgifter.",
	},
	ReasonProducerEnded: {
		Title:  "Tjänsteproducentens anslutning är inte i kraft",
		Detail: "Tjänsteproducenten eller dess huvudanslutare är för närvarande inte ansluten till arkivet. Tjänsteproducenten kan reda ut saken med sin huvudanslutare eller med arkivets driftansvariga.",
	},
	ReasonSystemNotValid: {
		Title:  "Klientdatasystemets certifiering är inte i kraft",
		Detail: "Serviceanordnarens eller serviceenhetens klientdatasystem saknar en gällande certifiering. Systemleverantören ska förnya certifieringen och arkivets driftansvariga ska registrera den.",
	},
	ReasonGrantMissing: {
		Title:  "Åtkomsträtt till registret saknas",
		Detail: "Serviceenheten har ingen åtkomsträtt till det här klientregistret. Det är serviceanordnaren som ger åtkomsträtten.",
	},
	ReasonGrantSuspended: {
		Title:  "Åtkomsträtten till registret har avbrutits",
		Detail: "Serviceanordnaren har tills vidare avbrutit serviceenhetens åtkomsträtt till registret. Endast serviceanordnaren kan återställa den.",
	},
	ReasonGrantExpired: {
		Title:  "Avtalet har upphört att gälla",
		Detail: "Avtalet som serviceenhetens åtkomsträtt till registret grundar sig på har upphört att gälla. Serviceanordnaren kan förlänga rätten om avtalet förnyas.",
	},
	ReasonSocialCareNotBought: {
		Title:  "Socialvård har inte köpts",
		Detail: "Avtalet som serviceenhetens åtkomsträtt till registret grundar sig på gäller endast köp av hälso- och sjukvård. Uppgifterna som uppkommer där hör till patientdatalagret, inte till detta klientregister inom socialvården. Serviceanordnaren kan rätta avtalets uppgifter.",
	},
	ReasonGrantNotReady: {
		Title:  "En förutsättning för åtkomsträtten saknas",
		Detail: "Serviceenheten har getts åtkomsträtt till registret, men någon av förutsättningarna är inte uppfylld. Det framgår av det här svaret vilken förutsättning som saknas. Serviceanordnaren och tjänsteproducenten åtgärdar den var och en för sin del.",
	},
	ReasonGrantNotYetValid: {
		Title:  "Avtalet har ännu inte trätt i kraft",
		Detail: "Avtalet som serviceenhetens åtkomsträtt till registret grundar sig på har ännu inte börjat gälla. Serviceanordnaren kan kontrollera när det börjar.",
	},
	ReasonCredentialNotListed: {
		Title:  "Certifikatet finns inte i listan över tillåtna",
		Detail: "Förbindelsens certifikat finns inte i listan över tillåtna certifikat för registret: det har tagits bort eller har aldrig tagits i bruk. Ta det senast levererade certifikatet i bruk. Kontakta serviceanordnaren om det inte hjälper.",
	},
	ReasonCredentialSuperseded: {
		Title:  "Certifikatet har ersatts av ett nytt",
		Detail: "Förbindelsens certifikat har ersatts av ett nytt och det gamla godtas inte längre. Ta i systemet i bruk det nya certifikatet, som redan har levererats.",
	},
	ReasonCredentialExpired: {
		Title:  "Certifikatet har gått ut",
		Detail: "Giltighetstiden för förbindelsens certifikat har gått ut. Ta det senast levererade certifikatet i bruk. Kontakta serviceanordnaren om inget nytt certifikat har kommit.",
	},
	ReasonCredentialNotYetValid: {
		Title:  "Certifikatet är ännu inte giltigt",
		Detail: "Giltighetstiden för förbindelsens certifikat har ännu inte börjat. Kontrollera systemets klocka och försök igen när certifikatet har börjat gälla.",
	},
	ReasonProfessionalMissing: {
		Title:  "Intyg om yrkesutbildad person saknas",
		Detail: "Begäran innehåller inget godkänt intyg om vilken yrkesutbildad person som gör den. Klientdatasystemet ska till begäran foga ett intyg som är undertecknat med personens yrkeskort.",
	},
	ReasonExtentInsufficient: {
		Title:  "Åtgärden ingår inte i rätten",
		Detail: "Åtgärden ingår inte i omfattningen av åtkomsträtten till registret. Serviceanordnaren kan utföra åtgärden själv eller ge omfattande åtkomsträtt till registret, om åtgärden kan ingå i den.",
	},
	ReasonDocumentMissing: {
		Title:  "Handlingen finns inte",
		Detail: "Åtgärden gäller en handling som inte har angetts eller som inte finns i det här registret. Kontrollera handlingens identifikation.",
	},
	ReasonDocumentOtherRegistry: {
		Title:  "Handlingen hör till ett annat register",
		Detail: "Handlingen hör inte till det klientregister som begäran gäller. Kontrollera registrets och handlingens identifikationer.",
	},
	ReasonOldClientData: {
		Title:  "Handlingen hör till de gamla klientuppgifterna",
		Detail: "Handlingen har uppkommit innan serviceanordnaren anslöt sig. Gamla klientuppgifter ingår inte i åtkomsträtten till registret: endast serviceanordnaren använder dem.",
	},
	ReasonClientMissing: {
		Title:  "Klienten saknas",
		Detail: "Ingen klient har angetts i begäran, eller så är klienten inte känd under den här identifikationen. Sök först klienten med personbeteckningen.",
	},
	ReasonNoRelationship: {
		Title:  "Det finns ingen klientrelation",
		Detail: "Serviceenheten har ingen klientrelation till den här personen i det här klientregistret. Det är serviceanordnaren som registrerar klientrelationen.",
	},
	ReasonRelationshipNotAccepted: {
		Title:  "Klientrelationen har inte godkänts",
		Detail: "Klientrelationen är registrerad men har inte godkänts. Serviceanordnaren ser av klientrelationens status vad som saknas.",
	},
	ReasonRelationshipNotStarted: {
		Title:  "Klientrelationen har ännu inte börjat",
		Detail: "Klientrelationen är registrerad med en senare begynnelsetidpunkt. Rätten börjar vid den registrerade tidpunkten. Serviceanordnaren kan registrera den på nytt med en annan tidpunkt.",
	},
	ReasonRelationshipEnded: {
		Title:  "Klientrelationen har upphört",
		Detail: "Klientrelationen i serviceenheten har upphört. Därefter är handlingarna, också de som serviceenheten själv har lagrat, tillgängliga endast för serviceanordnaren.",
	},
	ReasonDocumentOtherClient: {
		Title:  "Handlingen gäller inte den här klienten",
		Detail: "Handlingen hör inte till den klient som anges i begäran. Kontrollera klientens och handlingens identifikationer.",
	},
	ReasonTaskNotCovered: {
		Title:  "Serviceuppgiften ingår inte i rätten",
		Detail: "Serviceuppgiften i begäran eller på handlingen saknas, eller så ingår den inte i klientrelationen och avtalet. Kontrollera serviceuppgiften. Serviceanordnaren kan registrera en klientrelation för den.",
	},
	ReasonNotOwnDocument: {
		Title:  "Handlingen har lagrats av någon annan",
		Detail: "Serviceenheten kan göra en ny version endast av en handling som den själv har lagrat. Be serviceanordnaren om en rättelse.",
	},
	ReasonPatientData: {
		Title:  "Handlingen hör till patientuppgifterna",
		Detail: "Av tjänsteproducenten köps både socialvård och hälso- och sjukvård. Handlingar inom hälso- och sjukvården hör då till patientdatalagret, inte till socialvårdens klientregister, så ingenting sparades. Spara handlingen där eller kontrollera handlingstypen. Serviceanordnaren kan rätta avtalets uppgifter.",
	},
}
