// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"net/http"

	"github.com/valtuus/valtuus/internal/access"
)

// Kind is one kind of problem that is not a decision's reason.
type Kind uint8

// The kinds. The zero value is none of them.
const (
	// IdentityCodeInURL: the address holds what looks like a personal identity code.
	IdentityCodeInURL Kind = iota + 1
	// IdentityCodeMisplaced: a field that is for something else holds what looks like one.
	IdentityCodeMisplaced
	// UnknownParameter: the query has a parameter that the operation does not know.
	UnknownParameter
	// InvalidParameter: a parameter of the path or the query is missing, doubled or malformed.
	InvalidParameter
	// UnknownField: the JSON body has a field that the operation does not know.
	UnknownField
	// InvalidField: a field of the JSON body is missing or malformed.
	InvalidField
	// InvalidBody: the body is not one well-formed JSON object.
	InvalidBody
	// IdentityCodeInvalid: the personal identity code is not valid.
	IdentityCodeInvalid
	// IdentityCodeNotTest: a test registry takes only codes of the 900 series.
	IdentityCodeNotTest
	// TemporaryInvalid: the temporary identifier is of neither form.
	TemporaryInvalid
	// ClientIdentified: the client has another personal identity code already.
	ClientIdentified
	// ClientMergeNeeded: the personal identity code is another client's.
	ClientMergeNeeded
	// DocumentMalformed: the document is not well-formed in its own format.
	DocumentMalformed
	// DocumentInvalid: the JSON breaks the schema of its type.
	DocumentInvalid
	// MultipartMalformed: the multipart body is not one part of each format.
	MultipartMalformed
	// DocumentTypeUnknown: the catalog has no such document type.
	DocumentTypeUnknown
	// ServiceTaskUnknown: the service task is not in force that day.
	ServiceTaskUnknown
	// ReasonUnknown: the reason of a correction or annulment is not in force that day.
	ReasonUnknown
	// SchemaUnknown: the type has no schema of that version.
	SchemaUnknown
	// SchemaNotInForce: the schema is not in force on the day that the document was created.
	SchemaNotInForce
	// FormatNotTaken: the document type is not kept in the format.
	FormatNotTaken
	// SignatureInvalid: the professional's signature over the document is refused.
	SignatureInvalid
	// SignatureOtherSigner: signed by another professional than the one who stores.
	SignatureOtherSigner
	// RelationshipImmutable: a new version of a client relationship document changes more than the end.
	RelationshipImmutable
	// RelationshipOtherUnit: a unit stores a client relationship document about another unit.
	RelationshipOtherUnit
	// PreconditionRequired: a change does not say which version it is based on.
	PreconditionRequired
	// VersionStale: another version than the named one is the current one.
	VersionStale
	// DocumentAnnulled: the document has been annulled.
	DocumentAnnulled
	// MatterUnknown: the caller can see no matter with the identifier.
	MatterUnknown
	// MatterClosed: the matter is closed.
	MatterClosed
	// MatterExists: the identifier is another matter's, or on documents of other clients.
	MatterExists
	// ClientOutsideMatter: the document names a client that is not the matter's.
	ClientOutsideMatter
	// TaskOutsideMatter: the document names a service task that is not the matter's.
	TaskOutsideMatter
	// DocumentDestroyed: the document was destroyed when its retention time had ended.
	DocumentDestroyed
	// DeploymentTestOver: the registry was that of a deployment test, which is over.
	DeploymentTestOver
	// DocumentExists: the id is another document's.
	DocumentExists
	// IdempotencyKeyReused: the Idempotency-Key was used for another document.
	IdempotencyKeyReused
	// VersionNotFound: the document has no such version.
	VersionNotFound
	// SignatureNotFound: the version has no signature over that format.
	SignatureNotFound
	// ContentTypeUnsupported: the body is of a type that the operation does not take.
	ContentTypeUnsupported
	// NotAcceptable: the document is stored in a format that Accept does not take.
	NotAcceptable
	// BodyTooLarge: the body is larger than the operation takes.
	BodyTooLarge
	// DigestMismatch: the bytes that came do not have the digest that was announced.
	DigestMismatch
	// CertificateUnrecognized: the client certificate names nobody that this archive knows.
	CertificateUnrecognized
	// AssertionMalformed and those after it: the professional assertion is refused.
	AssertionMalformed
	// AssertionAlgorithmRefused: signed with an algorithm that is not accepted.
	AssertionAlgorithmRefused
	// AssertionChainRefused: the card does not lead to a trust anchor.
	AssertionChainRefused
	// AssertionSignatureInvalid: the signature is not the card's.
	AssertionSignatureInvalid
	// AssertionNotBound: made for another client certificate.
	AssertionNotBound
	// AssertionWrongAudience: made for another registry.
	AssertionWrongAudience
	// AssertionLifetimeTooLong: valid for more than five minutes.
	AssertionLifetimeTooLong
	// AssertionExpired: no longer valid.
	AssertionExpired
	// AssertionNotYetValid: not valid yet.
	AssertionNotYetValid
	// AssertionSubjectRefused: the professional's identifier or role is not accepted.
	AssertionSubjectRefused
	// AssertionReplayed: used before.
	AssertionReplayed
	// RoleUnknown: the professional's role is not in force in the catalog.
	RoleUnknown
	// UserRightMissing: the professional's role may not do this, though the caller might.
	UserRightMissing
	// MaskedJSONWithheld: under a non-disclosure, the catalog does not say what to mask in JSON of the type.
	MaskedJSONWithheld
	// MaskedXHTMLWithheld: under a non-disclosure, the author of the XHTML has marked nothing to mask.
	MaskedXHTMLWithheld
	// MaskedSignatureWithheld: the signature is over bytes that the caller gets masked.
	MaskedSignatureWithheld
	// MaskStored: what is to be stored holds the mask of what was read masked.
	MaskStored
	// NonDisclosureDropped: a unit's new version takes the label of a non-disclosure off.
	NonDisclosureDropped
	// TrustAnchorsMissing: the archive knows no authority of professionals' cards yet.
	TrustAnchorsMissing
	// DocumentNotFound: the caller can see no document with the id.
	DocumentNotFound
	// ClientUnknown: the registry has no such client.
	ClientUnknown
	// LogPeriodTooLong: a log request goes further back than it may without a special reason.
	LogPeriodTooLong
	// WithholdingNotFound: the registry has no such withholding of log entries.
	WithholdingNotFound
	// WithholdingLifted: another decision has lifted the withholding.
	WithholdingLifted
	// CursorInvalid: the cursor was not made for this caller and search.
	CursorInvalid
	// NotFound: the archive has nothing at the address.
	NotFound
	// MethodNotAllowed: the address does not take the method.
	MethodNotAllowed
	// LogUnavailable: the use log cannot be written, so nothing is answered.
	LogUnavailable
	// StoreUnavailable: the documents cannot be read or written now.
	StoreUnavailable
	// ConnectionEnded: the connection ended in the middle of the answer. Nobody is answered so; the use log tells it.
	ConnectionEnded
	// InternalError: the archive failed in a way nobody foresaw.
	InternalError
	kindEnd
)

var kinds = [kindEnd]struct {
	code   string
	status int
}{
	IdentityCodeInURL:         {"identity-code-in-url", http.StatusBadRequest},
	IdentityCodeMisplaced:     {"identity-code-misplaced", http.StatusBadRequest},
	UnknownParameter:          {"unknown-parameter", http.StatusBadRequest},
	InvalidParameter:          {"invalid-parameter", http.StatusBadRequest},
	UnknownField:              {"unknown-field", http.StatusBadRequest},
	InvalidField:              {"invalid-field", http.StatusBadRequest},
	InvalidBody:               {"invalid-body", http.StatusBadRequest},
	IdentityCodeInvalid:       {"identity-code-invalid", http.StatusUnprocessableEntity},
	IdentityCodeNotTest:       {"identity-code-not-test", http.StatusUnprocessableEntity},
	TemporaryInvalid:          {"temporary-identifier-invalid", http.StatusUnprocessableEntity},
	ClientIdentified:          {"client-identified", http.StatusConflict},
	ClientMergeNeeded:         {"client-merge-needed", http.StatusConflict},
	DocumentMalformed:         {"document-malformed", http.StatusUnprocessableEntity},
	DocumentInvalid:           {"document-invalid", http.StatusUnprocessableEntity},
	MultipartMalformed:        {"multipart-malformed", http.StatusBadRequest},
	DocumentTypeUnknown:       {"document-type-unknown", http.StatusUnprocessableEntity},
	ServiceTaskUnknown:        {"service-task-unknown", http.StatusUnprocessableEntity},
	ReasonUnknown:             {"reason-unknown", http.StatusUnprocessableEntity},
	SchemaUnknown:             {"schema-unknown", http.StatusUnprocessableEntity},
	SchemaNotInForce:          {"schema-not-in-force", http.StatusUnprocessableEntity},
	FormatNotTaken:            {"format-not-taken", http.StatusUnsupportedMediaType},
	SignatureInvalid:          {"signature-invalid", http.StatusUnprocessableEntity},
	SignatureOtherSigner:      {"signature-other-signer", http.StatusUnprocessableEntity},
	RelationshipImmutable:     {"relationship-immutable", http.StatusUnprocessableEntity},
	RelationshipOtherUnit:     {"relationship-other-unit", http.StatusForbidden},
	PreconditionRequired:      {"precondition-required", http.StatusPreconditionRequired},
	VersionStale:              {"version-stale", http.StatusPreconditionFailed},
	DocumentAnnulled:          {"document-annulled", http.StatusGone},
	MatterUnknown:             {"matter-unknown", http.StatusNotFound},
	MatterClosed:              {"matter-closed", http.StatusConflict},
	MatterExists:              {"matter-exists", http.StatusConflict},
	ClientOutsideMatter:       {"client-outside-matter", http.StatusUnprocessableEntity},
	TaskOutsideMatter:         {"task-outside-matter", http.StatusUnprocessableEntity},
	DocumentDestroyed:         {"document-destroyed", http.StatusGone},
	DeploymentTestOver:        {"deployment-test-over", http.StatusGone},
	DocumentExists:            {"document-exists", http.StatusConflict},
	IdempotencyKeyReused:      {"idempotency-key-reused", http.StatusUnprocessableEntity},
	VersionNotFound:           {"version-not-found", http.StatusNotFound},
	SignatureNotFound:         {"signature-not-found", http.StatusNotFound},
	ContentTypeUnsupported:    {"content-type-unsupported", http.StatusUnsupportedMediaType},
	NotAcceptable:             {"not-acceptable", http.StatusNotAcceptable},
	BodyTooLarge:              {"body-too-large", http.StatusRequestEntityTooLarge},
	DigestMismatch:            {"digest-mismatch", http.StatusBadRequest},
	CertificateUnrecognized:   {"certificate-unrecognized", http.StatusForbidden},
	AssertionMalformed:        {"assertion-malformed", http.StatusUnauthorized},
	AssertionAlgorithmRefused: {"assertion-algorithm-refused", http.StatusUnauthorized},
	AssertionChainRefused:     {"assertion-chain-refused", http.StatusUnauthorized},
	AssertionSignatureInvalid: {"assertion-signature-invalid", http.StatusUnauthorized},
	AssertionNotBound:         {"assertion-not-bound", http.StatusUnauthorized},
	AssertionWrongAudience:    {"assertion-wrong-audience", http.StatusUnauthorized},
	AssertionLifetimeTooLong:  {"assertion-lifetime-too-long", http.StatusUnauthorized},
	AssertionExpired:          {"assertion-expired", http.StatusUnauthorized},
	AssertionNotYetValid:      {"assertion-not-yet-valid", http.StatusUnauthorized},
	AssertionSubjectRefused:   {"assertion-subject-refused", http.StatusUnauthorized},
	AssertionReplayed:         {"assertion-replayed", http.StatusUnauthorized},
	RoleUnknown:               {"role-unknown", http.StatusForbidden},
	UserRightMissing:          {"user-right-missing", http.StatusForbidden},
	MaskedJSONWithheld:        {"masked-json-withheld", http.StatusForbidden},
	MaskedXHTMLWithheld:       {"masked-xhtml-withheld", http.StatusForbidden},
	MaskedSignatureWithheld:   {"masked-signature-withheld", http.StatusForbidden},
	MaskStored:                {"mask-stored", http.StatusUnprocessableEntity},
	NonDisclosureDropped:      {"non-disclosure-dropped", http.StatusUnprocessableEntity},
	TrustAnchorsMissing:       {"trust-anchors-missing", http.StatusServiceUnavailable},
	DocumentNotFound:          {"document-not-found", http.StatusNotFound},
	ClientUnknown:             {"client-unknown", http.StatusNotFound},
	LogPeriodTooLong:          {"log-period-too-long", http.StatusUnprocessableEntity},
	WithholdingNotFound:       {"withholding-not-found", http.StatusNotFound},
	WithholdingLifted:         {"withholding-lifted", http.StatusConflict},
	CursorInvalid:             {"cursor-invalid", http.StatusBadRequest},
	NotFound:                  {"not-found", http.StatusNotFound},
	MethodNotAllowed:          {"method-not-allowed", http.StatusMethodNotAllowed},
	LogUnavailable:            {"log-unavailable", http.StatusServiceUnavailable},
	StoreUnavailable:          {"store-unavailable", http.StatusServiceUnavailable},
	ConnectionEnded:           {"connection-ended", http.StatusServiceUnavailable},
	InternalError:             {"internal-error", http.StatusInternalServerError},
}

// Kinds lists every kind, for documentation and tests.
func Kinds() []Kind {
	all := make([]Kind, 0, kindEnd-1)
	for k := Kind(1); k < kindEnd; k++ {
		all = append(all, k)
	}
	return all
}

// known gives the kind, or InternalError for what is none.
func (k Kind) known() Kind {
	if k == 0 || k >= kindEnd {
		return InternalError
	}
	return k
}

// Code is the kind's stable name, in kebab case.
func (k Kind) Code() string { return kinds[k.known()].code }

// String is the code.
func (k Kind) String() string { return k.Code() }

// Status is the HTTP status of an answer with this kind.
func (k Kind) Status() int { return kinds[k.known()].status }

// Type is the stable URI for the type member.
func (k Kind) Type() string { return access.TypeBase + k.Code() }

// Text is what a person is told about the kind, in the language.
func (k Kind) Text(lang access.Lang) access.Text {
	switch lang {
	case access.English:
		return textsEnglish[k.known()]
	case access.Swedish:
		return textsSwedish[k.known()]
	default:
		return textsFinnish[k.known()]
	}
}
