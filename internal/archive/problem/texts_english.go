// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import "github.com/valtuus/valtuus/internal/access"

var textsEnglish = [kindEnd]access.Text{
	IdentityCodeInURL:         {Title: "A personal identity code in the address", Detail: "The address of the request holds what looks like a personal identity code. Addresses end up in logs, so send the code in the body of a search instead. The code in this address was not recorded here, but check the logs between you and the archive."},
	IdentityCodeMisplaced:     {Title: "A personal identity code in a wrong place", Detail: "A field that is meant for something else holds what looks like a personal identity code. Send the code only in the field identityCode."},
	UnknownParameter:          {Title: "Unknown parameter", Detail: "The address has a query parameter that this operation does not know. A misspelled parameter is never ignored, because the answer could then hold more than was asked for."},
	InvalidParameter:          {Title: "Invalid parameter", Detail: "A parameter of the request is missing, given twice or not in its form. This answer names it."},
	UnknownField:              {Title: "Unknown field", Detail: "The body of the request has a field that this operation does not know. A misspelled field is never ignored, because the answer could then hold more than was asked for."},
	InvalidField:              {Title: "Invalid field", Detail: "A field in the body of the request is missing or not in its form. This answer names it."},
	InvalidBody:               {Title: "Invalid body", Detail: "The body of the request has to be one JSON object in UTF-8, with each name once."},
	IdentityCodeInvalid:       {Title: "The personal identity code is not valid", Detail: "The code is not a valid Finnish personal identity code. Check that it was typed right. The hint tells which part does not hold."},
	IdentityCodeNotTest:       {Title: "Not a test code", Detail: "This is a test registry. It takes only personal identity codes of the 900 series, which belong to nobody."},
	DocumentMalformed:         {Title: "The document is not well-formed", Detail: "The document is not well-formed in the format that it claims, so it was not stored. The hint tells what is wrong."},
	ContentTypeUnsupported:    {Title: "The content type is not supported", Detail: "A document has to be application/json or application/xhtml+xml, and every other request body application/json, in UTF-8."},
	NotAcceptable:             {Title: "The document is in another format", Detail: "The document is stored in a format that the request does not accept. The archive returns documents as they were stored and does not convert them."},
	BodyTooLarge:              {Title: "The body is too large", Detail: "A document may be 10 MiB at most, and every other request body 64 KiB."},
	DigestMismatch:            {Title: "The digest does not match", Detail: "The bytes that reached the archive do not have the digest that the request announced, so nothing was stored. Send the request again."},
	CertificateUnrecognized:   {Title: "The certificate names no client of this archive", Detail: "The certificate of this connection was issued by the archive's authority, but it names neither a producer unit nor an organizer. Use the certificate that was delivered with the register access right."},
	AssertionMalformed:        {Title: "The professional assertion is malformed", Detail: "The header Professional-Assertion has to hold one signed assertion in the form that the archive's documentation gives. The vendor of the client system can mend this."},
	AssertionAlgorithmRefused: {Title: "The assertion's algorithm is not accepted", Detail: "The professional assertion is signed with an algorithm that the archive does not accept, or that does not fit the card's key. The vendor of the client system can mend this."},
	AssertionChainRefused:     {Title: "The professional's card is not trusted", Detail: "The certificate of the professional's card is not valid now, or was not issued by an authority that this archive trusts. Check that the card is valid."},
	AssertionSignatureInvalid: {Title: "The assertion's signature is wrong", Detail: "The professional assertion was not signed with the key of the card that it names, or was changed afterwards."},
	AssertionNotBound:         {Title: "The assertion belongs to another connection", Detail: "The professional assertion was made for another client certificate than the one of this connection. The client system has to make it for the certificate in use."},
	AssertionWrongAudience:    {Title: "The assertion is for another registry", Detail: "The professional assertion was made for another client registry than the one in the address."},
	AssertionLifetimeTooLong:  {Title: "The assertion is valid for too long", Detail: "A professional assertion may be valid for five minutes at most."},
	AssertionExpired:          {Title: "The assertion has expired", Detail: "The professional assertion is no longer valid. The client system has to make a new one for each request, and its clock has to be right."},
	AssertionNotYetValid:      {Title: "The assertion is not valid yet", Detail: "The professional assertion is dated in the future. Check the clock of the client system."},
	AssertionSubjectRefused:   {Title: "The professional's identifier is not accepted", Detail: "The identifier or the role in the professional assertion is not in its form, is not the one on the card, or looks like a personal identity code. Use the professional's registration number."},
	AssertionReplayed:         {Title: "The assertion has been used before", Detail: "A professional assertion serves one request only. The client system has to make a new one for each request."},
	TrustAnchorsMissing:       {Title: "The archive cannot check professionals' cards yet", Detail: "The archive has not yet been told which authorities issue professionals' cards, so it does not answer. Try again in a moment. If this goes on, contact the people who run the archive."},
	DocumentNotFound:          {Title: "No such document", Detail: "The registry has no document with this id that you may know of."},
	ClientUnknown:             {Title: "No such client", Detail: "The registry has no such client. The organizer registers a client under the personal identity code before anything can be stored."},
	CursorInvalid:             {Title: "The cursor does not belong here", Detail: "The cursor was not given to this caller for this search, or was changed on the way. Start the search from its first page."},
	NotFound:                  {Title: "Nothing at this address", Detail: "The archive has nothing at this address. The description of its interface is at /openapi.json."},
	MethodNotAllowed:          {Title: "The method is not allowed", Detail: "This address does not take this method. The header Allow lists the ones it takes."},
	LogUnavailable:            {Title: "The use log cannot be written", Detail: "Every use of client data has to be recorded before it is answered, and the record cannot be written now. So nothing is answered. Try again in a moment. If this goes on, contact the people who run the archive."},
	StoreUnavailable:          {Title: "The document store is not available", Detail: "Documents cannot be read or written now. Nothing was stored. Try again in a moment. If this goes on, contact the people who run the archive."},
	InternalError:             {Title: "An error in the archive", Detail: "The archive failed to answer the request. Tell the people who run the archive the request id in this answer."},
}
