// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/logreport"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// withholdRequest is the body of a withholding: entries, or the days from the first to the last, both included.
type withholdRequest struct {
	Client   string   `json:"client"`
	Entries  []string `json:"entries"`
	From     string   `json:"from"`
	Until    string   `json:"until"`
	Reason   string   `json:"reason"`
	Decision string   `json:"decision"`
}

// liftRequest is the body of what ends a withholding.
type liftRequest struct {
	Decision string `json:"decision"`
}

// withholdingJSON is a withholding as the organizer is told it.
type withholdingJSON struct {
	ID       uuid.UUID    `json:"id"`
	Client   uuid.UUID    `json:"client"`
	Entries  []uuid.UUID  `json:"entries,omitempty"`
	From     catalog.Day  `json:"from,omitempty"`
	Until    catalog.Day  `json:"until,omitempty"`
	Reason   string       `json:"reason"`
	Decision string       `json:"decision"`
	MadeAt   time.Time    `json:"madeAt"`
	MadeBy   authorJSON   `json:"madeBy"`
	Lifted   *liftingJSON `json:"lifted,omitempty"`
}

type liftingJSON struct {
	At       time.Time  `json:"at"`
	Decision string     `json:"decision"`
	By       authorJSON `json:"by"`
}

// withholdLog keeps log entries from the client whom they are about, by a written decision. The report tells of the
// decision and how many entries there are.
func (x *exchange) withholdLog() outcome {
	w, stopped := x.newWithholding()
	if stopped != nil {
		return *stopped
	}
	x.about(w.ClientID)
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	if stopped := x.withholdable(&w); stopped != nil {
		return *stopped
	}
	if d := x.decide(question{}); !d.Allowed { // reading the log may have taken a while
		return refusedBy(d)
	}
	w.Made, w.By = x.row.Time, x.author()
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	kept, created, err := x.server.opts.Store.Withhold(ctx, w, x.row)
	if err != nil {
		return x.storeFailed(err)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	out := allowed(jsonAnswer(status, describeWithholding(&kept)))
	out.logged = true
	return out
}

// withholdable ends a request that would withhold nothing: a mistaken id would let out what a decision withholds.
func (x *exchange) withholdable(w *store.Withholding) *outcome {
	if stopped := x.knownClient(w.ClientID); stopped != nil || len(w.Entries) == 0 {
		return stopped
	}
	missing := slices.Clone(w.Entries)
	err := x.server.opts.Store.ClientLog(x.context(), store.ClientLogQuery{
		Registry: x.registry, ClientID: w.ClientID, From: time.Unix(0, 0), Until: x.began.Add(time.Hour), Entries: w.Entries,
	}, func(row store.LogRow) error {
		missing = slices.DeleteFunc(missing, func(id uuid.UUID) bool { return id == row.ID })
		return nil
	})
	if err != nil {
		return ended(x.storeFailed(err))
	}
	if len(missing) > 0 {
		return ended(invalidField("entries", "names an entry that is not in the log about the client"))
	}
	return nil
}

// liftWithholding ends a withholding by another decision.
func (x *exchange) liftWithholding() outcome {
	parameters := fields{invalid: invalidParameter}
	id := parameters.uuid("id", x.request.PathValue("id"))
	if parameters.wrong != nil {
		return *parameters.wrong
	}
	var body liftRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return *stopped
	}
	f := fields{invalid: invalidField}
	decision := f.decision(body.Decision)
	if f.wrong != nil {
		return *f.wrong
	}
	x.noteCriteria(struct {
		Withholding uuid.UUID `json:"withholding"`
		Decision    string    `json:"decision"`
	}{id, decision})
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	w, err := x.server.opts.Store.LiftWithholding(ctx, x.registry, id, store.Lifting{At: x.row.Time, Decision: decision, By: x.author()}, x.row)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return failed(problem.Of(problem.WithholdingNotFound))
	case errors.Is(err, store.ErrStale):
		return failed(problem.Of(problem.WithholdingLifted))
	case err != nil:
		return x.storeFailed(err)
	}
	out := allowed(jsonAnswer(http.StatusOK, describeWithholding(&w)))
	out.logged = true
	return out
}

// listWithheld lists the withholdings of a client, lifted ones too.
func (x *exchange) listWithheld() outcome {
	client, stopped := x.clientAsked()
	if stopped != nil {
		return *stopped
	}
	return x.supervising(func() (answer, *outcome) {
		all, err := x.server.opts.Store.Withholdings(x.context(), x.registry, client)
		if err != nil {
			return answer{}, ended(x.storeFailed(err))
		}
		items := []withholdingJSON{}
		for i := range all {
			items = append(items, describeWithholding(&all[i]))
		}
		if len(items) == 0 {
			if stopped := x.knownClient(client); stopped != nil {
				return answer{}, stopped
			}
		}
		return jsonAnswer(http.StatusOK, struct {
			Items []withholdingJSON `json:"items"`
		}{items}), nil
	})
}

// decision reads the reference of a written decision, which must be given.
func (f *fields) decision(text string) string {
	if strings.TrimSpace(text) == "" {
		f.fail("decision", "is missing")
	}
	if len(text) > store.MaxCode {
		f.fail("decision", "must be at most "+strconv.Itoa(store.MaxCode)+" bytes")
	}
	return f.text("decision", text, maxReason)
}

// newWithholding reads and checks the body, and notes it in the row.
func (x *exchange) newWithholding() (w store.Withholding, stopped *outcome) {
	var body withholdRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return w, stopped
	}
	f := fields{invalid: invalidField}
	w = store.Withholding{Registry: x.registry, ClientID: f.uuid("client", body.Client), Reason: body.Reason, Decision: f.decision(body.Decision)}
	if !slices.Contains(logreport.WithholdingReasons(), body.Reason) {
		f.clean(body.Reason)
		f.fail("reason", "must be "+strings.Join(logreport.WithholdingReasons(), " or "))
	}
	if body.From == "" && body.Until == "" {
		w.Entries = f.entries(body.Entries)
	} else {
		first, last := f.day("from", body.From), f.day("until", body.Until)
		switch {
		case len(body.Entries) > 0:
			f.fail("entries", "must not be given with a period")
		case last < first:
			f.fail("until", "must not be before from")
		}
		w.From, w.Until = logreport.Span(first, last)
	}
	if f.wrong == nil {
		x.noteCriteria(struct {
			Entries  []uuid.UUID `json:"entries,omitempty"`
			From     string      `json:"from,omitempty"`
			Until    string      `json:"until,omitempty"`
			Reason   string      `json:"reason"`
			Decision string      `json:"decision"`
		}{w.Entries, body.From, body.Until, w.Reason, w.Decision})
	}
	return w, f.wrong
}

// entries reads ids of log entries, of which there must be some.
func (f *fields) entries(texts []string) (ids []uuid.UUID) {
	if len(texts) < 1 || len(texts) > store.MaxWithheld {
		f.fail("entries", "must be 1 to 200 ids, or a period must be given")
	}
	for _, text := range texts {
		id := f.uuid("entries", text)
		if slices.Contains(ids, id) {
			f.fail("entries", "names one twice")
		}
		ids = append(ids, id)
	}
	return ids
}

func describeWithholding(w *store.Withholding) withholdingJSON {
	described := withholdingJSON{
		ID: w.ID, Client: w.ClientID, Entries: w.Entries, Reason: w.Reason, Decision: w.Decision,
		MadeAt: w.Made, MadeBy: toAuthorJSON(w.By),
	}
	if len(w.Entries) == 0 {
		described.From, described.Until = catalog.DayOf(w.From), catalog.DayOf(w.Until.Add(-time.Microsecond))
	}
	if l := w.Lifting; l != nil {
		described.Lifted = &liftingJSON{l.At, l.Decision, toAuthorJSON(l.By)}
	}
	return described
}
