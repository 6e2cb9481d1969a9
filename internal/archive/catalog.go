// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/problem"
)

// contentSchema is the media type of JSON Schemas.
const contentSchema = "application/schema+json"

// catalogJSON is what is told of the catalog.
type catalogJSON struct {
	Edition           string            `json:"edition"`
	ServiceTasks      []catalog.Code    `json:"serviceTasks"`
	CorrectionReasons []catalog.Code    `json:"correctionReasons"`
	AnnulmentReasons  []catalog.Code    `json:"annulmentReasons"`
	DocumentTypes     []catalogTypeJSON `json:"documentTypes"`
	Roles             []*catalog.Role   `json:"roles"`
}

type catalogTypeJSON struct {
	Code      string              `json:"code"`
	Names     catalog.Names       `json:"names"`
	Formats   []string            `json:"formats"`
	Operation string              `json:"operation,omitempty"`
	Sector    string              `json:"sector,omitempty"`
	Schemas   []catalogSchemaJSON `json:"schemas"`
	// NonDisclosure is missing where the catalog does not say what to mask.
	NonDisclosure *catalogMaskJSON       `json:"nonDisclosure,omitempty"`
	Summary       catalog.SummarySection `json:"summary,omitempty"`
}

type catalogMaskJSON struct {
	JSON []string `json:"json"`
}

type catalogSchemaJSON struct {
	Version string `json:"version"`
	catalog.Period
}

// serveOpenly answers what holds no client data: to any client of the archive, without a professional and
// without a row in the use log. A request that is not in order is recorded as any other.
func (s *Server) serveOpenly(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := s.newExchange(w, r, opUnknown)
		out := x.run(h, x.checkURL, x.identify, x.addressRegistry, x.noQuery)
		if out.problem != nil {
			x.finish(out)
			return
		}
		_, _ = x.write(out.answer)
	})
}

func (x *exchange) noQuery() *outcome {
	_, stopped := x.query(nil)
	return stopped
}

// readCatalog lists the codes, document types and schema versions with their days.
func (x *exchange) readCatalog() outcome {
	current := x.server.opts.Catalog()
	body := catalogJSON{
		Edition: current.Edition(), ServiceTasks: current.ServiceTasks(),
		CorrectionReasons: current.CorrectionReasons(), AnnulmentReasons: current.AnnulmentReasons(),
		Roles: current.Roles(),
	}
	for _, t := range current.Types() {
		kind := catalogTypeJSON{
			Code: t.Code(), Names: t.Names(), Formats: t.Formats(), Operation: t.Operation(), Schemas: []catalogSchemaJSON{},
		}
		if t.Sector() == access.HealthCare {
			kind.Sector = "health"
		}
		kind.Summary = t.Summary()
		if paths, known := t.NonDisclosure(); known {
			kind.NonDisclosure = &catalogMaskJSON{JSON: paths.Texts()}
		}
		for _, schema := range t.Schemas() {
			kind.Schemas = append(kind.Schemas, catalogSchemaJSON{schema.Version(), schema.Period()})
		}
		body.DocumentTypes = append(body.DocumentTypes, kind)
	}
	return allowed(jsonAnswer(http.StatusOK, body))
}

// readSchema gives one schema as it was loaded.
func (x *exchange) readSchema() outcome {
	kind, known := x.server.opts.Catalog().Type(x.request.PathValue("type"))
	if !known {
		return failed(problem.Of(problem.NotFound))
	}
	schema, known := kind.Schema(x.request.PathValue("version"))
	if !known {
		return failed(problem.Of(problem.NotFound))
	}
	return allowed(answer{
		status: http.StatusOK, header: http.Header{"Content-Type": {contentSchema}}, body: schema.Raw(),
	})
}
