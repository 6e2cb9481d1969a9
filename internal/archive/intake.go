// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// createdTolerance is how far ahead of the archive's clock a client system's may be.
const createdTolerance = 5 * time.Minute

// intake is a version of a document on its way in: what the request says of it, then what the catalog says,
// then its bytes. The first version, a new version and a correction all come in by it.
type intake struct {
	store.Content
	// named are the clients that the request names; asked those for whom the decision is asked.
	named, asked []uuid.UUID
	// clients and typeCode are the document's: given with its first version, else those that it has.
	clients  []uuid.UUID
	typeCode string
	// oldData tells that the document is old client data.
	oldData bool
	// formats are the media types of the representations to come; boundary is between two of them.
	formats  []string
	boundary string

	// kind and schema are what the catalog has for it. Without a schema the JSON is held to none.
	kind   *catalog.DocumentType
	schema *catalog.Schema
	// operation is what storing it amounts to.
	operation access.Operation
}

// question asks for storing it.
func (in *intake) question() question {
	return question{
		Request: access.Request{
			Operation: in.operation, IncomingTasks: in.ServiceTasks, IncomingOldData: in.oldData, IncomingSector: in.kind.Sector(),
		},
		documentType: in.typeCode,
	}
}

// versionParameters are the query parameters of every version; serviceTask may repeat besides.
var versionParameters = []string{"created", "matter", "language", "schema", "nonDisclosure", "display", "displayFrom"}

// newDocumentQuery reads what the request says of a document besides its bytes.
func (x *exchange) newDocumentQuery() (intake, *outcome) {
	query, stopped := x.query(append([]string{"type", "oldClientData"}, versionParameters...), "serviceTask", "client")
	if stopped != nil {
		return intake{}, stopped
	}
	f := fields{invalid: invalidParameter}
	in := x.version(&f, query)
	in.typeCode = f.code("type", query.Get("type"))
	if in.typeCode == "" {
		f.fail("type", "is missing")
	}
	if in.oldData = f.flag("oldClientData", query); in.oldData && in.Matter != "" {
		f.fail("oldClientData", "does not go with a matter")
	}
	if !query.Has("client") && in.Matter != "" {
		return in, f.wrong // all of the matter's
	}
	for _, text := range f.set("client", query["client"], store.MaxClients) {
		client := f.uuid("client", text)
		if slices.Contains(in.named, client) {
			f.fail("client", "is given twice")
		}
		in.named = append(in.named, client)
	}
	return in, f.wrong
}

// newVersionQuery reads what the request says of a further version besides its bytes. A correction tells
// its reason.
func (x *exchange) newVersionQuery(correction bool) (id uuid.UUID, in intake, stopped *outcome) {
	known := versionParameters
	if correction {
		known = append([]string{"reason"}, known...)
	}
	query, stopped := x.query(known, "serviceTask")
	if stopped != nil {
		return id, in, stopped
	}
	f := fields{invalid: invalidParameter}
	id = f.uuid("id", x.request.PathValue("id"))
	in = x.version(&f, query)
	if correction {
		if in.CorrectionReason = f.code("reason", query.Get("reason")); in.CorrectionReason == "" {
			f.fail("reason", "is missing")
		}
	}
	return id, in, f.wrong
}

// version reads what any version has.
func (x *exchange) version(f *fields, query url.Values) (in intake) {
	in.Content = store.Content{
		Matter: f.matter("matter", query.Get("matter")), ServiceTasks: f.set("serviceTask", query["serviceTask"], store.MaxServiceTasks),
		Author:   x.author(),
		Created:  f.time("created", query.Get("created")),
		Language: f.language(query.Get("language")), SchemaVersion: f.code("schema", query.Get("schema")),
		Labels: f.labels(query),
	}
	for _, task := range in.ServiceTasks {
		if f.code("serviceTask", task); task == "" {
			f.fail("serviceTask", "is empty")
		}
	}
	switch {
	case in.Created.IsZero():
		f.fail("created", "is missing")
	case in.Created.After(x.began.Add(createdTolerance)):
		f.fail("created", "is in the future")
	}
	in.operation = x.operation.access()
	if in.formats, in.boundary = documentFormats(x.request.Header); len(in.formats) == 0 && f.wrong == nil {
		f.wrong = ended(failed(problem.Of(problem.ContentTypeUnsupported)))
	}
	return in
}

// author is the caller, as the certificate and the assertion tell.
func (x *exchange) author() store.Author {
	return store.Author{
		Organization: x.row.Organization, Unit: x.identity.Unit, Professional: x.row.Professional, Role: x.row.Role,
	}
}

// documentFormats gives the formats that a body of the request's type holds, none for a type that documents
// do not come in; for two also the boundary between them.
func documentFormats(header http.Header) (formats []string, boundary string) {
	if header.Get("Content-Encoding") != "" {
		return nil, ""
	}
	if kind := mediaType(header.Values("Content-Type")); isFormat(kind) {
		return []string{kind}, ""
	}
	kind, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != contentRelated || len(header.Values("Content-Type")) != 1 {
		return nil, ""
	}
	if boundary = parameters["boundary"]; boundary == "" || len(boundary) > maxBoundary {
		return nil, ""
	}
	return []string{store.ContentJSON, store.ContentXHTML}, boundary
}

// maxBoundary is the longest boundary that MIME allows (RFC 2046, 5.1.1).
const maxBoundary = 70

// set checks that there are 1 to most values, none twice.
func (f *fields) set(name string, values []string, most int) []string {
	if len(values) == 0 || len(values) > most {
		f.fail(name, "must be given 1 to 8 times")
		return nil
	}
	for i, value := range values {
		if slices.Contains(values[:i], value) {
			f.fail(name, "is given twice")
		}
	}
	return values
}

var (
	// matterPattern is the form of a matter's identifier.
	matterPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:-]{0,126}[A-Za-z0-9])?$`)
	// languagePattern is the form of a BCP 47 tag.
	languagePattern = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)
)

const maxLanguage = 35

// matter reads the identifier of a matter; empty is as good as none given.
func (f *fields) matter(name, text string) string {
	f.clean(text)
	if text != "" && !matterPattern.MatchString(text) {
		f.fail(name, "must be 1 to 128 letters, digits, dots, hyphens, underscores and colons, with a letter or digit at both ends")
	}
	return text
}

func (f *fields) language(text string) string {
	f.clean(text)
	if text != "" && (len(text) > maxLanguage || !languagePattern.MatchString(text)) {
		f.fail("language", "must be a language tag such as fi or sv-FI")
	}
	return text
}

func (f *fields) labels(query url.Values) (labels store.Labels) {
	labels = store.Labels{
		NonDisclosure: f.flag("nonDisclosure", query), Display: store.Display(query.Get("display")),
		DisplayFrom: f.time("displayFrom", query.Get("displayFrom")),
	}
	switch labels.Display {
	case "", store.DisplayShown, store.DisplayDelayed, store.DisplayLimited:
	default:
		f.fail("display", "must be shown, delayed or limited")
	}
	if labels.DisplayFrom.IsZero() == (labels.Display == store.DisplayDelayed) {
		f.fail("displayFrom", "belongs to display=delayed, and to that alone")
	}
	return labels
}

// flag reads a parameter that is either absent or true.
func (f *fields) flag(name string, query url.Values) bool {
	if query.Has(name) && query.Get(name) != "true" {
		f.fail(name, "can only be true, or left out")
	}
	return query.Has(name)
}
