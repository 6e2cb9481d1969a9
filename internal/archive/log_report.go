// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/logreport"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	// maxReport is how many entries one report has at most.
	maxReport = 20_000
	// maxReportUnits is how many units one report is narrowed to at most.
	maxReportUnits = 50
	// maxReason is how many characters a special reason and the reference of a decision have at most.
	maxReason = 200
)

// reportRequest is the body of a log request.
type reportRequest struct {
	Client            string   `json:"client"`
	From              string   `json:"from"`
	Until             string   `json:"until"`
	Units             []string `json:"units"`
	SpecialReason     string   `json:"specialReason"`
	NameProfessionals bool     `json:"nameProfessionals"`
}

// reportLog makes the report that a client gets who asks who has used the data: over all producer units, at most two
// years back unless there is a special reason, without what is withheld by a decision.
func (x *exchange) reportLog() outcome {
	head, named, stopped := x.reportHead()
	if stopped != nil {
		return *stopped
	}
	return x.supervising(func() (answer, *outcome) {
		head.MadeAt = x.row.Time.UTC()
		head.MadeBy = logreport.Party{Organization: x.row.Organization, Professional: x.row.Professional, Role: x.row.Role}
		report, stopped := x.makeReport(head)
		if stopped != nil {
			return answer{}, stopped
		}
		if preferred(x.request.Header.Values("Accept"), store.ContentJSON, store.ContentXHTML) == store.ContentJSON {
			return x.inLanguage(jsonAnswer(http.StatusOK, report)), nil
		}
		return x.inLanguage(answer{
			status: http.StatusOK, header: http.Header{"Content-Type": {store.ContentXHTML}},
			body: logreport.XHTML(&report, x.lang, named),
		}), nil
	})
}

// inLanguage tells the language of an answer that has two forms.
func (x *exchange) inLanguage(a answer) answer {
	a.header.Set("Content-Language", x.lang.String())
	a.header.Set("Vary", "Accept, Accept-Language")
	return a
}

func (x *exchange) makeReport(head logreport.Report) (report logreport.Report, stopped *outcome) {
	maker := logreport.NewMaker(head, x.lang, x.roleNames)
	counted := 0
	from, until := logreport.Span(head.From, head.Until)
	add := atMost(maxReport, func(store.LogRow) error { return nil })
	err := x.server.opts.Store.ClientLog(x.context(), store.ClientLogQuery{
		Registry: x.registry, ClientID: head.Client, From: from, Until: until,
	}, func(row store.LogRow) error {
		if !maker.Take(row) {
			return nil
		}
		counted++
		return add(row)
	})
	switch {
	case errors.Is(err, errTooMany):
		return report, ended(invalidField("until", "the period has more than "+strconv.Itoa(maxReport)+" entries: ask for a shorter one"))
	case err != nil:
		return report, ended(x.storeFailed(err))
	case counted == 0:
		// An empty report for a mistaken id would look like data that nobody used.
		if stopped := x.knownClient(head.Client); stopped != nil {
			return report, stopped
		}
	}
	// After the rows: what was decided while they were read holds.
	withholdings, err := x.server.opts.Store.Withholdings(x.context(), x.registry, head.Client)
	if err != nil {
		return report, ended(x.storeFailed(err))
	}
	return maker.Report(withholdings), nil
}

// roleNames gives what a role is called, in force or not.
func (x *exchange) roleNames(code string) catalog.Names {
	for _, role := range x.server.opts.Catalog().Roles() {
		if role.Code.Code == code {
			return role.Names
		}
	}
	return catalog.Names{}
}

// reportHead reads and checks the body, and notes it in the row.
func (x *exchange) reportHead() (head logreport.Report, named bool, stopped *outcome) {
	var body reportRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return head, false, stopped
	}
	f := fields{invalid: invalidField}
	head = logreport.Report{
		Client: f.uuid("client", body.Client), Registry: x.registry,
		From: f.day("from", body.From), Until: f.day("until", body.Until),
		SpecialReason: f.text("specialReason", body.SpecialReason, maxReason),
	}
	if len(body.Units) > maxReportUnits {
		f.fail("units", "must be at most "+strconv.Itoa(maxReportUnits))
	}
	for _, unit := range body.Units[:min(len(body.Units), maxReportUnits)] {
		if f.oid("units", unit) == "" {
			f.fail("units", "must be OIDs")
		}
		if !slices.Contains(head.Units, unit) {
			head.Units = append(head.Units, unit)
		}
	}
	today := catalog.DayOf(x.began)
	switch {
	case f.wrong != nil:
		return head, false, f.wrong
	case head.Until < head.From:
		f.fail("until", "must not be before from")
	case head.Until > today:
		f.fail("until", "must not be after today")
	}
	if f.wrong != nil {
		return head, false, f.wrong
	}
	x.about(head.Client)
	x.noteCriteria(struct {
		From              catalog.Day `json:"from"`
		Until             catalog.Day `json:"until"`
		Units             []string    `json:"units,omitempty"`
		SpecialReason     string      `json:"specialReason,omitempty"`
		NameProfessionals bool        `json:"nameProfessionals,omitempty"`
	}{head.From, head.Until, head.Units, head.SpecialReason, body.NameProfessionals})
	if preferred(x.request.Header.Values("Accept"), store.ContentJSON, store.ContentXHTML) == "" {
		return head, false, ended(failed(problem.Of(problem.NotAcceptable)))
	}
	if head.From < logreport.Earliest(today) && head.SpecialReason == "" {
		return head, false, ended(failed(&problem.Problem{Source: problem.LogPeriodTooLong, Field: "from"}))
	}
	return head, body.NameProfessionals, nil
}
