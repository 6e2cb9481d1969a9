// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// side is one of the two parties, for the checks that both must pass.
type side struct {
	party  string // who must act, in messages
	system *ClientSystem

	unknown, notCertified, expired, lacksFeature string // reasons
}

func organizerSide(in *GrantInput) side {
	return side{
		party:        "organizer",
		system:       in.OrganizerSystem,
		unknown:      ReasonOrganizerSystemUnknown,
		notCertified: ReasonOrganizerSystemNotCertified,
		expired:      ReasonOrganizerSystemExpired,
		lacksFeature: ReasonOrganizerSystemLacksFeature,
	}
}

func producerSide(in *GrantInput) side {
	return side{
		party:        "producer",
		system:       in.ProducerSystem,
		unknown:      ReasonProducerSystemUnknown,
		notCertified: ReasonProducerSystemNotCertified,
		expired:      ReasonProducerSystemExpired,
		lacksFeature: ReasonProducerSystemLacksFeature,
	}
}

func organizerSystemKnown(in *GrantInput) Result {
	return organizerSide(in).known(in.Registry.ClientSystem, in.Registry.label())
}

func producerSystemKnown(in *GrantInput) Result {
	return producerSide(in).known(in.Unit.ClientSystem, in.Unit.label())
}

func organizerSystemCertified(in *GrantInput) Result { return organizerSide(in).certified(in.Now) }

func producerSystemCertified(in *GrantInput) Result { return producerSide(in).certified(in.Now) }

func organizerSystemFeatured(in *GrantInput) Result {
	return organizerSide(in).featured(in.Grant.Extent)
}

func producerSystemFeatured(in *GrantInput) Result {
	return producerSide(in).featured(in.Grant.Extent)
}

func (s side) known(name, user string) Result {
	if s.system != nil {
		return holds()
	}
	return fails(s.unknown, fmt.Sprintf("%s uses ClientSystem %s, which does not exist. "+
		"The platform team must add it, or the %s must name a ClientSystem that exists.", user, orNone(name), s.party))
}

func (s side) certified(now time.Time) Result {
	system := s.system
	// Only systems of class A may connect to the national services; class B is
	// registered but never certified.
	if !strings.HasPrefix(system.Class, "A") {
		return fails(s.notCertified, fmt.Sprintf("ClientSystem %s of the %s is not certified in class A (class: %s). "+
			"Its vendor must have it certified, and the platform team must record the certificate.", system.Name, s.party, orNone(system.Class)))
	}
	p, r := locate(now, system.ValidFrom, system.ValidUntil)
	switch p {
	case before:
		return r.violated(s.notCertified, fmt.Sprintf("The certificate of ClientSystem %s of the %s is valid from %s. "+
			"Nothing needs to be done before that.", system.Name, s.party, instant(system.ValidFrom)))
	case after:
		return r.violated(s.expired, fmt.Sprintf("The certificate of ClientSystem %s of the %s expired at %s. "+
			"Its vendor must renew it, and the platform team must record the new one.", system.Name, s.party, instant(system.ValidUntil)))
	}
	return r
}

func (s side) featured(extent Extent) Result {
	need := []string{FeatureRegisterAccess}
	if extent == ExtentExtended {
		need = append(need, FeatureExtended)
	}
	missing := without(need, s.system.Features)
	if len(missing) == 0 {
		return holds()
	}
	return fails(s.lacksFeature, fmt.Sprintf("ClientSystem %s of the %s lacks what this grant needs: %s. "+
		"Its vendor must have the feature certified, or the %s must use a system that has it.",
		s.system.Name, s.party, list(missing), s.party))
}

func formatsCompatible(in *GrantInput) Result {
	a, b := in.OrganizerSystem, in.ProducerSystem
	if intersects(a.Formats, b.Formats) {
		return holds()
	}
	return fails(ReasonFormatsIncompatible, fmt.Sprintf("ClientSystem %s of the organizer (formats: %s) and ClientSystem %s of the producer (formats: %s) share no document format. "+
		"One of the parties must use a system that reads and writes a format of the other's.",
		a.Name, list(a.Formats), b.Name, list(b.Formats)))
}

func contains(set []string, s string) bool { return slices.Contains(set, s) }

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return contains(b, s) })
}

// without returns the items that are not in the set.
func without(items, set []string) []string {
	var rest []string
	for _, s := range items {
		if !contains(set, s) {
			rest = append(rest, s)
		}
	}
	return rest
}
