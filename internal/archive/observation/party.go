// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"net/url"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/pki"
)

// parties knows the certificates of the parties of one test. One that has been in a ledger stays a party's, also when it has
// been replaced or revoked since.
type parties struct {
	view     View
	registry string
	unit     string
	known    map[string]v1alpha1.TestParty
}

// of tells whose certificate the row came with; empty for one that is not of this test, such as that for production.
func (p *parties) of(row *store.LogRow) v1alpha1.TestParty {
	if party, known := p.known[row.CertificateThumbprint]; known {
		return party
	}
	party := p.named(row.Caller)
	// What was allowed was allowed by a ledger.
	if party == "" || row.Outcome != store.OutcomeAllowed && !p.listed(party, row.CertificateThumbprint) {
		return ""
	}
	p.known[row.CertificateThumbprint] = party
	return party
}

// named tells whom the certificate names.
func (p *parties) named(caller string) v1alpha1.TestParty {
	address, err := url.Parse(caller)
	if err != nil {
		return ""
	}
	identity, err := pki.ParseIdentity(address)
	switch {
	case err != nil || identity.Registry != p.registry:
		return ""
	case identity.Organizer():
		return v1alpha1.PartyOrganizer
	case identity.Unit == p.unit:
		return v1alpha1.PartyProducer
	default:
		return ""
	}
}

// listed tells whether the certificate is in the party's ledger.
func (p *parties) listed(party v1alpha1.TestParty, thumbprint string) (found bool) {
	fingerprint, err := pki.ParseFingerprint(thumbprint)
	if err != nil {
		return false
	}
	p.view.Read(func(view access.View) {
		registry, known := view.Registry(p.registry)
		if !known {
			return
		}
		if party == v1alpha1.PartyOrganizer {
			_, found = view.RegistryCredential(registry.Handle, access.Fingerprint(fingerprint))
			return
		}
		unit, known := view.Unit(p.unit)
		if !known {
			return
		}
		for grant, ok := view.Grant(view.Pair(registry.Handle, unit.Handle).Grant); ok && !found; grant, ok = view.Grant(grant.Next) {
			_, found = view.GrantCredential(grant.Handle, access.Fingerprint(fingerprint))
		}
	})
	return found
}
