// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "fmt"

func unitRegisteredForBought(in *GrantInput) Result {
	a := in.Grant.Agreement
	if a == nil || len(a.Tasks) == 0 || intersects(in.Unit.ServiceTasks, a.Tasks) {
		return holds()
	}
	return fails(ReasonTaskNotRegistered, fmt.Sprintf("%s is registered for none of the service tasks that agreement %s buys: %s. "+
		"The producer must register the unit for one of them, or the organizer must correct the agreement.",
		in.Unit.label(), orNone(a.Reference), list(a.Tasks)))
}

// socialCareBought asks for social care among what is bought. What is born in bought health care belongs in the
// patient data repository.
func socialCareBought(in *GrantInput) Result {
	a := in.Grant.Agreement
	if a == nil || len(a.Sectors) == 0 || contains(a.Sectors, SectorSocial) {
		return holds()
	}
	return fails(ReasonSocialCareNotBought, fmt.Sprintf("Agreement %s buys no social care, so nothing born in it belongs in %s. "+
		"The organizer must correct spec.agreement.buys, or delete this grant.", orNone(a.Reference), in.Registry.label()))
}

func agreementInForce(in *GrantInput) Result {
	a := in.Grant.Agreement
	if a == nil {
		return holds()
	}
	p, r := locate(in.Now, a.ValidFrom, a.ValidUntil)
	switch p {
	case before:
		return r.violated(ReasonAgreementNotYetValid, fmt.Sprintf("Agreement %s is valid from %s. "+
			"Nothing needs to be done before that.", orNone(a.Reference), instant(a.ValidFrom)))
	case after:
		return r.violated(ReasonAgreementExpired, fmt.Sprintf("Agreement %s expired at %s. "+
			"The organizer must record the agreement that continues it, or delete this grant.", orNone(a.Reference), instant(a.ValidUntil)))
	}
	return r
}
