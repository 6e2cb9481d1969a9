// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import "errors"

// Problem says why an assertion is refused. The values are stable: they go into the access log
// and into answers to client systems.
type Problem string

// The problems, roughly in the order in which they are looked for.
const (
	// Missing: no assertion came with the request.
	Missing Problem = "Missing"
	// Malformed: too long, not a compact JWS, a header that is not accepted, a claim that is
	// missing, doubled or of the wrong form.
	Malformed Problem = "Malformed"
	// AlgorithmRefused: alg is not on the list or does not fit the card's key.
	AlgorithmRefused Problem = "AlgorithmRefused"
	// ChainRefused: the card's certificate does not lead to a trust anchor, is out of its
	// validity or is not made for this use.
	ChainRefused Problem = "ChainRefused"
	// SignatureInvalid: the signature is not of the card's key.
	SignatureInvalid Problem = "SignatureInvalid"
	// NotBound: cnf names another client certificate than the connection's.
	NotBound Problem = "NotBound"
	// WrongAudience: aud does not hold the registry.
	WrongAudience Problem = "WrongAudience"
	// LifetimeTooLong: exp is more than [MaxLifetime] after iat.
	LifetimeTooLong Problem = "LifetimeTooLong"
	// Expired: exp has passed.
	Expired Problem = "Expired"
	// NotYetValid: iat or nbf is in the future by more than [ClockSkew].
	NotYetValid Problem = "NotYetValid"
	// SubjectRefused: sub or role is not acceptable, looks like a personal identity code, or sub
	// is not the one on the card.
	SubjectRefused Problem = "SubjectRefused"
	// Replayed: jti has been used before, or the replay guard is full and cannot tell.
	Replayed Problem = "Replayed"
)

// Problems returns every problem.
func Problems() []Problem {
	return []Problem{
		Missing, Malformed, AlgorithmRefused, ChainRefused, SignatureInvalid, NotBound, WrongAudience,
		LifetimeTooLong, Expired, NotYetValid, SubjectRefused, Replayed,
	}
}

// Error is the refusal of an assertion. The detail is a fixed text and holds nothing of the
// token, so that both may be logged and answered.
type Error struct {
	Problem Problem
	Detail  string
}

// Error returns the problem and its detail.
func (e *Error) Error() string {
	return "professional assertion refused: " + string(e.Problem) + ": " + e.Detail
}

// ProblemOf returns the problem of a refusal; false where err is none, such as [ErrOptions].
func ProblemOf(err error) (Problem, bool) {
	var refusal *Error
	if !errors.As(err, &refusal) {
		return "", false
	}
	return refusal.Problem, true
}

func refuse(problem Problem, detail string) error {
	return &Error{Problem: problem, Detail: detail}
}
