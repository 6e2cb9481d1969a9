// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"text/tabwriter"
)

// Formats are those that Print knows.
var Formats = []string{"table", "json", "html"}

// Print writes the rows in one of the formats.
func Print(out io.Writer, format string, rows []Row) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(rows)
	case "html":
		return page.Execute(out, rows)
	default:
		return table(out, rows)
	}
}

func table(out io.Writer, rows []Row) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(w, "NAMESPACE\tORGANIZER SYSTEM\tPRODUCER SYSTEM\tSTATE\tTEST\tVERSIONS\tBLOCKED GRANTS")
	for _, r := range rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", r.Namespace, r.Organizer, r.Producer, r.Words(), cmp.Or(r.Test, "-"), r.Versions(), r.Blocked)
	}
	return w.Flush()
}

// Words is the state in words.
func (r Row) Words() string {
	if r.Simulated {
		return string(r.State) + " (simulated)"
	}
	return string(r.State)
}

// Versions are what was tested.
func (r Row) Versions() string {
	if r.OrganizerVersion == "" && r.ProducerVersion == "" {
		return "-"
	}
	return r.OrganizerVersion + " / " + r.ProducerVersion
}

var page = template.Must(template.New("matrix").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Deployment tests</title></head><body>
<h1>Deployment tests</h1>
<table>
<tr><th>Namespace</th><th>Organizer system</th><th>Producer system</th><th>State</th><th>Test</th><th>Versions</th><th>Blocked grants</th></tr>
{{range .}}<tr class="{{.State}}"><td>{{.Namespace}}</td><td>{{.Organizer}}</td><td>{{.Producer}}</td><td>{{.Words}}</td><td>{{or .Test "-"}}</td><td>{{.Versions}}</td><td>{{.Blocked}}</td></tr>
{{end}}</table>
</body></html>
`))
