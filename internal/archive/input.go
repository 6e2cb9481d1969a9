// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/strictjson"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// Limits of request bodies, in bytes.
const (
	MaxDocument = 10 << 20
	MaxRequest  = 64 << 10
)

// codePattern is the form of service-task and document-type codes, as in the API's ServiceTaskCode.
var codePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// query gives the query's parameters. Any that is not known ends the request, and so does one given
// twice, except those that may repeat.
func (x *exchange) query(known []string, repeatable ...string) (url.Values, *outcome) {
	values, err := url.ParseQuery(x.request.URL.RawQuery)
	if err != nil {
		return nil, ended(failed(&problem.Problem{Source: problem.InvalidParameter, Hint: "the query is not well-formed"}))
	}
	for name, given := range values {
		switch {
		case slices.Contains(repeatable, name):
		case !slices.Contains(known, name):
			return nil, ended(failed(&problem.Problem{Source: problem.UnknownParameter, Parameter: quotable(name)}))
		case len(given) > 1:
			return nil, ended(failed(&problem.Problem{Source: problem.InvalidParameter, Parameter: name, Hint: "given more than once"}))
		}
	}
	return values, nil
}

// requestJSON decodes the body, a flat JSON object, into target.
func (x *exchange) requestJSON(target any) *outcome {
	if _, ended := x.query(nil); ended != nil {
		return ended
	}
	if mediaType(x.request.Header.Values("Content-Type")) != store.ContentJSON || x.request.Header.Get("Content-Encoding") != "" {
		return ended(failed(problem.Of(problem.ContentTypeUnsupported)))
	}
	raw, stopped := x.body(MaxRequest)
	if stopped != nil {
		return stopped
	}
	var (
		unknown *strictjson.UnknownFieldError
		wrong   *strictjson.FieldTypeError
	)
	switch err := strictjson.Object(raw, target); {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		return ended(failed(&problem.Problem{Source: problem.UnknownField, Field: quotable(unknown.Name)}))
	case errors.As(err, &wrong):
		return ended(invalidField(wrong.Name, "of a wrong type"))
	default:
		return ended(failed(&problem.Problem{Source: problem.InvalidBody, Hint: err.Error()}))
	}
}

// body reads the request's body up to the limit.
func (x *exchange) body(limit int64) ([]byte, *outcome) {
	raw, err := io.ReadAll(http.MaxBytesReader(x.writer, x.request.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, ended(failed(problem.Of(problem.BodyTooLarge)))
	case err != nil:
		return nil, ended(failed(&problem.Problem{Source: problem.InvalidBody, Hint: "the body ended early"}))
	}
	return raw, nil
}

// mediaType gives the media type of a Content-Type header, or "" for one with other parameters than
// charset=utf-8.
func mediaType(lines []string) string {
	if len(lines) != 1 {
		return ""
	}
	kind, parameters, err := mime.ParseMediaType(lines[0])
	if err != nil {
		return ""
	}
	for name, value := range parameters {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return ""
		}
	}
	return kind
}

// quotable gives the caller's own text back only where it can do no harm.
func quotable(text string) string {
	if len(text) > 64 || identitycode.LooksLike(text) {
		return ""
	}
	return strings.ToValidUTF8(text, "")
}

func invalidField(name, hint string) outcome {
	return failed(&problem.Problem{Source: problem.InvalidField, Field: name, Hint: hint})
}

func invalidParameter(name, hint string) outcome {
	return failed(&problem.Problem{Source: problem.InvalidParameter, Parameter: name, Hint: hint})
}

// field checks the fields of one request and remembers the first that is wrong.
type fields struct {
	wrong *outcome
	// invalid makes the outcome for a wrong one.
	invalid func(name, hint string) outcome
}

func (f *fields) fail(name, hint string) {
	if f.wrong == nil {
		f.wrong = ended(f.invalid(name, hint))
	}
}

// clean refuses text that looks to hold an identity code: what is not the code's field may be logged.
func (f *fields) clean(text string) {
	if identitycode.LooksLike(text) && f.wrong == nil {
		f.wrong = ended(failed(problem.Of(problem.IdentityCodeMisplaced)))
	}
}

// uuid reads an id, which must be given.
func (f *fields) uuid(name, text string) uuid.UUID {
	f.clean(text)
	id, ok := parseUUID(text)
	if !ok {
		f.fail(name, "must be a UUID in its 36-character form")
	}
	return id
}

// code checks a code; empty is as good as none given.
func (f *fields) code(name, text string) string {
	f.clean(text)
	if text != "" && !codePattern.MatchString(text) {
		f.fail(name, "must be 1 to 63 letters, digits, dots, hyphens and underscores, with a letter or digit at both ends")
	}
	return text
}

// time reads a point in time; empty is as good as none given.
func (f *fields) time(name, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1900 || t.Year() > 9998 {
		f.fail(name, "must be an RFC 3339 time such as 2026-03-01T08:00:00Z")
	}
	return t
}

// parseUUID reads the 36-character form alone, so that one id has one text.
func parseUUID(text string) (uuid.UUID, bool) {
	if len(text) != 36 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil && id != uuid.Nil
}
