// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// matterOpening is the body of opening a matter.
type matterOpening struct {
	ID           string   `json:"id"`
	Clients      []string `json:"clients"`
	ServiceTasks []string `json:"serviceTasks"`
	OpenedAt     string   `json:"openedAt"`
}

// addMatter opens a matter, under an identifier of the caller's choice, or one that follows from the
// Idempotency-Key, or a random one.
func (x *exchange) addMatter() outcome {
	matter, stopped := x.newMatter()
	if stopped != nil {
		return *stopped
	}
	x.row.Criteria = matterCriteria(matter.ID)
	if d := x.decideManage(matter.ClientIDs, matter.ServiceTasks); !d.Allowed {
		return refusedBy(d)
	}
	catalog := x.server.opts.Catalog()
	for _, task := range matter.ServiceTasks {
		if !catalog.ServiceTask(task, matter.At) {
			return failed(&problem.Problem{Source: problem.ServiceTaskUnknown, Field: "serviceTasks"})
		}
	}
	matter.By, matter.Recorded = x.author(), x.row.Time
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	m, opened, err := x.server.opts.Store.OpenMatter(ctx, matter, x.row)
	switch {
	case errors.Is(err, store.ErrExists):
		return failed(problem.Of(problem.MatterExists))
	case err != nil:
		return x.storeFailed(err)
	}
	status := http.StatusOK
	if opened {
		status = http.StatusCreated
	}
	return x.changedMatter(ctx, status, m)
}

// newMatter reads and checks the body.
func (x *exchange) newMatter() (matter store.NewMatter, stopped *outcome) {
	var body matterOpening
	if stopped := x.requestJSON(&body); stopped != nil {
		return matter, stopped
	}
	f := fields{invalid: invalidField}
	matter = store.NewMatter{
		ID: f.matter("id", body.ID), Registry: x.registry,
		ServiceTasks: f.set("serviceTasks", body.ServiceTasks, store.MaxServiceTasks),
	}
	for _, task := range matter.ServiceTasks {
		if f.code("serviceTasks", task); task == "" {
			f.fail("serviceTasks", "is empty")
		}
	}
	for _, text := range f.set("clients", body.Clients, store.MaxClients) {
		client := f.uuid("clients", text)
		if slices.Contains(matter.ClientIDs, client) {
			f.fail("clients", "is given twice")
		}
		matter.ClientIDs = append(matter.ClientIDs, client)
	}
	matter.At = x.happened(&f, "openedAt", body.OpenedAt)
	if f.wrong != nil {
		return matter, f.wrong
	}
	if matter.ID == "" {
		id, keyed, stopped := x.idempotentID()
		if stopped != nil {
			return matter, stopped
		}
		if !keyed {
			id = uuid.New()
		}
		matter.ID = id.String()
	}
	return matter, nil
}

// happened reads when something happened; now without a text.
func (x *exchange) happened(f *fields, name, text string) time.Time {
	at := f.time(name, text)
	switch {
	case at.IsZero():
		return x.began
	case at.After(x.began.Add(createdTolerance)):
		f.fail(name, "is in the future")
	}
	return at
}

// matterClosing is the body of closing a matter.
type matterClosing struct {
	ClosedAt string `json:"closedAt"`
}

// closeMatter closes a matter. Closing a closed one again changes nothing.
func (x *exchange) closeMatter() outcome {
	var body matterClosing
	if stopped := x.requestJSON(&body); stopped != nil {
		return *stopped
	}
	f := fields{invalid: invalidField}
	at := x.happened(&f, "closedAt", body.ClosedAt)
	if f.wrong != nil {
		return *f.wrong
	}
	return x.changeMatter(at, func(ctx context.Context, m store.Matter, change store.MatterChange) (store.Matter, error) {
		switch {
		case body.ClosedAt == "" && !m.IsOpen():
			change.At = m.Closed
		case store.Instant(change.At).Before(m.Opened):
			return m, &store.InvalidError{Field: "At", Problem: "is before the opening"}
		}
		m, _, err := x.server.opts.Store.CloseMatter(ctx, x.registry, m.ID, change, x.row)
		return m, err
	})
}

// reopenMatter undoes a closing that was a mistake. Reopening an open one changes nothing.
func (x *exchange) reopenMatter() outcome {
	if stopped := x.requestJSON(&struct{}{}); stopped != nil {
		return *stopped
	}
	return x.changeMatter(x.began, func(ctx context.Context, m store.Matter, change store.MatterChange) (store.Matter, error) {
		m, _, err := x.server.opts.Store.ReopenMatter(ctx, x.registry, m.ID, change, x.row)
		return m, err
	})
}

// changeMatter goes the path of closing and reopening.
func (x *exchange) changeMatter(at time.Time, do func(context.Context, store.Matter, store.MatterChange) (store.Matter, error)) outcome {
	m, stopped := x.openMatter()
	if stopped != nil {
		return *stopped
	}
	if d := x.decideManage(m.ClientIDs, m.ServiceTasks); !d.Allowed {
		return refusedBy(d)
	}
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	m, err := do(ctx, m, store.MatterChange{At: at, Recorded: x.row.Time, By: x.author()})
	if err != nil {
		var invalid *store.InvalidError
		if errors.As(err, &invalid) && invalid.Field == "At" {
			return invalidField("closedAt", invalid.Problem)
		}
		if refused := x.matterRefused("", err); refused != nil {
			return *refused
		}
		return x.storeFailed(err)
	}
	return x.changedMatter(ctx, http.StatusOK, m)
}

// changedMatter answers with what is durable, its row included. The events only add to the answer.
func (x *exchange) changedMatter(ctx context.Context, status int, m store.Matter) outcome {
	events, err := x.server.opts.Store.MatterEvents(ctx, x.registry, m.ID)
	if err != nil {
		x.server.opts.Log.Error(err, "an answer lacks the matter's events", "requestID", x.id)
	}
	a := jsonAnswer(status, describeMatter(m, m.ClientIDs, events))
	a.header.Set("Location", "/v1/registries/"+x.registry+"/matters/"+m.ID)
	out := allowed(a)
	out.logged = true
	return out
}
