// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4/json"

	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	// MaxLifetime is the longest time from iat to exp.
	MaxLifetime = 5 * time.Minute
	// ClockSkew is how far iat may lie in the future.
	ClockSkew = 30 * time.Second

	maxSubject  = 128
	maxRole     = 64
	minTokenID  = 16
	maxTokenID  = 128
	maxAudience = 16

	// maxSeconds is the end of the year 9999: far above any token, and no sum overflows.
	maxSeconds = 253402300799

	confirmation = "x5t#S256"
)

// wireClaims is the payload. Pointers tell a missing claim from an empty one. Claims that are
// not listed are ignored, as RFC 7519 asks.
type wireClaims struct {
	Subject   *string                    `json:"sub"`
	Role      *string                    `json:"role"`
	Audience  audience                   `json:"aud"`
	IssuedAt  *int64                     `json:"iat"`
	NotBefore *int64                     `json:"nbf"`
	Expires   *int64                     `json:"exp"`
	TokenID   *string                    `json:"jti"`
	Confirm   map[string]json.RawMessage `json:"cnf"`
}

// audience is a string or an array of strings (RFC 7519, 4.1.3).
type audience []string

// UnmarshalJSON reads either form.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*a = audience{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(text, &many); err != nil {
		return err
	}
	*a = many
	return nil
}

// claims are the checked form of wireClaims; what they say is not judged yet.
type claims struct {
	subject, role, tokenID       string
	audience                     []string
	issuedAt, notBefore, expires time.Time
	certificate                  pki.Fingerprint
}

// parseClaims reads a payload whose signature has been verified.
func parseClaims(payload []byte) (claims, error) {
	var w wireClaims
	if err := json.Unmarshal(payload, &w); err != nil {
		return claims{}, refuse(Malformed, "claims are not a JSON object with distinct names and the right types")
	}
	switch {
	case w.Subject == nil || *w.Subject == "":
		return claims{}, refuse(Malformed, "sub is missing")
	case w.Role == nil || *w.Role == "":
		return claims{}, refuse(Malformed, "role is missing")
	case len(w.Audience) == 0 || len(w.Audience) > maxAudience:
		return claims{}, refuse(Malformed, "aud must name one to sixteen audiences")
	case !validSeconds(w.IssuedAt):
		return claims{}, refuse(Malformed, "iat is missing or out of range")
	case !validSeconds(w.Expires):
		return claims{}, refuse(Malformed, "exp is missing or out of range")
	case w.NotBefore != nil && !validSeconds(w.NotBefore):
		return claims{}, refuse(Malformed, "nbf is out of range")
	case *w.Expires <= *w.IssuedAt:
		return claims{}, refuse(Malformed, "exp is not after iat")
	case w.TokenID == nil || !validTokenID(*w.TokenID):
		return claims{}, refuse(Malformed, "jti must be 16 to 128 visible ASCII characters")
	}
	certificate, err := parseConfirmation(w.Confirm)
	if err != nil {
		return claims{}, err
	}
	c := claims{
		subject: *w.Subject, role: *w.Role, tokenID: *w.TokenID, audience: w.Audience,
		issuedAt: time.Unix(*w.IssuedAt, 0).UTC(), expires: time.Unix(*w.Expires, 0).UTC(),
		certificate: certificate,
	}
	c.notBefore = c.issuedAt
	if w.NotBefore != nil {
		c.notBefore = time.Unix(*w.NotBefore, 0).UTC()
	}
	return c, nil
}

func parseConfirmation(fields map[string]json.RawMessage) (pki.Fingerprint, error) {
	var text string
	if err := json.Unmarshal(fields[confirmation], &text); err != nil {
		return pki.Fingerprint{}, refuse(Malformed, "cnf has no x5t#S256")
	}
	certificate, err := pki.ParseFingerprint(text)
	if err != nil {
		return pki.Fingerprint{}, refuse(Malformed, "x5t#S256 in cnf is not a SHA-256 thumbprint in base64url")
	}
	return certificate, nil
}

// judge checks what the claims say against the request and the clock.
func (c claims) judge(opts Options) error {
	switch {
	case c.certificate != opts.ClientCertificate:
		return refuse(NotBound, "cnf names another client certificate")
	case !slices.Contains(c.audience, opts.Audience):
		return refuse(WrongAudience, "aud does not hold this registry")
	case c.expires.Sub(c.issuedAt) > MaxLifetime:
		return refuse(LifetimeTooLong, "exp is more than five minutes after iat")
	case !opts.Now.Before(c.expires):
		return refuse(Expired, "exp has passed")
	case c.issuedAt.After(opts.Now.Add(ClockSkew)) || c.notBefore.After(opts.Now.Add(ClockSkew)):
		return refuse(NotYetValid, "iat or nbf is in the future")
	case !validText(c.subject, maxSubject):
		return refuse(SubjectRefused, "sub is longer than 128 characters or has control characters")
	case !validText(c.role, maxRole):
		return refuse(SubjectRefused, "role is longer than 64 characters or has control characters")
	case identitycode.LooksLike(c.subject) || identitycode.LooksLike(c.role) || identitycode.LooksLike(c.tokenID):
		return refuse(SubjectRefused, "sub, role or jti looks like a personal identity code")
	}
	return nil
}

func validSeconds(n *int64) bool {
	return n != nil && *n >= 0 && *n <= maxSeconds
}

func validTokenID(s string) bool {
	if len(s) < minTokenID || len(s) > maxTokenID {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// validText refuses what would break a line of a log or not show in it.
func validText(s string, most int) bool {
	if utf8.RuneCountInString(s) > most {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}
