// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// matterType is the document type whose user rights hold for matters themselves.
const matterType = "matter"

// openMatter gives the matter in the path, if the caller may know of it. Every operation on a matter begins with it.
func (x *exchange) openMatter() (m store.Matter, stopped *outcome) {
	f := fields{invalid: invalidParameter}
	id := f.matter("id", x.request.PathValue("id"))
	if f.wrong != nil {
		return m, f.wrong
	}
	x.row.Criteria = matterCriteria(id)
	m, err := x.server.opts.Store.Matter(x.context(), x.registry, id)
	switch {
	case errors.Is(err, store.ErrMatterUnknown):
		// Without a matter the decision tells so after all that comes before.
		d := x.decide(question{Request: access.Request{Operation: access.Read}, documentType: matterType})
		return m, ended(hiddenAs(d, problem.MatterUnknown))
	case err != nil:
		return m, ended(x.storeFailed(err))
	}
	if d := x.decideReadMatter(m); !d.Allowed {
		return m, ended(hiddenAs(d, problem.MatterUnknown))
	}
	return m, nil
}

// decideReadMatter decides on reading a matter: through any one of its clients, as a document of the matter's
// service tasks.
func (x *exchange) decideReadMatter(m store.Matter) verdict {
	return x.throughAnyOf(m.ClientIDs, func(client uuid.UUID) verdict { return x.decide(toReadMatter(m, client)) })
}

// decideManage decides on opening, closing or reopening: for each of the matter's clients, in all of its service
// tasks.
func (x *exchange) decideManage(clients []uuid.UUID, tasks []string) verdict {
	return x.decideWrite(question{Request: access.Request{IncomingTasks: tasks}, documentType: matterType}, clients)
}

// mayReadMatter decides on reading without a note in the row: it settles what an answer tells, not whether.
func (x *exchange) mayReadMatter(m store.Matter, client uuid.UUID) bool {
	return x.judge(toReadMatter(m, client), x.now()).Allowed
}

// seesMatter tells whether the caller, whatever the professional's role, has to do with the matter.
func (x *exchange) seesMatter(m store.Matter) bool {
	for _, client := range m.ClientIDs {
		if q := toReadMatter(m, client); x.decideAlone(&q, x.now()).Allowed {
			return true
		}
	}
	return false
}

// visibleMatterClients gives those of a matter's clients whom the caller may be told of.
func (x *exchange) visibleMatterClients(m store.Matter, through uuid.UUID) []uuid.UUID {
	if x.identity.Organizer() {
		return m.ClientIDs
	}
	var visible []uuid.UUID
	for _, client := range m.ClientIDs {
		if client == through || x.mayReadMatter(m, client) {
			visible = append(visible, client)
		}
	}
	return visible
}

func toReadMatter(m store.Matter, client uuid.UUID) question {
	return question{
		Request: access.Request{
			Operation: access.Read, Client: access.ClientID(client),
			Document: &access.DocumentFacts{
				Registry: m.Registry, Client: access.ClientID(client), ServiceTasks: m.ServiceTasks,
			},
		},
		documentType: matterType,
	}
}

// decideNew decides on storing a new document, and gives it the clients of its matter: a document in a shared
// matter is of all of them, by the organizer's decision to share it. Asked for are those whom the request names,
// or all of them where it names none.
func (x *exchange) decideNew(in *intake) *outcome {
	if in.Matter == "" {
		in.clients, in.asked = in.named, in.named
		return denied(x.decideWrite(in.question(), in.asked))
	}
	m, err := x.server.opts.Store.Matter(x.context(), x.registry, in.Matter)
	unknown := errors.Is(err, store.ErrMatterUnknown)
	if err != nil && !unknown {
		return ended(x.storeFailed(err))
	}
	in.clients, in.asked = m.ClientIDs, in.named
	switch {
	case len(in.named) == 0 && unknown:
		if d := x.decide(in.question()); !d.Allowed {
			return ended(hiddenAs(d, problem.MatterUnknown))
		}
	case len(in.named) == 0:
		in.asked = m.ClientIDs
		if d := x.decideWrite(in.question(), in.asked); !d.Allowed {
			if x.seesMatter(m) {
				return ended(refusedBy(d))
			}
			return ended(hiddenAs(d, problem.MatterUnknown))
		}
	default:
		if d := x.decideWrite(in.question(), in.asked); !d.Allowed {
			return ended(refusedBy(d))
		}
	}
	switch {
	case unknown:
		return x.matterRefused(in.Matter, store.ErrMatterUnknown)
	case !m.HasClients(in.named):
		return x.matterRefused(in.Matter, store.ErrClientOutsideMatter)
	case !m.HasTasks(in.ServiceTasks):
		return x.matterRefused(in.Matter, store.ErrTaskOutsideMatter)
	default:
		return nil
	}
}

// denied ends a request that the decision does not allow.
func denied(d verdict) *outcome {
	if d.Allowed {
		return nil
	}
	return ended(refusedBy(d))
}

// isShared tells whether the document is the caller's own, in a shared matter that is known: then the right through
// one of its clients suffices for a change.
func (x *exchange) isShared(document store.Facts) (bool, *outcome) {
	if len(document.ClientIDs) < 2 || document.Matter == "" || document.Author.Unit != x.identity.Unit {
		return false, nil
	}
	m, err := x.server.opts.Store.Matter(x.context(), x.registry, document.Matter)
	switch {
	case errors.Is(err, store.ErrMatterUnknown):
		return false, nil
	case err != nil:
		return false, ended(x.storeFailed(err))
	default:
		return m.OfAll(document.ClientIDs), nil
	}
}

// matterProblems are the store's errors about matters.
var matterProblems = []struct {
	err  error
	kind problem.Kind
}{
	{store.ErrMatterUnknown, problem.MatterUnknown},
	{store.ErrMatterClosed, problem.MatterClosed},
	{store.ErrClientOutsideMatter, problem.ClientOutsideMatter},
	{store.ErrTaskOutsideMatter, problem.TaskOutsideMatter},
}

// matterRefused ends a request that names a matter, by an error about it; nil for another error. A unit that has
// nothing to do with the matter is told that there is none.
func (x *exchange) matterRefused(id string, err error) *outcome {
	for _, known := range matterProblems {
		if !errors.Is(err, known.err) {
			continue
		}
		out := failed(problem.Of(known.kind))
		if known.kind != problem.MatterUnknown && id != "" && !x.identity.Organizer() {
			if m, err := x.server.opts.Store.Matter(x.context(), x.registry, id); err != nil || !x.seesMatter(m) {
				out = out.shownAs(problem.MatterUnknown)
			}
		}
		return ended(out)
	}
	return nil
}
