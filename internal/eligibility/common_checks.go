// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import "fmt"

// The checks that both chains use, on the objects that both look at.

func checkRegistryKnown(r *Registry, ref string) Result {
	if r != nil {
		return holds()
	}
	return fails(ReasonRegistryNotFound, fmt.Sprintf("Registry %s is not in this namespace. "+
		"The organizer must create it here, or name a Registry of this namespace.", orNone(ref)))
}

func checkRegistryAccepted(r *Registry) Result {
	if r.Accepted {
		return holds()
	}
	return fails(ReasonRegistryNotAccepted, joinSentences(
		fmt.Sprintf("%s is not accepted.", r.label()),
		orElse(r.Detail, "The organizer must mend what its conditions say.")))
}

func checkUnitKnown(u *Unit, oid string) Result {
	if u != nil {
		return holds()
	}
	return fails(ReasonUnitUnknown, fmt.Sprintf("No ProducerUnit with OID %s is known. "+
		"New units appear in the national register overnight; if it does not appear, "+
		"the producer must add the ProducerUnit or the organizer must correct the OID.", orNone(oid)))
}

func checkUnitAccepted(u *Unit) Result {
	if u.NotManaged {
		return fails(ReasonUnitNotManaged, fmt.Sprintf("%s is in a namespace that this installation of Valtuus does not manage: "+
			"no credential can be delivered there. The platform must add the namespace, or the producer must make the ProducerUnit in another.", u.label()))
	}
	if u.Accepted {
		return holds()
	}
	return fails(ReasonUnitNotAccepted, joinSentences(
		fmt.Sprintf("%s is not accepted.", u.label()),
		orElse(u.Detail, "The producer must mend what its conditions say.")))
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
