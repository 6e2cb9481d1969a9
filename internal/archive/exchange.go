// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/pki"
)

// exchange is one request and what has been found out about it.
type exchange struct {
	server    *Server
	request   *http.Request
	writer    http.ResponseWriter
	operation operation
	id        string
	began     time.Time
	lang      access.Lang

	// registry is the OID in the path, once checked.
	registry string
	// identity and fingerprint are the client certificate's, once recognized.
	identity    pki.Identity
	fingerprint pki.Fingerprint
	// showsNonDisclosure is what the decision in the row says of documents under a non-disclosure.
	showsNonDisclosure bool
	// holds says, while an answer is sent, whether it still may be: nil, or how it ends.
	holds func() *outcome
	// row grows with what is known and becomes the use log's row.
	row store.LogRow
}

func (s *Server) newExchange(w http.ResponseWriter, r *http.Request, op operation) *exchange {
	now := s.opts.Clock.Now()
	x := &exchange{
		server: s, request: r, writer: w, operation: op, id: requestID(r.Header.Get("X-Request-Id")),
		began: now, lang: access.MatchLang(r.Header.Get("Accept-Language")),
	}
	x.row = store.LogRow{Time: now, RequestID: x.id, Operation: op.String()}
	return x
}

func (x *exchange) context() context.Context { return x.request.Context() }

func (x *exchange) now() time.Time { return x.server.opts.Clock.Now() }

func (x *exchange) elapsed() time.Duration { return x.now().Sub(x.began) }

// decide asks for the decision as of now and notes in the row what it rests on. It may be asked again:
// the row tells of the last time.
func (x *exchange) decide(q question) verdict {
	now := x.now()
	v := x.judge(q, now)
	x.server.opts.Metrics.decided(x.server.opts.Clock.Since(now))
	x.note(v.Decision, now)
	if v.Allowed {
		x.holds = x.standing(q)
	}
	return v
}

// judge decides for whoever asks, under the professional's user right.
func (x *exchange) judge(q question, now time.Time) verdict {
	decision := x.decideAlone(&q, now)
	if q.role == "" {
		q.role = x.row.Role
	}
	return withUserRight(x.server.opts.Catalog(), &q, decision, now)
}

// decideAlone decides for whoever asks, whatever the professional's user right.
func (x *exchange) decideAlone(q *question, now time.Time) access.Decision {
	q.Caller = access.Caller{
		TrustedRegistry: x.identity.Registry, Unit: x.identity.Unit, Fingerprint: access.Fingerprint(x.fingerprint),
	}
	q.Professional = true // an exchange gets here only with a verified one
	q.Registry = x.registry
	if q.Operation == 0 {
		q.Operation = x.operation.access()
	}
	return x.server.opts.View.Decide(&q.Request, now)
}

func (x *exchange) note(d access.Decision, now time.Time) {
	x.row.Time, x.row.ViewAge = now, d.ViewAge
	x.showsNonDisclosure = d.ShowsNonDisclosure
	x.row.RegistryObject = objectRef(d.RestsOn.Registry)
	x.row.Grant = objectRef(d.RestsOn.Grant)
	x.row.Relationship = objectRef(d.RestsOn.Relationship)
}

// about notes whose data the request is about.
func (x *exchange) about(client uuid.UUID) { x.row.ClientID = client }

// handled notes the documents that the answer holds or that were stored.
func (x *exchange) handled(ids ...uuid.UUID) {
	x.row.DocumentIDs, x.row.DocumentCount = ids, len(ids)
}

const (
	minRequestID = 8
	maxRequestID = 64
)

// requestID takes the caller's id for the request if it is a plain one, else makes one.
func requestID(given string) string {
	if len(given) < minRequestID || len(given) > maxRequestID || identitycode.LooksLike(given) {
		return rand.Text()
	}
	for i := range len(given) {
		c := given[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return rand.Text()
		}
	}
	return given
}
