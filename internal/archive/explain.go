// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/oid"
)

// explainRequest is the body of explain.
type explainRequest struct {
	Client      string `json:"client"`
	Operation   string `json:"operation"`
	ServiceTask string `json:"serviceTask"`
	Unit        string `json:"unit"`
	// DocumentType and Role narrow the question about the user right; without a type it is about some type.
	DocumentType string `json:"documentType"`
	Role         string `json:"role"`
}

// explainAnswer is a decision with all that it rests on.
type explainAnswer struct {
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	// Prerequisite is the eligibility reason of a grant that is not ready.
	Prerequisite string     `json:"prerequisite,omitempty"`
	StartsAt     *time.Time `json:"startsAt,omitempty"`
	EndedAt      *time.Time `json:"endedAt,omitempty"`
	// AllServiceTasks or ServiceTasks tell what may be seen of the client.
	AllServiceTasks bool     `json:"allServiceTasks,omitempty"`
	ServiceTasks    []string `json:"serviceTasks,omitempty"`
	// MasksNonDisclosure tells that documents under a non-disclosure are given masked.
	MasksNonDisclosure bool         `json:"masksNonDisclosure,omitempty"`
	RestsOn            restsOnJSON  `json:"restsOn"`
	Assumes            []assumption `json:"assumes,omitempty"`
	DecidedAt          time.Time    `json:"decidedAt"`
	ViewAgeSeconds     float64      `json:"viewAgeSeconds"`
	RequestID          string       `json:"requestId"`
}

// assumption is what an explanation for somebody else takes for given.
type assumption string

// The assumptions about a unit that somebody else asks for.
const (
	assumesCertificate  assumption = "accepted-certificate"
	assumesProfessional assumption = "verified-professional"
	// assumesUserRight is made where no role is asked about.
	assumesUserRight assumption = "user-right"
)

type restsOnJSON struct {
	Registry     *refJSON `json:"registry,omitempty"`
	Unit         *refJSON `json:"unit,omitempty"`
	Grant        *refJSON `json:"grant,omitempty"`
	Relationship *refJSON `json:"relationship,omitempty"`
}

type refJSON struct {
	UID      string `json:"uid"`
	Revision string `json:"revision"`
}

// explain tells how a request would be decided now, and on what ground. An organizer may ask for any
// unit; a unit only for itself, and learns no more than by trying.
func (x *exchange) explain() outcome {
	ask, unit, stopped := x.explainQuestion()
	if stopped != nil {
		return *stopped
	}
	x.about(uuid.UUID(ask.Client))
	if !x.identity.Organizer() {
		if unit != "" && unit != x.identity.Unit {
			return refused(access.ReasonExtentInsufficient)
		}
		d, own := x.decide(ask), ask
		own.role = ""
		if ask.role != "" && !x.judge(own, x.now()).Allowed { // by its own role it would not learn of these
			d.Tasks, d.RestsOn.Relationship = access.TaskSet{}, access.Ref{}
		}
		return x.explained(d, nil)
	}
	// Who asks about others must be the organizer of now.
	if d := x.decide(question{Request: access.Request{Operation: access.FindClient, Client: ask.Client}}); !d.Allowed {
		return refusedBy(d)
	}
	if unit == "" {
		return x.explained(x.decide(ask), nil)
	}
	assumes := []assumption{assumesCertificate, assumesProfessional}
	if ask.role == "" {
		assumes = append(assumes, assumesUserRight)
	}
	return x.explained(x.decideFor(unit, ask), assumes)
}

// decideFor decides as for the unit, taking for given that it uses an accepted certificate: which one
// it uses is known only when it connects. Who works there is not known either, so a user right counts only if a
// role is asked about.
func (x *exchange) decideFor(unit string, ask question) verdict {
	ask.Caller = access.Caller{TrustedRegistry: x.registry, Unit: unit, Fingerprint: access.Fingerprint(x.fingerprint)}
	ask.Professional, ask.Registry = true, x.registry
	now := x.now()
	var d access.Decision
	x.server.opts.View.Read(func(view access.View) {
		d = access.Decide(&ask.Request, acceptedCertificate{View: view, now: now}, now)
	})
	x.note(d, now)
	if ask.role == "" {
		return verdict{Decision: d}
	}
	return withUserRight(x.server.opts.Catalog(), &ask, d, now)
}

// acceptedCertificate is a view in which a grant lists every certificate.
type acceptedCertificate struct {
	access.View
	now time.Time
}

// GrantCredential implements access.View.
func (v acceptedCertificate) GrantCredential(access.Handle, access.Fingerprint) (access.Credential, bool) {
	return access.Credential{NotBefore: v.now, NotAfter: v.now.Add(time.Hour)}, true
}

func (x *exchange) explained(d verdict, assumes []assumption) outcome {
	source := d.source()
	text := source.Text(x.lang)
	body := explainAnswer{
		Allowed: d.Allowed, Reason: source.Code(), Type: source.Type(), Title: text.Title, Detail: text.Detail,
		Prerequisite: d.Detail, StartsAt: given(d.StartsAt.UTC()), EndedAt: given(d.EndedAt.UTC()),
		AllServiceTasks: d.Tasks.All(), ServiceTasks: d.Tasks.Codes(),
		MasksNonDisclosure: d.Allowed && !d.ShowsNonDisclosure,
		RestsOn: restsOnJSON{
			Registry: toRefJSON(d.RestsOn.Registry), Unit: toRefJSON(d.RestsOn.Unit),
			Grant: toRefJSON(d.RestsOn.Grant), Relationship: toRefJSON(d.RestsOn.Relationship),
		},
		Assumes: assumes, DecidedAt: x.row.Time.UTC(), ViewAgeSeconds: d.ViewAge.Seconds(), RequestID: x.id,
	}
	a := jsonAnswer(http.StatusOK, body)
	a.header.Set("Content-Language", x.lang.String())
	a.header.Set("Vary", "Accept-Language")
	// The asking was allowed; what it told is in the reason.
	return outcome{kind: store.OutcomeAllowed, reason: explainedReason(d), answer: a}
}

func explainedReason(d verdict) string {
	if d.Allowed {
		return ""
	}
	return d.source().Code()
}

func toRefJSON(r access.Ref) *refJSON {
	if r.IsZero() {
		return nil
	}
	ref := objectRef(r)
	return &refJSON{UID: ref.UID, Revision: ref.Revision}
}

// explainQuestion reads the body and makes the question of it.
func (x *exchange) explainQuestion() (ask question, unit string, stopped *outcome) {
	var body explainRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return ask, "", stopped
	}
	f := fields{invalid: invalidField}
	client := f.uuid("client", body.Client)
	task := f.code("serviceTask", body.ServiceTask)
	f.clean(body.Unit)
	if body.Unit != "" && !oid.Valid(body.Unit) {
		f.fail("unit", "must be an OID")
	}
	operation, known := operationNamed(body.Operation)
	if !known {
		f.fail("operation", "must be the name of an operation, such as Read, Search or Store")
	}
	ask = question{
		Request:      access.Request{Operation: operation, Client: access.ClientID(client), ServiceTask: task},
		documentType: f.code("documentType", body.DocumentType), role: f.code("role", body.Role),
	}
	if bringsIn(operation) {
		if kind, known := x.server.opts.Catalog().Type(body.DocumentType); known {
			ask.IncomingSector = kind.Sector()
		}
	}
	author := body.Unit
	if author == "" {
		author = x.identity.Unit
	}
	if f.wrong == nil && aboutDocument(operation) {
		if task == "" {
			f.fail("serviceTask", "is needed for this operation")
		}
		// A document of the client in that service task, stored by the unit itself.
		ask.Document = &access.DocumentFacts{
			Registry: x.registry, Client: ask.Client, ServiceTasks: []string{task}, AuthorUnit: author,
		}
	}
	return ask, body.Unit, f.wrong
}

// bringsIn tells whether the operation brings a document in.
func bringsIn(op access.Operation) bool {
	switch op {
	case access.Store, access.NewVersion, access.Correct:
		return true
	default:
		return false
	}
}

// aboutDocument tells whether the operation is about one stored document.
func aboutDocument(op access.Operation) bool {
	switch op {
	case access.Read, access.NewVersion, access.Annul, access.Correct:
		return true
	default:
		return false
	}
}
