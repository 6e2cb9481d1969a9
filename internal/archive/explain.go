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
	AllServiceTasks bool         `json:"allServiceTasks,omitempty"`
	ServiceTasks    []string     `json:"serviceTasks,omitempty"`
	RestsOn         restsOnJSON  `json:"restsOn"`
	Assumes         []assumption `json:"assumes,omitempty"`
	DecidedAt       time.Time    `json:"decidedAt"`
	ViewAgeSeconds  float64      `json:"viewAgeSeconds"`
	RequestID       string       `json:"requestId"`
}

// assumption is what an explanation for somebody else takes for given.
type assumption string

// The assumptions about a unit that somebody else asks for.
const (
	assumesCertificate  assumption = "accepted-certificate"
	assumesProfessional assumption = "verified-professional"
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
			return refusedBy(access.Decision{Reason: access.ReasonExtentInsufficient})
		}
		return x.explained(x.decide(ask), nil)
	}
	// Who asks about others must be the organizer of now.
	if d := x.decide(access.Request{Operation: access.FindClient, Client: ask.Client}); !d.Allowed {
		return refusedBy(d)
	}
	if unit == "" {
		return x.explained(x.decide(ask), nil)
	}
	return x.explained(x.decideFor(unit, ask), []assumption{assumesCertificate, assumesProfessional})
}

// decideFor decides as for the unit, taking for given that it uses an accepted certificate: which one
// it uses is known only when it connects.
func (x *exchange) decideFor(unit string, ask access.Request) (d access.Decision) {
	ask.Caller = access.Caller{TrustedRegistry: x.registry, Unit: unit, Fingerprint: access.Fingerprint(x.fingerprint)}
	ask.Professional, ask.Registry = true, x.registry
	now := x.now()
	x.server.opts.View.Read(func(view access.View) {
		d = access.Decide(&ask, acceptedCertificate{View: view, now: now}, now)
	})
	x.note(d, now)
	return d
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

func (x *exchange) explained(d access.Decision, assumes []assumption) outcome {
	text := d.Reason.Text(x.lang)
	body := explainAnswer{
		Allowed: d.Allowed, Reason: d.Reason.Code(), Type: d.Reason.Type(), Title: text.Title, Detail: text.Detail,
		Prerequisite: d.Detail, StartsAt: given(d.StartsAt.UTC()), EndedAt: given(d.EndedAt.UTC()),
		AllServiceTasks: d.Tasks.All(), ServiceTasks: d.Tasks.Codes(),
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

func explainedReason(d access.Decision) string {
	if d.Allowed {
		return ""
	}
	return d.Reason.Code()
}

func toRefJSON(r access.Ref) *refJSON {
	if r.IsZero() {
		return nil
	}
	ref := objectRef(r)
	return &refJSON{UID: ref.UID, Revision: ref.Revision}
}

// explainQuestion reads the body and makes the question of it.
func (x *exchange) explainQuestion() (ask access.Request, unit string, stopped *outcome) {
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
	operation, known := explainable(body.Operation)
	if !known {
		f.fail("operation", "must be the name of an operation, such as Read, Search or Store")
	}
	ask = access.Request{Operation: operation, Client: access.ClientID(client), ServiceTask: task}
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

var explainableOperations = func() map[string]access.Operation {
	names := map[string]access.Operation{}
	for op := access.FindClient; op <= access.ManageRelationship; op++ {
		names[op.String()] = op
	}
	return names
}()

func explainable(name string) (access.Operation, bool) {
	op, known := explainableOperations[name]
	return op, known
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
