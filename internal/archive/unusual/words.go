// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package unusual

import (
	"fmt"
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// Words are the rules in words.
type Words struct{ ReadsWithoutWork, Bursts, ManyClients string }

// Words says the rules in a language.
func (r *Rules) Words(lang access.Lang) Words {
	minutes := int(r.Within / time.Minute)
	switch lang {
	case access.English:
		return Words{
			fmt.Sprintf("The professional read or searched a client's data, and the unit stored nothing for the client within %d days after it. Reads of which that time is not over yet are not listed.", r.WorkDays),
			fmt.Sprintf("At least %d refusals by one professional, or under one certificate, within %d minutes.", r.Refusals, minutes),
			fmt.Sprintf("The professional handled the data of at least %d different clients in one day.", r.Clients),
		}
	case access.Swedish:
		return Words{
			fmt.Sprintf("Den yrkesutbildade personen läste eller sökte en klients uppgifter, och enheten sparade inget om klienten inom %d dagar därefter. Läsningar där den tiden inte har gått ut är inte med.", r.WorkDays),
			fmt.Sprintf("Minst %d nekade försök av en yrkesutbildad person, eller med ett certifikat, inom %d minuter.", r.Refusals, minutes),
			fmt.Sprintf("Den yrkesutbildade personen behandlade uppgifter om minst %d olika klienter under en dag.", r.Clients),
		}
	default:
		return Words{
			fmt.Sprintf("Ammattihenkilö luki tai haki asiakkaan tietoja, eikä yksikkö tallentanut asiakkaasta mitään %d päivän kuluessa sen jälkeen. Mukana eivät ole luvut, joista tämä aika ei ole vielä kulunut.", r.WorkDays),
			fmt.Sprintf("Vähintään %d estettyä yritystä yhdeltä ammattihenkilöltä tai yhdellä varmenteella %d minuutin aikana.", r.Refusals, minutes),
			fmt.Sprintf("Ammattihenkilö käsitteli vähintään %d eri asiakkaan tietoja yhden päivän aikana.", r.Clients),
		}
	}
}
