// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"reflect"
	"slices"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/summary"
)

// summarize tells in short what there is of a client, within what the caller could find by searching. The documents
// are of one moment, and the answer is released only under the right that they were looked for by.
func (x *exchange) summarize() outcome {
	client, stopped := x.clientAsked()
	if stopped != nil {
		return *stopped
	}
	ask := question{Request: access.Request{Client: access.ClientID(client)}}
	d := x.decide(ask)
	for range searchAttempts {
		if !d.Allowed {
			return refusedBy(d)
		}
		format := preferred(x.request.Header.Values("Accept"), store.ContentJSON, store.ContentXHTML)
		if format == "" {
			return failed(&problem.Problem{Source: problem.NotAcceptable, Hint: "a summary is " + store.ContentJSON + " or " + store.ContentXHTML})
		}
		body, stopped := x.summaryOf(client, d)
		if stopped != nil {
			return *stopped
		}
		used := d
		if d = x.decide(ask); d.Allowed && sameRight(d, used) {
			return x.summarized(body, format)
		}
	}
	if !d.Allowed {
		return refusedBy(d)
	}
	return failed(problem.Of(problem.StoreUnavailable)) // the right changed each time: try again
}

func sameRight(a, b verdict) bool {
	return sameTasks(a.Tasks, b.Tasks) && reflect.DeepEqual(a.scopes, b.scopes) && a.ShowsNonDisclosure == b.ShowsNonDisclosure
}

// summaryOf makes the summary that the decision allows.
func (x *exchange) summaryOf(client uuid.UUID, d verdict) (*summary.Summary, *outcome) {
	current := x.server.opts.Catalog()
	facts, err := x.server.opts.Store.Summary(x.context(), store.SummaryQuery{
		Visible: store.SearchQuery{
			Registry: x.registry, ClientID: client, AllowedTasks: visible(d.Tasks), AllowedScopes: &d.scopes,
			OldData: x.identity.Organizer(),
		},
		Sections: [][]string{typesOf(current, catalog.SummaryDecisions), typesOf(current, catalog.SummaryPlans)},
		Newest:   summary.Newest,
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, ended(failed(problem.Of(problem.ClientUnknown)))
	case err != nil:
		return nil, ended(x.storeFailed(err))
	}
	s := &summary.Summary{
		Client: client, Registry: x.registry, Organizer: x.server.opts.View.OrganizationOf(x.registry, ""),
		MadeAt: x.now().UTC(), NonDisclosure: facts.NonDisclosure,
		Matters: x.openMatters(client, facts.Matters, d), Relationships: x.liveRelationships(client, d),
		Decisions: x.summaryDocuments(facts.Newest[0]), Plans: x.summaryDocuments(facts.Newest[1]),
		Counts: []summary.Count{}, Total: facts.Total,
	}
	for _, c := range facts.Counts {
		s.Counts = append(s.Counts, summary.Count{Type: c.Type, Count: c.Count})
	}
	return s, nil
}

func typesOf(c *catalog.Catalog, section catalog.SummarySection) (types []string) {
	for _, t := range c.Types() {
		if t.Summary() == section {
			types = append(types, t.Code())
		}
	}
	return types
}

// openMatters gives those of the client's open matters that the caller may see, as a search for matters does.
func (x *exchange) openMatters(client uuid.UUID, open []store.Matter, d verdict) []summary.Matter {
	matters := []summary.Matter{}
	for _, m := range open {
		if d.reaches(m.ServiceTasks, matterType) && x.mayReadMatter(m, client) {
			matters = append(matters, summary.Matter{ID: m.ID, ServiceTasks: m.ServiceTasks, OpenedAt: m.Opened})
		}
	}
	return matters
}

// reaches tells whether documents of the type in one of the service tasks are within what was allowed.
func (v *verdict) reaches(tasks []string, documentType string) bool {
	return slices.ContainsFunc(tasks, func(task string) bool {
		return v.Tasks.Contains(task) && slices.ContainsFunc(v.scopes, func(s store.Scope) bool { return s.Covers(task, documentType) })
	})
}

// liveRelationships gives the client's live relationships: to a unit its own, each with those of its service tasks
// that the decision reaches.
func (x *exchange) liveRelationships(client uuid.UUID, d verdict) []summary.Relationship {
	relationships := []summary.Relationship{}
	for _, live := range x.server.opts.View.Live(x.registry, x.identity.Unit, access.ClientID(client), x.now()) {
		tasks := slices.DeleteFunc(live.Tasks.Codes(), func(task string) bool { return !d.reachesTask(task) })
		if len(tasks) == 0 {
			continue
		}
		slices.Sort(tasks)
		relationships = append(relationships, summary.Relationship{
			Unit: live.Unit, ServiceTasks: tasks, Start: live.Start.UTC(), End: given(live.End.UTC()),
		})
	}
	return relationships
}

// reachesTask tells whether documents of some type in the service task are within what was allowed.
func (v *verdict) reachesTask(task string) bool {
	return v.Tasks.Contains(task) && slices.ContainsFunc(v.scopes, func(s store.Scope) bool {
		return (s.Tasks == nil || slices.Contains(s.Tasks, task)) && (s.Types == nil || len(s.Types) > 0)
	})
}

func (x *exchange) summaryDocuments(found []store.Facts) []summary.Document {
	documents := []summary.Document{}
	for i := range found {
		f := &found[i]
		documents = append(documents, summary.Document{
			ID: f.ID, Type: f.Type, Version: f.Version, Created: f.Created, FirstStored: f.FirstStored,
			ServiceTasks: f.ServiceTasks, Matter: f.Matter, Organization: f.Author.Organization, Unit: f.Author.Unit,
			Masked: x.masks(*f),
		})
	}
	return documents
}

// summarized answers with the summary, in the format.
func (x *exchange) summarized(s *summary.Summary, format string) outcome {
	var ids []uuid.UUID
	for _, list := range [][]summary.Document{s.Decisions, s.Plans} {
		for i := range list {
			ids = append(ids, list[i].ID)
		}
	}
	x.handled(ids...)
	if format == store.ContentJSON {
		a := jsonAnswer(http.StatusOK, s)
		a.header.Set("Vary", "Accept")
		return allowed(a)
	}
	return allowed(answer{
		status: http.StatusOK,
		header: http.Header{
			"Content-Type": {format}, "Content-Language": {x.lang.String()}, "Vary": {"Accept, Accept-Language"},
		},
		body: s.XHTML(x.lang, namesIn(x.server.opts.Catalog(), x.lang)),
	})
}

// namesIn gives what the catalog calls service tasks and document types in the language.
func namesIn(c *catalog.Catalog, lang access.Lang) summary.Names {
	tasks := map[string]string{}
	for _, code := range c.ServiceTasks() {
		tasks[code.Code] = nameIn(code.Names, lang)
	}
	return summary.Names{
		ServiceTask: func(code string) string { return tasks[code] },
		DocumentType: func(code string) string {
			kind, known := c.Type(code)
			if !known {
				return ""
			}
			return nameIn(kind.Names(), lang)
		},
	}
}

func nameIn(names catalog.Names, lang access.Lang) string {
	switch lang {
	case access.Swedish:
		return names.Swedish
	case access.English:
		return names.English
	default:
		return names.Finnish
	}
}
