// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

// CareSector is a branch of care that a document belongs to. The zero value is social care.
type CareSector uint8

// The branches of care.
const (
	// SocialCare is that of every document of which nothing else is said.
	SocialCare CareSector = iota
	// HealthCare is that of health-related documents.
	HealthCare
)

// Bought is what an agreement buys. The zero value stands for an agreement that does not say: social care.
type Bought uint8

// What can be bought; one or both.
const (
	BuysSocial Bought = 1 << iota
	BuysHealth
)

// Social tells whether social care is bought, so that the unit has anything to do in a client registry of social care.
func (b Bought) Social() bool { return b == 0 || b&BuysSocial != 0 }

// Fits tells whether a document of the sector belongs in the client registry of social care. Where only social care is
// bought, health-related documents do too; where both are, they belong with the patient data.
func (b Bought) Fits(sector CareSector) bool {
	return b.Social() && (sector == SocialCare || b&BuysHealth == 0)
}

// socialBought checks that the agreement buys social care.
func (c *inquiry) socialBought(grant *Grant) bool {
	if !grant.Buys.Social() {
		return c.deny(ReasonSocialCareNotBought)
	}
	return true
}

// fits checks that what is brought in belongs in the registry by what the agreement buys.
func (c *inquiry) fits(grant *Grant) bool {
	if !grant.Buys.Fits(c.req.IncomingSector) {
		return c.deny(ReasonPatientData)
	}
	return true
}
