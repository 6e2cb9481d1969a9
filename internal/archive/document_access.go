// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// open gives the facts of a document's current version, if the caller may read it. Every operation on a
// stored document begins with it, so that nothing tells of a document that may not be read.
func (x *exchange) open(id uuid.UUID) (store.Facts, *outcome) {
	facts, err := x.server.opts.Store.DocumentFacts(x.context(), x.registry, id, 0)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if stopped := x.destroyed(id); stopped != nil {
			return facts, stopped
		}
		// Without a document the decision tells so after all that comes before.
		return facts, ended(hidden(x.decide(question{Request: access.Request{Operation: access.Read}})))
	case err != nil:
		return facts, ended(x.storeFailed(err))
	}
	if d := x.decideRead(facts); !d.Allowed {
		return facts, ended(hidden(d))
	}
	return facts, nil
}

// decideRead decides on reading versions of one document. A document of several clients may be read if it
// may through any one of them; all of the versions through the same.
func (x *exchange) decideRead(versions ...store.Facts) verdict {
	return x.throughAnyOf(versions[0].ClientIDs, func(client uuid.UUID) verdict { return x.decideThrough(client, versions) })
}

// throughAnyOf decides through one client after the other until one serves, and gives that verdict, or the one
// that came nearest.
func (x *exchange) throughAnyOf(clients []uuid.UUID, decide func(client uuid.UUID) verdict) (best verdict) {
	var through uuid.UUID
	for _, client := range clients {
		d := decide(client)
		settled := d.Allowed || d.lacking != 0 // a role is the same through every client
		// Reasons are numbered in the order of the checks, so the highest came nearest.
		if settled || d.Reason > best.Reason {
			best, through = d, client
		}
		if settled {
			break
		}
	}
	x.about(through)
	x.note(best.Decision, x.row.Time)
	return best
}

func (x *exchange) decideThrough(client uuid.UUID, versions []store.Facts) (d verdict) {
	for _, version := range versions {
		d = x.decide(toRead(version, client))
		if !d.Allowed {
			break
		}
	}
	return d
}

// decideWrite decides on what is new to the clients: each of them must allow it.
func (x *exchange) decideWrite(ask question, clients []uuid.UUID) verdict {
	return x.throughAll(clients, func(client uuid.UUID) verdict {
		ask.Client = access.ClientID(client)
		return x.decide(ask)
	})
}

// decideChange decides on a change to a document: each of its clients must allow it, but for a shared one any does.
// It gives the clients through whom it is allowed.
func (x *exchange) decideChange(ask question, document store.Facts, shared bool) (verdict, []uuid.UUID) {
	through := func(client uuid.UUID) verdict {
		ask.Client, ask.Document = access.ClientID(client), documentFacts(document, client)
		return x.decide(ask)
	}
	if shared {
		d := x.throughAnyOf(document.ClientIDs, through)
		return d, []uuid.UUID{x.row.ClientID}
	}
	return x.throughAll(document.ClientIDs, through), document.ClientIDs
}

func (x *exchange) throughAll(clients []uuid.UUID, decide func(client uuid.UUID) verdict) (first verdict) {
	for i, client := range clients {
		d := decide(client)
		if !d.Allowed {
			x.about(client)
			return d
		}
		if i == 0 {
			first = d
		}
	}
	x.about(clients[0])
	x.note(first.Decision, x.row.Time)
	return first
}

// hidden makes a refusal that would tell that the document exists, to someone who has nothing to do
// with its client, the same as that of a document that does not.
func hidden(d verdict) outcome { return hiddenAs(d, problem.DocumentNotFound) }

// hiddenAs does so for what is not there by the problem.
func hiddenAs(d verdict, missing problem.Kind) outcome {
	out := refusedBy(d)
	switch d.Reason {
	case access.ReasonDocumentMissing, access.ReasonNoRelationship, access.ReasonClientMissing,
		access.ReasonDocumentOtherClient, access.ReasonDocumentOtherRegistry, access.ReasonOldClientData:
		return out.shownAs(missing)
	case access.ReasonTaskNotCovered, access.ReasonRelationshipEnded, access.ReasonRelationshipNotStarted,
		access.ReasonRelationshipNotAccepted:
		// People choose the identifiers of matters, so they can be guessed, as documents' cannot.
		if missing == problem.MatterUnknown {
			return out.shownAs(missing)
		}
		return out
	default:
		return out
	}
}

// inForce ends a request for an annulled document, unless the organizer asked for it as such.
func (x *exchange) inForce(facts store.Facts, annulled bool) *outcome {
	if facts.Annulment == nil || annulled && x.identity.Organizer() {
		return nil
	}
	return ended(failed(problem.Of(problem.DocumentAnnulled)))
}

// visibleClients gives those of a document's clients whom the caller may be told of: to a unit, only those
// through whom it may read the document, or act on it as it did now.
func (x *exchange) visibleClients(facts store.Facts, through ...uuid.UUID) []uuid.UUID {
	if x.identity.Organizer() || len(facts.ClientIDs) == 1 {
		return facts.ClientIDs
	}
	var visible []uuid.UUID
	for _, client := range facts.ClientIDs {
		if slices.Contains(through, client) || x.mayRead(facts, client) {
			visible = append(visible, client)
		}
	}
	return visible
}

// mayRead decides on reading without a note in the row: it settles what an answer tells, not whether.
func (x *exchange) mayRead(facts store.Facts, client uuid.UUID) bool {
	return x.judge(toRead(facts, client), x.now()).Allowed
}

// toRead asks for reading a version of a document through one of its clients.
func toRead(version store.Facts, client uuid.UUID) question {
	return question{
		Request: access.Request{
			Operation: access.Read, Client: access.ClientID(client), Document: documentFacts(version, client),
		},
		documentType: version.Type,
	}
}
