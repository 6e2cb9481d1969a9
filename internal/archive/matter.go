// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// matterJSON is what is told of a matter.
type matterJSON struct {
	ID           string            `json:"id"`
	Registry     string            `json:"registry"`
	Clients      []uuid.UUID       `json:"clients"`
	ServiceTasks []string          `json:"serviceTasks"`
	State        string            `json:"state"`
	OpenedAt     time.Time         `json:"openedAt"`
	ClosedAt     *time.Time        `json:"closedAt,omitempty"`
	Events       []matterEventJSON `json:"events,omitempty"`
}

type matterEventJSON struct {
	Kind       store.MatterEventKind `json:"kind"`
	At         time.Time             `json:"at"`
	RecordedAt time.Time             `json:"recordedAt"`
	By         authorJSON            `json:"by"`
}

// The states of a matter.
const (
	matterOpen   = "open"
	matterClosed = "closed"
)

// describeMatter tells of a matter, of its clients those given.
func describeMatter(m store.Matter, clients []uuid.UUID, events []store.MatterEvent) matterJSON {
	out := matterJSON{
		ID: m.ID, Registry: m.Registry, Clients: clients, ServiceTasks: m.ServiceTasks, State: matterOpen,
		OpenedAt: m.Opened, ClosedAt: given(m.Closed),
	}
	if !m.IsOpen() {
		out.State = matterClosed
	}
	for _, e := range events {
		out.Events = append(out.Events, matterEventJSON{e.Kind, e.At, e.Recorded, toAuthorJSON(e.By)})
	}
	return out
}

// readMatter tells of a matter and of what happened to it.
func (x *exchange) readMatter() outcome {
	if _, stopped := x.query(nil); stopped != nil {
		return *stopped
	}
	m, stopped := x.openMatter()
	if stopped != nil {
		return *stopped
	}
	events, err := x.server.opts.Store.MatterEvents(x.context(), x.registry, m.ID)
	if err != nil {
		return x.storeFailed(err)
	}
	body := describeMatter(m, x.visibleMatterClients(m, x.row.ClientID), events)
	if d := x.decideReadMatter(m); !d.Allowed {
		return hiddenAs(d, problem.MatterUnknown)
	}
	return allowed(jsonAnswer(http.StatusOK, body))
}

// mattersAnswer lists matters.
type mattersAnswer struct {
	Items []matterJSON `json:"items"`
}

// searchMatters lists the matters of a client that the caller may see, the one opened last first.
func (x *exchange) searchMatters() outcome {
	client, stopped := x.clientAsked()
	if stopped != nil {
		return *stopped
	}
	ask := question{Request: access.Request{Client: access.ClientID(client)}, documentType: matterType}
	d := x.decide(ask)
	if !d.Allowed {
		return refusedBy(d)
	}
	matters, err := x.server.opts.Store.MattersOf(x.context(), x.registry, client)
	if err != nil {
		return x.storeFailed(err)
	}
	if len(matters) == 0 {
		// An empty list for a mistaken id would look like a client without matters.
		if stopped := x.knownClient(client); stopped != nil {
			return *stopped
		}
	}
	answer := mattersAnswer{Items: []matterJSON{}}
	for _, m := range matters {
		if d.reaches(m.ServiceTasks, matterType) && x.mayReadMatter(m, client) {
			answer.Items = append(answer.Items, describeMatter(m, x.visibleMatterClients(m, client), nil))
		}
	}
	switch again := x.decide(ask); {
	case !again.Allowed:
		return refusedBy(again)
	case !sameRight(d, again):
		return failed(problem.Of(problem.StoreUnavailable)) // the right changed meanwhile: try again
	}
	return allowed(jsonAnswer(http.StatusOK, answer))
}

// matterCriteria names a matter in the use log.
func matterCriteria(id string) json.RawMessage {
	raw, err := json.Marshal(map[string]string{"matter": id})
	if err != nil {
		return nil // a string always marshals
	}
	return raw
}
