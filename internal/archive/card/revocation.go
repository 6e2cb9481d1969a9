// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package card

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"sync"
	"time"
)

// StatusGrace is how long past its nextUpdate a revocation list still serves: when the authority's service is
// out, work goes on by the last good status, but not for ever.
const StatusGrace = 24 * time.Hour

// Errors of a certificate's status, and of a list of revocations.
var (
	ErrRevoked       = errors.New("certificate has been revoked")
	ErrStatusUnknown = errors.New("the status of the certificate is not known: the authority's revocation list is too old")

	ErrNoList        = errors.New("holds no certificate revocation list")
	ErrListForm      = errors.New("holds something that is no certificate revocation list")
	ErrListPartial   = errors.New("holds a partial or delta list, or one with another critical extension")
	ErrListUnbounded = errors.New("holds a list that does not say when the next one comes")
)

// Revocations are the certificates that their authorities have revoked. Nil knows of none.
type Revocations struct {
	lists []*revocationList
}

type revocationList struct {
	*x509.RevocationList
	// revoked tells since when, by serial number.
	revoked map[string]time.Time
	// genuine remembers for the keys of authorities whether they have signed the list.
	genuine sync.Map
}

// ParseRevocations reads revocation lists in PEM, or one in DER. Whose they are is found out in Check.
func ParseRevocations(text []byte) (*Revocations, error) {
	all := &Revocations{}
	if block, _ := pem.Decode(text); block == nil && len(text) > 0 {
		if err := all.add(text); err != nil {
			return nil, err
		}
		return all, nil
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			return nil, ErrListForm
		}
		if err := all.add(block.Bytes); err != nil {
			return nil, err
		}
	}
	if len(all.lists) == 0 {
		return nil, ErrNoList
	}
	return all, nil
}

func (r *Revocations) add(der []byte) error {
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return ErrListForm
	}
	for _, extension := range parsed.Extensions {
		if extension.Critical {
			return ErrListPartial
		}
	}
	if parsed.NextUpdate.IsZero() {
		return ErrListUnbounded
	}
	list := &revocationList{RevocationList: parsed, revoked: make(map[string]time.Time, len(parsed.RevokedCertificateEntries))}
	for _, entry := range parsed.RevokedCertificateEntries {
		list.revoked[string(entry.SerialNumber.Bytes())] = entry.RevocationTime
	}
	r.lists = append(r.lists, list)
	return nil
}

// NextUpdate is when the first of the lists ends.
func (r *Revocations) NextUpdate() (first time.Time) {
	for _, list := range r.lists {
		if first.IsZero() || list.NextUpdate.Before(first) {
			first = list.NextUpdate
		}
	}
	return first
}

// Check gives ErrRevoked if a certificate on the way was revoked by the time, and ErrStatusUnknown if the list
// that would tell is past its grace. The way is that of Trace. A certificate whose authority has no list here is
// taken as it is.
func (r *Revocations) Check(way []*x509.Certificate, at time.Time) error {
	if r == nil {
		return nil
	}
	for i := range len(way) - 1 {
		list := r.of(way[i+1])
		if list == nil {
			continue
		}
		if since, revoked := list.revoked[string(way[i].SerialNumber.Bytes())]; revoked && !since.After(at) {
			return ErrRevoked
		}
		if at.After(list.NextUpdate.Add(StatusGrace)) {
			return ErrStatusUnknown
		}
	}
	return nil
}

// of gives the newest list that the authority has signed.
func (r *Revocations) of(authority *x509.Certificate) (newest *revocationList) {
	for _, list := range r.lists {
		if bytes.Equal(list.RawIssuer, authority.RawSubject) && list.by(authority) &&
			(newest == nil || list.ThisUpdate.After(newest.ThisUpdate)) {
			newest = list
		}
	}
	return newest
}

func (l *revocationList) by(authority *x509.Certificate) bool {
	key := sha256.Sum256(authority.Raw)
	if known, ok := l.genuine.Load(key); ok {
		genuine, _ := known.(bool)
		return genuine
	}
	genuine := l.CheckSignatureFrom(authority) == nil
	l.genuine.Store(key, genuine)
	return genuine
}
