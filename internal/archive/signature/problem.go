// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature

import "errors"

// Problem says why a signature is refused.
type Problem string

// The problems, roughly in the order in which they are looked for.
const (
	// Malformed: too long, not a compact JWS with a detached payload, or a header that is not accepted.
	Malformed Problem = "Malformed"
	// AlgorithmRefused: alg is not on the list or does not fit the card's key.
	AlgorithmRefused Problem = "AlgorithmRefused"
	// OtherContentType: it was made over another media type.
	OtherContentType Problem = "OtherContentType"
	// OtherBytes: it was made over other bytes.
	OtherBytes Problem = "OtherBytes"
	// SignedInFuture: iat is more than [ClockSkew] after the time of judgement.
	SignedInFuture Problem = "SignedInFuture"
	// ChainRefused: the card's certificate does not lead to a trust anchor, is not made for this use, or is
	// not the one of x5t#S256.
	ChainRefused Problem = "ChainRefused"
	// CardNotValid: the card's certificate was not valid when it was signed, or at the time of judgement.
	CardNotValid Problem = "CardNotValid"
	// CardRevoked: the card was revoked by the time of judgement, or its status is not known.
	CardRevoked Problem = "CardRevoked"
	// SignatureInvalid: the signature is not of the card's key.
	SignatureInvalid Problem = "SignatureInvalid"
)

// Problems returns every problem.
func Problems() []Problem {
	return []Problem{
		Malformed, AlgorithmRefused, OtherContentType, OtherBytes, SignedInFuture, ChainRefused, CardNotValid, CardRevoked,
		SignatureInvalid,
	}
}

// Error is the refusal of a signature. The detail is a fixed text and holds nothing of the signature or the
// document, so that both may be logged and answered.
type Error struct {
	Problem Problem
	Detail  string
}

// Error returns the problem and its detail.
func (e *Error) Error() string {
	return "document signature refused: " + string(e.Problem) + ": " + e.Detail
}

// RefusalOf returns the refusal that err is; false where it is none, such as [ErrOptions].
func RefusalOf(err error) (*Error, bool) {
	var refusal *Error
	return refusal, errors.As(err, &refusal)
}

func refuse(problem Problem, detail string) error {
	return &Error{Problem: problem, Detail: detail}
}
