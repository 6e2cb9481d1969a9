// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

func newMigrateSchema() *cobra.Command {
	where := &place{}
	dryRun, terminationLog := false, ""
	cmd := &cobra.Command{
		Use:   "migrate-schema",
		Short: "Bring the tables of an archive's store up to date for this version",
		Long: `Bring the tables of an archive's store up to date for this version.

Run it before the first archive of a new version starts with --migrate=false. Of
several runs on a database one does the work, and the others wait for it. On a
data directory stop the archive first.

Archives of a former version may go on serving meanwhile and after, unless a
migration takes the tables from them, which --dry-run tells: those are not ready
from that moment on, and write nothing more.`,
		Example: `  valtuus archive migrate-schema --postgres-uri-file uri --dry-run
  valtuus archive migrate-schema --postgres-uri-file uri`,
		Args: noArguments,
		RunE: telling(&terminationLog, func(cmd *cobra.Command, _ []string) error {
			change := where.migrateSchema
			if dryRun {
				change = where.schema
			}
			schema, err := change(cmd.Context())
			if err != nil {
				return err
			}
			if len(schema.Pending) == 0 {
				if err := schema.CheckServe(); err != nil {
					return err
				}
			}
			return printSchema(cmd.OutOrStdout(), where, schema, dryRun)
		}),
	}
	where.flags(cmd, "the archive")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "tell what would be done, and change nothing")
	terminationLogFlag(cmd, &terminationLog)
	return cmd
}

// schema reads how far the tables of the place are.
func (p *place) schema(ctx context.Context) (sqlstore.Schema, error) {
	if p.dataDir != "" {
		return sqlite.SchemaOf(ctx, p.dataDir)
	}
	uri, err := readURI(p.uriFile)
	if err != nil {
		return sqlstore.Schema{}, err
	}
	return postgres.SchemaOf(ctx, uri)
}

// migrateSchema brings the tables of the place up to date, and gives what they were.
func (p *place) migrateSchema(ctx context.Context) (sqlstore.Schema, error) {
	if p.dataDir != "" {
		return sqlite.MigrateSchema(ctx, p.dataDir)
	}
	uri, err := readURI(p.uriFile)
	if err != nil {
		return sqlstore.Schema{}, err
	}
	return postgres.MigrateSchema(ctx, uri)
}

func printSchema(out io.Writer, where *place, s sqlstore.Schema, dryRun bool) error {
	done := "brought"
	if dryRun {
		done = "would bring"
	}
	if len(s.Pending) == 0 {
		_, err := fmt.Fprintf(out, "%s has schema version %d, and this program's is %d: nothing to do\n", where, s.Version, s.Program)
		return err
	}
	for _, m := range s.Pending {
		if s.Version == 0 {
			continue // nobody serves yet
		}
		writers := "no former version may serve after it"
		if m.Writers > 0 {
			writers = fmt.Sprintf("archives of schema version %d and newer may go on serving", m.Writers)
		}
		if _, err := fmt.Fprintf(out, "%-32s %s\n", m.Name, writers); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(out, "%s %s from schema version %d to %d\n", done, where, s.Version, s.Program); err != nil {
		return err
	}
	if !s.StopsWriters() {
		return nil
	}
	_, err := fmt.Fprintf(out, "archives of schema version %d must not serve after it: stop them before\n", s.Version)
	return err
}
