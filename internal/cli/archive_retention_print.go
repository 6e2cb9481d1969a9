// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/destruction"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// retentionProgress prints now and then how far a run is.
func retentionProgress(out io.Writer, c clock.PassiveClock) func(*destruction.Report) {
	told := c.Now()
	return func(r *destruction.Report) {
		now := c.Now()
		if now.Sub(told) < progressEvery {
			return
		}
		told = now
		_, _ = fmt.Fprintf(out, "looked at %d documents and %d clients: %d and %d due, %d and %d destroyed\n",
			r.Documents.Examined, r.Clients.Examined, r.Documents.Due, r.Clients.Due, r.Documents.Destroyed, r.Clients.Destroyed)
	}
}

// printRetention prints a report; nothing for a run that never began.
func printRetention(out io.Writer, output string, r *destruction.Report) error {
	if r.AsOf == "" {
		return nil
	}
	if output == outputJSON {
		return json.NewEncoder(out).Encode(r)
	}
	p := &printer{out: out}
	for _, g := range r.Due {
		p.line("due    %8d  %-8s  %-24s %s", g.Count, g.Kind, g.Rule, g.Type)
	}
	for _, g := range r.Kept {
		p.line("kept   %8d  %-8s  waits for: %s", g.Count, g.Kind, g.WaitsFor)
	}
	if r.DryRun {
		p.line("on %s by catalog %s: %d of %d documents and %d of %d clients would be destroyed", r.AsOf, r.Catalog,
			r.Documents.Due, r.Documents.Examined, r.Clients.Due, r.Clients.Examined)
	} else {
		p.line("on %s by catalog %s: destroyed %d of %d documents and %d of %d clients; in the access log by request id %s", r.AsOf, r.Catalog,
			r.Documents.Destroyed, r.Documents.Examined, r.Clients.Destroyed, r.Clients.Examined, r.Run)
	}
	if r.Stopped {
		p.line("stopped at the limit: there may be more")
	}
	return p.err
}

// printer prints lines until one fails.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// recordJSON is one line of what is printed as JSON.
type recordJSON struct {
	Kind         store.DestroyedKind `json:"kind"`
	Subject      string              `json:"subject"`
	Registry     string              `json:"registry"`
	Clients      []string            `json:"clients"`
	DocumentType string              `json:"documentType,omitempty"`
	ServiceTasks []string            `json:"serviceTasks,omitempty"`
	Versions     int                 `json:"versions,omitempty"`
	Rule         string              `json:"rule"`
	CountedFrom  string              `json:"countedFrom"`
	StartedOn    string              `json:"startedOn"`
	DueOn        string              `json:"dueOn"`
	Destroyed    time.Time           `json:"destroyed"`
}

func printRecord(out io.Writer, output string, r *store.DestroyedRecord) error {
	if output == outputText {
		_, err := fmt.Fprintf(out, "%s  %-8s  %s  %s: %s on %s, due on %s\n", r.Destroyed.Format(time.RFC3339), r.Kind, r.Subject,
			r.Rule, r.CountedFrom, r.StartedOn, r.DueOn)
		return err
	}
	line := recordJSON{
		Kind: r.Kind, Subject: r.Subject, Registry: r.Registry, Clients: []string{}, DocumentType: r.Type, ServiceTasks: r.ServiceTasks,
		Versions: r.Versions, Rule: r.Rule, CountedFrom: r.CountedFrom, StartedOn: r.StartedOn, DueOn: r.DueOn, Destroyed: r.Destroyed,
	}
	for _, id := range r.ClientIDs {
		line.Clients = append(line.Clients, id.String())
	}
	return json.NewEncoder(out).Encode(line)
}
