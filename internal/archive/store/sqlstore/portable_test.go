// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// foreign finds what SQLite and PostgreSQL do not read alike, or what a sharded PostgreSQL does not take.
var foreign = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`::`, `->`, `\|\|`, `~`, "`", `"`, `\bx'`, `@`, // operators, quoting and literals of one engine
	`\b(I?LIKE|GLOB|SIMILAR|REGEXP|MATCH)\b`,
	`\b(TRUE|FALSE|BOOLEAN|NULLS|DISTINCT\s+FROM|DISTINCT\s+ON)\b`,
	`\b(RETURNING|LATERAL|RECURSIVE|OVER|FILTER|USING|OFFSET|FETCH)\b`,
	`\bFOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE|KEY)\b`, `\bLOCK\b`, `\bpg_`, `\bsqlite_`, `\bROWID\b`, `\bSET\s+LOCAL\b`,
	`\b(LISTEN|NOTIFY|PRAGMA|ATTACH|VACUUM|ANALYZE)\b`,
	`\b(SMALL|BIG)?SERIAL\b`, `\b(AUTOINCREMENT|IDENTITY|SEQUENCE|GENERATED)\b`,
	`\bCURRENT_(TIMESTAMP|TIME|DATE)\b`, `\b(TIMESTAMP|TIMESTAMPTZ|DATE|TIME|INTERVAL|UUID|JSONB?|NUMERIC|REAL)\b`,
	`\bINSERT\s+OR\b`, `\bREPLACE\b`, `\bLIMIT\s+\S+\s*,`,
	`\b(TRIGGER|INHERITS|DEFERRABLE|EXCLUDE|VIEW|PROCEDURE|FUNCTION)\b`,
}, "|"))

// functions are those that both engines have.
var functions = []string{"count", "coalesce", "max", "min", "substr"}

var (
	call = regexp.MustCompile(`\b([a-z_]+)\s*\(`)
	// listed is a name before a list of columns, which is no call.
	listed     = regexp.MustCompile(`\b(?:INTO|TABLE|INDEX \w+ ON|ON CONFLICT|REFERENCES) ?\w* \(`)
	upsert     = regexp.MustCompile(`(?s)INSERT INTO (\w+) .*?ON CONFLICT\s*(\([^)]*\))?`)
	quoted     = regexp.MustCompile(`(\bx)?'[^']*'`)
	sqlComment = regexp.MustCompile(`(?m)--.*$`)
	isSQL      = regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|FROM|JOIN|WHERE|VALUES|UNION|ORDER BY|LIMIT|IN \(|AND)\b`)
)

// complaints says what is not portable in a text.
func complaints(text string, keys map[string]string) (all []string) {
	text = quoted.ReplaceAllString(sqlComment.ReplaceAllString(text, ""), "${1}''")
	all = append(all, foreign.FindAllString(text, -1)...)
	for _, m := range call.FindAllStringSubmatch(listed.ReplaceAllString(text, "("), -1) {
		if !slices.Contains(functions, m[1]) {
			all = append(all, m[1]+"()")
		}
	}
	for _, m := range upsert.FindAllStringSubmatch(text, -1) {
		if m[2] != "("+keys[m[1]]+")" {
			all = append(all, "ON CONFLICT "+m[2]+" is not on the primary key of "+m[1])
		}
	}
	return all
}

// TestTheSQLIsPortable holds every statement of the package to what both engines read.
func TestTheSQLIsPortable(t *testing.T) {
	keys := primaryKeys(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	statements := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			if isSQL.MatchString(text) {
				statements++
				for _, c := range complaints(text, keys) {
					t.Errorf("%s: %s in %q", file, c, text)
				}
			}
			return true
		})
	}
	if statements < 50 {
		t.Errorf("only %d pieces of SQL were found: what looks for them has gone blind", statements)
	}
}

// TestTheMigrationsArePortable holds the migrations to it as well, but for the types' names, WITHOUT ROWID, and the lock that
// programs which may not write any more are waited for with.
func TestTheMigrationsArePortable(t *testing.T) {
	keys := primaryKeys(t)
	own := map[string]*strings.Replacer{
		"sqlite":   strings.NewReplacer("WITHOUT ROWID", ""),
		"postgres": strings.NewReplacer("LOCK TABLE schema_writers IN ACCESS EXCLUSIVE MODE;", ""),
	}
	for engine, replacer := range own {
		paths, err := fs.Glob(migrations, "migrations/"+engine+"/*.sql")
		if err != nil || len(paths) == 0 {
			t.Fatalf("no migrations: %v", err)
		}
		for _, path := range paths {
			text, err := migrations.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range complaints(replacer.Replace(string(text)), keys) {
				t.Errorf("%s: %s", path, c)
			}
		}
	}
}

func TestTheLintBites(t *testing.T) {
	keys := primaryKeys(t)
	for _, text := range []string{
		`SELECT a::text FROM documents`, `SELECT now()`, `INSERT INTO registries (oid) VALUES ($1) RETURNING registry_id`,
		`SELECT 1 FROM documents FOR UPDATE`, `SELECT length(client_ids) FROM documents`, `SELECT hex (digest) FROM documents`,
		`SELECT rowid FROM documents`, `INSERT OR IGNORE INTO documents VALUES ($1)`, `CREATE TABLE x (id BIGSERIAL)`,
		`INSERT INTO clients (client_id) VALUES ($1) ON CONFLICT (registry_id, code_hash) DO NOTHING`,
		`INSERT INTO clients (client_id) VALUES ($1) ON CONFLICT DO NOTHING`, `SELECT a FROM t LIMIT 5, 10`,
		`SELECT current_timestamp`, `SELECT 1 WHERE matter ILIKE $1`, `SELECT pg_advisory_xact_lock(1)`,
		`SELECT service_tasks->0 FROM document_versions`, `LISTEN x`, `CREATE TABLE x (id UUID)`, `SELECT x'00'`,
	} {
		if len(complaints(text, keys)) == 0 {
			t.Errorf("%q passes", text)
		}
	}
	good := `INSERT INTO probe (probe_id, probed_us) VALUES (1, $1) ON CONFLICT (probe_id) DO UPDATE SET probed_us = excluded.probed_us`
	if c := complaints(good, keys); len(c) > 0 {
		t.Errorf("%q: %v", good, c)
	}
}
