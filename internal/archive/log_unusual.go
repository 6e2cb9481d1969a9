// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/unusual"
)

const (
	// maxUnusualSpan is the longest time that one request looks through.
	maxUnusualSpan = 31 * 24 * time.Hour
	// maxUnusualRows bounds how many rows of the log one request reads, and so how long it takes.
	maxUnusualRows = 1_000_000
	// maxUnusual is how many findings of a kind are listed, the newest.
	maxUnusual = 500
)

// unusualRequest is the body of a request for unusual use.
type unusualRequest struct {
	From     string `json:"from"`
	Until    string `json:"until"`
	WorkDays int    `json:"workDays"`
	Refusals int    `json:"refusals"`
	Minutes  int    `json:"minutes"`
	Clients  int    `json:"clients"`
}

// unusualAnswer lists what was found by each rule, newest first.
type unusualAnswer struct {
	From             time.Time               `json:"from"`
	Until            time.Time               `json:"until"`
	ReadsWithoutWork found[readsWithoutWork] `json:"readsWithoutWork"`
	RefusalBursts    found[refusalBurst]     `json:"refusalBursts"`
	ManyClients      found[manyClients]      `json:"manyClients"`
}

// found is a rule in words with what it found.
type found[T any] struct {
	Rule  string `json:"rule"`
	Items []T    `json:"items"`
	// More tells that there are more than are listed.
	More bool `json:"more"`
}

type readsWithoutWork struct {
	Professional string    `json:"professional"`
	Unit         string    `json:"unit,omitempty"`
	Client       uuid.UUID `json:"client"`
	Reads        int       `json:"reads"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
}

type refusalBurst struct {
	Professional string         `json:"professional,omitempty"`
	Certificate  string         `json:"certificate,omitempty"`
	Refusals     int            `json:"refusals"`
	First        time.Time      `json:"first"`
	Last         time.Time      `json:"last"`
	Reasons      map[string]int `json:"reasons"`
}

type manyClients struct {
	Professional string      `json:"professional"`
	Day          catalog.Day `json:"day"`
	Clients      int         `json:"clients"`
}

// unusualUse lists to the organizer what in the use of its registry it should look into.
func (x *exchange) unusualUse() outcome {
	rules, from, until, stopped := x.unusualQuestion()
	if stopped != nil {
		return *stopped
	}
	return x.supervising(func() (answer, *outcome) {
		scan := unusual.NewScan(rules, from, until, x.began)
		err := scanUse(x.context(), x.server.opts.Store, scan, rules, store.LogSpan{Registry: x.registry, From: from, Until: until}, maxUnusualRows)
		switch {
		case errors.Is(err, errTooMany):
			return answer{}, ended(invalidField("until", "the time has more than "+strconv.Itoa(maxUnusualRows)+" rows: ask for a shorter one"))
		case err != nil:
			return answer{}, ended(x.storeFailed(err))
		}
		a := jsonAnswer(http.StatusOK, x.unusualAnswer(rules, from, until, scan.Findings()))
		a.header.Set("Content-Language", x.lang.String())
		a.header.Set("Vary", "Accept-Language")
		return a, nil
	})
}

// scanUse gives the scan the rows of a span, so many at most, and the work after it. errTooMany.
func scanUse(ctx context.Context, from store.LogSupervision, scan *unusual.Scan, rules unusual.Rules, span store.LogSpan, most int) error {
	later := store.LogSpan{
		Registry: span.Registry, From: span.Until, Until: span.Until.Add(rules.WorkTime() + time.Microsecond), Operations: unusual.Working(),
	}
	if err := from.LogFirsts(ctx, later, func(f store.LogFact) error { scan.Worked(f); return nil }); err != nil {
		return err
	}
	return from.LogFacts(ctx, span, atMost(most, func(f store.LogFact) error { scan.Take(f); return nil }))
}

// errTooMany ends a reading that would take too long.
var errTooMany = errors.New("too many rows")

// atMost lets at most so many rows through.
func atMost[T any](most int, take func(T) error) func(T) error {
	return func(row T) error {
		if most--; most < 0 {
			return errTooMany
		}
		return take(row)
	}
}

func (x *exchange) unusualAnswer(rules unusual.Rules, from, until time.Time, f unusual.Findings) unusualAnswer {
	said := rules.Words(x.lang)
	return unusualAnswer{
		From: from.UTC(), Until: until.UTC(),
		ReadsWithoutWork: listed(said.ReadsWithoutWork, f.ReadsWithoutWork, func(r unusual.ReadsWithoutWork) readsWithoutWork {
			return readsWithoutWork(r)
		}),
		RefusalBursts: listed(said.Bursts, f.Bursts, func(b unusual.Burst) refusalBurst { return refusalBurst(b) }),
		ManyClients:   listed(said.ManyClients, f.ManyClients, func(m unusual.ManyClients) manyClients { return manyClients(m) }),
	}
}

func listed[F, T any](rule string, all []F, describe func(F) T) found[T] {
	list := found[T]{Rule: rule, Items: []T{}, More: len(all) > maxUnusual}
	for _, one := range all[:min(len(all), maxUnusual)] {
		list.Items = append(list.Items, describe(one))
	}
	return list
}

// unusualQuestion reads and checks the body, and notes it in the row.
func (x *exchange) unusualQuestion() (rules unusual.Rules, from, until time.Time, stopped *outcome) {
	usual := unusual.Defaults()
	body := unusualRequest{
		WorkDays: usual.WorkDays, Refusals: usual.Refusals, Minutes: int(usual.Within / time.Minute), Clients: usual.Clients,
	}
	if stopped := x.requestJSON(&body); stopped != nil {
		return rules, from, until, stopped
	}
	f := fields{invalid: invalidField}
	from, until = f.time("from", body.From), f.time("until", body.Until)
	switch {
	case f.wrong != nil:
	case from.IsZero():
		f.fail("from", "is missing")
	case !from.Before(until):
		f.fail("until", "must be after from")
	case until.Sub(from) > maxUnusualSpan:
		f.fail("until", "must be at most 31 days after from")
	}
	within := func(name string, value, least, most int) {
		if value < least || value > most {
			f.fail(name, "must be "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
		}
	}
	within("workDays", body.WorkDays, 1, 366)
	within("refusals", body.Refusals, 2, 1000)
	within("minutes", body.Minutes, 1, 1440)
	within("clients", body.Clients, 2, 10000)
	if f.wrong == nil {
		x.noteCriteria(body)
	}
	rules = unusual.Rules{
		WorkDays: body.WorkDays, Refusals: body.Refusals, Within: time.Duration(body.Minutes) * time.Minute, Clients: body.Clients,
	}
	return rules, from, until, f.wrong
}
