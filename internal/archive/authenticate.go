// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/url"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/oid"
	"github.com/valtuus/valtuus/internal/pki"
)

// checkURL refuses an address that looks to hold an identity code. Nothing of the address is logged.
func (x *exchange) checkURL() *outcome {
	address := x.request.RequestURI
	if address == "" {
		address = x.request.URL.String()
	}
	// A plus sign is a century sign in a code and a space in a query, and escapes may be doubled.
	for range 3 {
		if identitycode.LooksLike(address) {
			return ended(failed(problem.Of(problem.IdentityCodeInURL)))
		}
		plain, err := url.PathUnescape(address)
		if err != nil || plain == address {
			break
		}
		address = plain
	}
	return nil
}

// identify recognizes the caller by its certificate.
func (x *exchange) identify() *outcome {
	state := x.request.TLS
	if state == nil || len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0 {
		return ended(refused(problem.CertificateUnrecognized))
	}
	certificate := state.PeerCertificates[0]
	x.fingerprint = pki.FingerprintOf(certificate)
	x.row.CertificateThumbprint = x.fingerprint.String()
	identity, err := pki.IdentityOf(certificate)
	if err != nil || identity.TrustDomain != x.server.opts.TrustDomain {
		return ended(refused(problem.CertificateUnrecognized))
	}
	x.identity = identity
	x.row.Caller, x.row.Unit = identity.String(), identity.Unit
	x.row.Organization = x.server.opts.View.OrganizationOf(identity.Registry, identity.Unit)
	return nil
}

// addressRegistry reads the registry from the path.
func (x *exchange) addressRegistry() *outcome {
	registry := x.request.PathValue("oid")
	if !oid.Valid(registry) {
		return ended(failed(&problem.Problem{Source: problem.InvalidParameter, Parameter: "oid"}))
	}
	x.registry, x.row.Registry = registry, registry
	return nil
}

// refuseOver refuses whatever is asked of the registry of a deployment test that is over.
func (x *exchange) refuseOver() *outcome {
	if over := x.server.opts.TestOver; over != nil && over(x.registry) {
		return ended(refused(problem.DeploymentTestOver))
	}
	return nil
}

// revocations are the cards that are known to be revoked now.
func (s *Server) revocations() *card.Revocations {
	if s.opts.Revocations == nil {
		return nil
	}
	return s.opts.Revocations()
}

// authenticate recognizes who acts by the professional assertion.
func (x *exchange) authenticate() *outcome {
	anchors := x.server.opts.TrustAnchors()
	if anchors == nil {
		return ended(failed(problem.Of(problem.TrustAnchorsMissing)))
	}
	tokens := x.request.Header.Values(assertion.Header)
	if len(tokens) > 1 {
		return ended(refused(problem.AssertionMalformed))
	}
	var token string
	if len(tokens) == 1 {
		token = tokens[0]
	}
	who, err := assertion.Verify(token, assertion.Options{
		Anchors: anchors, Revocations: x.server.revocations(), Ways: x.server.cards, Now: x.began, Audience: assertion.AudienceOf(x.registry),
		ClientCertificate: x.fingerprint, Replay: x.server.replay,
	})
	if err != nil {
		return ended(refusedAssertion(err))
	}
	x.row.Professional, x.row.Role, x.row.CardThumbprint = who.ID, who.Role, who.CardThumbprint.String()
	x.row.AssertionKey = assertion.ReplayKey(who.CardThumbprint, who.TokenID)
	x.row.AssertionExpires = who.ExpiresAt
	return nil
}

var assertionProblems = map[assertion.Problem]problem.Source{
	assertion.Missing:          access.ReasonProfessionalMissing,
	assertion.Malformed:        problem.AssertionMalformed,
	assertion.AlgorithmRefused: problem.AssertionAlgorithmRefused,
	assertion.ChainRefused:     problem.AssertionChainRefused,
	assertion.SignatureInvalid: problem.AssertionSignatureInvalid,
	assertion.NotBound:         problem.AssertionNotBound,
	assertion.WrongAudience:    problem.AssertionWrongAudience,
	assertion.LifetimeTooLong:  problem.AssertionLifetimeTooLong,
	assertion.Expired:          problem.AssertionExpired,
	assertion.NotYetValid:      problem.AssertionNotYetValid,
	assertion.SubjectRefused:   problem.AssertionSubjectRefused,
	assertion.Replayed:         problem.AssertionReplayed,
}

func refusedAssertion(err error) outcome {
	var refusal *assertion.Error
	if !errors.As(err, &refusal) {
		return failed(problem.Of(problem.InternalError))
	}
	source, known := assertionProblems[refusal.Problem]
	if !known {
		source = problem.AssertionMalformed
	}
	out := refused(source)
	out.problem.Hint = refusal.Detail // fixed texts that hold nothing of the token
	return out
}
