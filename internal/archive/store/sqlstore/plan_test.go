// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database that these tests ask for its plans

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
)

func migrated(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "plan.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := Migrate(t.Context(), db, goose.DialectSQLite3, noTable); err != nil {
		t.Fatal(err)
	}
	return db
}

func plan(t *testing.T, db *sql.DB, query string, args []any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var steps strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps.WriteString(detail + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps.String()
}

// TestSearchReadsTheIndexInItsOrder guards the lesson of slow searches elsewhere: the access filter
// and the order must be one index prefix, so no sort and no walk over what is not visible.
func TestSearchReadsTheIndexInItsOrder(t *testing.T) {
	db := migrated(t)
	const (
		byTask   = "SEARCH p USING PRIMARY KEY (client_id=? AND registry_id=? AND annulled=? AND service_task=?"
		byClient = "SEARCH p USING PRIMARY KEY (client_id=? AND registry_id=? AND annulled=?"
		byMatter = "SEARCH p USING PRIMARY KEY (registry_id=? AND matter=? AND annulled=?"
		wholeKey = "SEARCH o EXISTS USING PRIMARY KEY (client_id=? AND registry_id=? AND annulled=? AND service_task=? AND first_stored_us=? AND document_id=?)"
	)
	one, two := []string{"t1"}, []string{"t1", "t2"}
	const byType = "SEARCH k USING PRIMARY KEY (document_id=?)"
	typed := []store.Scope{{Types: two}}
	mixed := []store.Scope{{Types: one}, {Tasks: two, Types: two}, {Tasks: one}}
	for name, c := range map[string]struct {
		query store.SearchQuery
		want  []string
		sorts bool // the first rows of each of several tasks are merged by a sort
	}{
		"organizer":          {store.SearchQuery{ClientID: uuid.New()}, []string{byClient}, false},
		"unit":               {store.SearchQuery{ClientID: uuid.New(), AllowedTasks: &one}, []string{byTask}, false},
		"unit, narrowed":     {store.SearchQuery{ClientID: uuid.New(), AllowedTasks: &one, Type: "plan"}, []string{byTask}, false},
		"unit of two tasks":  {store.SearchQuery{ClientID: uuid.New(), AllowedTasks: &two}, []string{byTask}, true},
		"matter":             {store.SearchQuery{Matter: "m"}, []string{byMatter}, false},
		"matter of a unit":   {store.SearchQuery{Matter: "m", AllowedTasks: &two}, []string{byMatter, wholeKey}, false},
		"role":               {store.SearchQuery{ClientID: uuid.New(), AllowedScopes: &typed}, []string{byClient, byType}, false},
		"role in a unit":     {store.SearchQuery{ClientID: uuid.New(), AllowedTasks: &one, AllowedScopes: &typed}, []string{byTask, byType}, false},
		"role of two rights": {store.SearchQuery{ClientID: uuid.New(), AllowedScopes: &mixed}, []string{byTask, byClient, byType}, true},
		"matter of a role":   {store.SearchQuery{Matter: "m", AllowedTasks: &two, AllowedScopes: &typed}, []string{byMatter, wholeKey, byType}, false},
		"matter of rights":   {store.SearchQuery{Matter: "m", AllowedScopes: &mixed}, []string{byMatter, byType}, false},
		"matter of a client": {store.SearchQuery{Matter: "m", ClientID: uuid.New()}, []string{byMatter, "SEARCH o EXISTS USING PRIMARY KEY (client_id=? AND registry_id=? AND annulled=? AND first_stored_us=? AND document_id=?)"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.query.Registry, c.query.Limit, c.query.StoredFrom = "1.2.3", 10, time.Unix(1, 0)
			for part, b := range map[string]*statement{
				"page": pageSQL(&c.query, nil), "next page": pageSQL(&c.query, &cursor.Position{}), "count": countSQL(&c.query),
			} {
				got := plan(t, db, b.text(), b.args)
				for _, want := range c.want {
					if !strings.Contains(got, want) {
						t.Errorf("%s: the plan lacks %q:\n%s", part, want, got)
					}
				}
				if !c.sorts && strings.Contains(got, "TEMP B-TREE") {
					t.Errorf("%s: the plan sorts:\n%s", part, got)
				}
				if c.sorts { // what is merged and sorted is no table
					got = strings.NewReplacer("SCAN p\n", "", "SCAN t\n", "").Replace(got)
				}
				if strings.Contains(got, "SCAN ") {
					t.Errorf("%s: the plan walks over a table:\n%s", part, got)
				}
			}
		})
	}
}

// TestTheHotPathLooksUpByKey: what every store asks first, and what the relationships' keeper asks several times a
// second, read no more than they find.
func TestTheHotPathLooksUpByKey(t *testing.T) {
	db := migrated(t)
	for n := 1; n <= store.MaxClients; n++ {
		args := make([]any, n+3)
		for i := range args {
			args[i] = "x"
		}
		got := plan(t, db, checkNewSQL[n], args)
		if strings.Contains(got, "SCAN ") || !strings.Contains(got, "SEARCH c USING PRIMARY KEY (client_id=?)") ||
			!strings.Contains(got, "SEARCH d USING PRIMARY KEY (document_id=?)") ||
			!strings.Contains(got, "SEARCH x USING PRIMARY KEY (kind=? AND subject=?)") {
			t.Errorf("%d clients: the plan is\n%s", n, got)
		}
	}
	got := plan(t, db, nextKeySQL, []any{"x"})
	if !strings.Contains(got, "client_keys_by_key (key_id>?)") || strings.Contains(got, "TEMP B-TREE") {
		t.Errorf("wrapping keys: the plan is\n%s", got)
	}
	got = plan(t, db, unsettledSQL, []any{"x", 1})
	if !strings.Contains(got, "relationship_documents_unsettled (document_id>?)") || strings.Contains(got, "TEMP B-TREE") {
		t.Errorf("unsettled relationships: the plan is\n%s", got)
	}
}

// TestTheHistoryIsReadByItsIndexes: it grows for as long as the archive lives.
func TestTheHistoryIsReadByItsIndexes(t *testing.T) {
	db := migrated(t)
	const byClient, ended = "relationship_history_by_client (client_id=?", "relationship_history_ended (registry_oid=?"
	after := &store.RelationshipHistoryPosition{Recorded: time.Unix(2, 0), ObjectUID: "o"}
	for name, c := range map[string]struct {
		query store.RelationshipHistoryQuery
		want  string
	}{
		"client":   {store.RelationshipHistoryQuery{ClientID: uuid.New()}, byClient},
		"page":     {store.RelationshipHistoryQuery{ClientID: uuid.New(), After: after}, byClient},
		"registry": {store.RelationshipHistoryQuery{Ended: true, From: time.Unix(1, 0)}, ended},
		"later":    {store.RelationshipHistoryQuery{Ended: true, After: after}, ended},
		"object":   {store.RelationshipHistoryQuery{ObjectUID: "o"}, "USING PRIMARY KEY (object_uid=?)"},
	} {
		c.query.Registry, c.query.Limit = "1.2.3", 10
		b := statesSQL(&c.query)
		got := plan(t, db, b.text(), b.args)
		if !strings.Contains(got, c.want) || strings.Contains(got, "SCAN ") || name != "object" && strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: the plan is\n%s", name, got)
		}
	}
	last := lastStatesSQL([]string{"o", "p"})
	for name, got := range map[string]string{
		"last": plan(t, db, lastStateSQL, []any{"o"}), "several": plan(t, db, last.text(), last.args),
		"undeleted": plan(t, db, undeletedSQL, []any{"o", 10}), "words": plan(t, db, wordsSQL, []any{"d"}),
	} {
		if strings.Contains(got, "SCAN ") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: the plan is\n%s", name, got)
		}
	}
	uses := logSQL(&store.LogQuery{ClientID: uuid.New(), Registry: "1.2.3", Unit: "1.2", Outcome: store.OutcomeAllowed, From: time.Unix(1, 0), Until: time.Unix(2, 0), Limit: 10})
	if got := plan(t, db, uses.text(), uses.args); !strings.Contains(got, "access_log_by_client (client_id=? AND time_us>? AND time_us<?)") || strings.Contains(got, "TEMP B-TREE") {
		t.Errorf("the uses of a gap: the plan is\n%s", got)
	}
}

// TestTheLogIsReadByAnIndexInItsOrder: whatever the supervision asks for, the narrowest filter is an index prefix with
// the order of time after it.
func TestTheLogIsReadByAnIndexInItsOrder(t *testing.T) {
	db := migrated(t)
	const by = "SEARCH access_log USING INDEX access_log_by_"
	for name, c := range map[string]struct {
		query store.LogSearch
		want  string
	}{
		"all":                {store.LogSearch{}, by + "registry (registry_oid=?"},
		"client":             {store.LogSearch{ClientID: uuid.New()}, by + "client (client_id=?"},
		"client and all":     {store.LogSearch{ClientID: uuid.New(), Professional: "p", Unit: "u", Operation: "Annul", Outcome: "refused", Reason: "r"}, by + "client (client_id=?"},
		"professional":       {store.LogSearch{Professional: "p"}, by + "professional (registry_oid=? AND professional=?"},
		"one in a unit":      {store.LogSearch{Professional: "p", Unit: "u", Operation: "Read"}, by + "professional (registry_oid=? AND professional=?"},
		"unit":               {store.LogSearch{Unit: "u"}, by + "unit (registry_oid=? AND unit=?"},
		"operation":          {store.LogSearch{Operation: "Annul"}, by + "operation (registry_oid=? AND operation=?"},
		"frequent operation": {store.LogSearch{Operation: "Read"}, by + "registry (registry_oid=?"},
		"refused":            {store.LogSearch{Outcome: store.OutcomeRefused}, by + "outcome (registry_oid=? AND outcome=?"},
		"allowed":            {store.LogSearch{Outcome: store.OutcomeAllowed}, by + "registry (registry_oid=?"},
		"allowed in a unit":  {store.LogSearch{Outcome: store.OutcomeAllowed, Unit: "u"}, by + "unit (registry_oid=? AND unit=?"},
		"reason":             {store.LogSearch{Reason: "r", Outcome: store.OutcomeRefused}, by + "reason (registry_oid=? AND reason=?"},
	} {
		t.Run(name, func(t *testing.T) {
			c.query.Registry, c.query.Limit = "1.2.3", 10
			from := c.query
			from.From, from.Until = time.Unix(1, 0), time.Unix(2, 0)
			for part, b := range map[string]*statement{
				"page": logSearchSQL(&c.query, nil), "next page": logSearchSQL(&c.query, &cursor.Position{}),
				"of a time": logSearchSQL(&from, &cursor.Position{}),
			} {
				readsBy(t, part, plan(t, db, b.text(), b.args), c.want)
			}
		})
	}
	from, until := time.Unix(1, 0), time.Unix(2, 0)
	ofClient := store.ClientLogQuery{Registry: "1.2.3", From: from, Until: until}
	some := ofClient
	some.Entries = []uuid.UUID{uuid.New(), uuid.New()}
	for name, c := range map[string]struct {
		b    *statement
		want string
	}{
		"facts":         {logFactsSQL(&store.LogSpan{Registry: "1.2.3", From: from, Until: until}), by + "registry (registry_oid=? AND time_us>? AND time_us<?"},
		"facts of some": {logFactsSQL(&store.LogSpan{Registry: "1.2.3", From: from, Until: until, Operations: []string{"Store", "Annul"}}), by + "registry (registry_oid=?"},
		"a client's":    {clientLogSQL(&ofClient, uuid.New(), nil), by + "client (client_id=? AND time_us>? AND time_us<?"},
		"their rest":    {clientLogSQL(&ofClient, uuid.New(), &store.LogPosition{Time: until}), by + "client (client_id=? AND "},
		"some of them":  {clientLogSQL(&some, uuid.New(), nil), by + "client (client_id=? AND time_us>? AND time_us<?"},
		"of no client":  {clientLogSQL(&ofClient, uuid.Nil, nil), "SEARCH access_log USING INDEX access_log_of_no_client (registry_oid=? AND time_us>? AND time_us<?"},
	} {
		readsBy(t, name, plan(t, db, c.b.text(), c.b.args), c.want)
	}
	firsts := logFirstsSQL(&store.LogSpan{Registry: "1.2.3", From: from, Until: until, Operations: []string{"Store", "Annul"}})
	if got := plan(t, db, firsts.text(), firsts.args); !strings.Contains(got, by+"registry (registry_oid=? AND time_us>? AND time_us<?") {
		t.Errorf("firsts: the plan is\n%s", got) // they are grouped after that, in no order of an index
	}
}

func readsBy(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) || strings.Contains(got, "TEMP B-TREE") || strings.Contains(got, "SCAN ") {
		t.Errorf("%s: the plan is\n%swant %s", what, got, want)
	}
}

// TestLeavesAreGivenByKey: what makes the log provable runs all the time, beside what writes.
func TestLeavesAreGivenByKey(t *testing.T) {
	db := migrated(t)
	args := make([]any, 2*rowsAtOnce)
	for i := range args {
		args[i] = "x"
	}
	got := plan(t, db, rowsAtSQL[rowsAtOnce], args)
	if strings.Contains(got, "SCAN ") || !strings.Contains(got, "(time_us=? AND log_id=?)") {
		t.Errorf("rows by their places: the plan is\n%s", got)
	}
	got = plan(t, db, pendingSQL, []any{64})
	if strings.Contains(got, "SCAN a") || strings.Contains(got, "SCAN access_log") || !strings.Contains(got, "SEARCH a ") {
		t.Errorf("what waits: the plan is\n%s", got)
	}
	of := logSQL(&store.LogQuery{ClientID: uuid.New(), Registry: "1.2.3", Limit: 100})
	got = plan(t, db, withLeavesSQL(of.text()), of.args)
	for _, want := range []string{"SEARCH l USING INDEX log_leaves_by_row (time_us=? AND log_id=?)", "SEARCH p ", "SEARCH access_log "} {
		if !strings.Contains(got, want) {
			t.Errorf("rows with their leaves: the plan is\n%s, want %s", got, want)
		}
	}
	got = plan(t, db, logStateSQL, nil)
	if strings.Contains(got, "TEMP B-TREE") {
		t.Errorf("the state of the log: the plan is\n%s", got)
	}
}
