// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// Problem is a refusal or another error that the archive answered with (RFC 9457). Its Reason is a stable code
// for programs; Title and Detail are for people, in the language that was asked for.
type Problem struct {
	openapi.Problem

	// Language is that of Title and Detail.
	Language string
	// RetryAfter is how long the archive asks to wait, with status 503.
	RetryAfter time.Duration
	// CurrentVersion is the number of the current version, with the reasons precondition-required and version-stale.
	CurrentVersion int
}

// Error tells the status, the reason, the detail, and where a schema does not allow the document.
func (p *Problem) Error() string {
	text := &strings.Builder{}
	fmt.Fprintf(text, "%d %s", p.Status, p.Reason)
	if p.Detail != "" {
		fmt.Fprintf(text, ": %s", p.Detail)
	}
	for _, e := range p.Errors {
		fmt.Fprintf(text, "; %q %s: %s", e.Pointer, e.Rule, e.Detail)
	}
	return text.String()
}

// ReasonOf returns the reason code of a [*Problem] in the error's chain, or nothing.
func ReasonOf(err error) string {
	if problem := (*Problem)(nil); errors.As(err, &problem) {
		return problem.Reason
	}
	return ""
}

// problemOf reads an answer that is an error. What is no problem+json, such as the answer of a proxy, has the
// status alone.
func problemOf(response *http.Response, body []byte) *Problem {
	p := &Problem{Language: response.Header.Get("Content-Language"), RetryAfter: retryAfter(response)}
	if err := json.Unmarshal(body, &p.Problem); err != nil || p.Reason == "" {
		p.Problem = openapi.Problem{Title: http.StatusText(response.StatusCode), Detail: http.StatusText(response.StatusCode)}
	}
	p.Status = response.StatusCode
	p.CurrentVersion = versionOf(response.Header.Get("ETag"))
	if p.RequestID == "" {
		p.RequestID = response.Header.Get("X-Request-Id")
	}
	return p
}

// retryAfter reads the header in seconds; the archive does not use its other form, a date.
func retryAfter(response *http.Response) time.Duration {
	seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// versionOf reads the number of a version from its entity tag, such as "3" or "3-json"; 0 if it is none.
func versionOf(etag string) int {
	number, _, _ := strings.Cut(strings.Trim(etag, `"`), "-")
	version, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return version
}

// tagOf is the entity tag of a version.
func tagOf(version int) string { return strconv.Quote(strconv.Itoa(version)) }
