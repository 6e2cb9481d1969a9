// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/replica"
)

func newArchive(flags *common) *cobra.Command {
	config := replica.Config{Clock: clock.RealClock{}}
	var archive, terminationLog string
	migrate := true
	at := addresses{}
	where := &place{}
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Run an archive replica",
		Long: `Run an archive replica.

The server certificate, its key and the authority of clients come from the
Secret that the Archive's status names: mount it, or copy its tls.crt, tls.key
and ca.crt.

Documents are kept in a data directory of this replica alone, or in a PostgreSQL
database that replicas share.

Clients' identifiers are kept encrypted. Each client has a key of its own, which
the first key of the client key file wraps; the further keys of the file still
open what they wrapped. The file has one key a line, 32 bytes in base64; empty
lines and those that begin with # do not count. 'valtuus archive rewrap' changes
the key. An archive does not start without a key that clients of its store are
under. The file is read when the archive starts, and is in no backup: keep it,
apart from the backups.

Asked to end (SIGTERM), it is not ready any more at once, but answers on for
--drain-delay, also on new connections, so that nobody who is still sent to it is
refused; then it lets running requests finish, for 20 seconds at most.

One that cannot start or serve ends with a line "Reason: message", and writes it
as {"reason":"…","message":"…"} to --termination-log. No secret is in it.

The tables of the store are brought up to date at the start, unless
--migrate=false: then run 'valtuus archive migrate-schema' before a new version.`,
		Example: `  valtuus archive --archive platform/national --data-dir /var/lib/valtuus \
    --tls-cert tls.crt --tls-key tls.key --client-ca ca.crt
  valtuus archive --archive platform/national --postgres-uri-file uri --identity-key-file identity.key \
    --client-key-file client.key --log-key-file log.key --tls-cert tls.crt --tls-key tls.key --client-ca ca.crt`,
		Args: noArguments,
		RunE: telling(&terminationLog, func(cmd *cobra.Command, _ []string) error {
			namespace, name, ok := strings.Cut(archive, "/")
			if !ok || namespace == "" || name == "" {
				return usageError{fmt.Errorf("--archive is %q, and must be NAMESPACE/NAME", archive)}
			}
			config.Archive = client.ObjectKey{Namespace: namespace, Name: name}
			config.Storage.DataDir, config.Storage.KeepSchema = where.dataDir, !migrate
			var err error
			if where.uriFile != "" {
				if config.Storage.IdentityKeyFile == "" {
					return usageError{errors.New("--identity-key-file is needed with --postgres-uri-file: replicas share one key")}
				}
				if config.Storage.ClientKeyFile == "" {
					return usageError{errors.New("--client-key-file is needed with --postgres-uri-file: replicas share one file of keys")}
				}
				if config.Storage.LogKeyFile == "" {
					return usageError{errors.New("--log-key-file is needed with --postgres-uri-file: replicas share one key")}
				}
				if config.Storage.PostgresURI, err = readURI(where.uriFile); err != nil {
					return err
				}
			}
			if config.Log, err = flags.logger(cmd.ErrOrStderr()); err != nil {
				return err
			}
			if config.Cluster, err = flags.cluster(); err != nil {
				return failure.As(failure.ClusterUnknown, err)
			}
			if err := at.listen(cmd.Context(), &config); err != nil {
				return failure.As(failure.AddressUnavailable, err)
			}
			return replica.Run(cmd.Context(), config)
		}),
	}
	host, _ := os.Hostname()
	cmd.Flags().StringVar(&archive, "archive", "", "the Archive to serve, as NAMESPACE/NAME")
	cmd.Flags().StringVar(&config.Name, "replica", strings.ToLower(host), "name of this replica among those of the archive")
	where.flags(cmd, "this archive")
	cmd.Flags().StringVar(&config.Storage.IdentityKeyFile, "identity-key-file", "",
		"file of the 32 bytes that identity codes are hashed with (default: identity.key in the data directory, made for a new store)")
	cmd.Flags().StringVar(&config.Storage.ClientKeyFile, "client-key-file", "",
		"file of the keys that wrap clients' data keys, the one in use first (default: client.key in the data directory, made for a new store)")
	cmd.Flags().StringVar(&config.Storage.LogKeyFile, "log-key-file", "",
		"file of the key that signs the access log (default: log.key in the data directory, made for a new log; 'valtuus log key --new' makes one)")
	cmd.Flags().StringVar(&at.log, "log-listen", "", "where to serve the trees of the access log to anybody (default: nowhere)")
	cmd.Flags().StringArrayVar(&config.LogWitnesses, "log-witness", nil, "witness that cosigns the access log, as URL=VKEY (repeatable)")
	cmd.Flags().StringVar(&config.CatalogDir, "catalog", "",
		"directory of the catalog of document types, read again when it changes (default: the stand-in catalog)")
	cmd.Flags().StringVar(&at.api, "listen", ":8443", "where to serve the HTTP API")
	cmd.Flags().StringVar(&at.admin, "admin-listen", ":8082", "where to serve /healthz, /readyz and /metrics")
	cmd.Flags().StringVar(&config.CertFile, "tls-cert", "", "file of the server certificate")
	cmd.Flags().StringVar(&config.KeyFile, "tls-key", "", "file of the server certificate's key")
	cmd.Flags().StringVar(&config.ClientCAFile, "client-ca", "", "file of the authority of clients")
	cmd.Flags().StringVar(&config.CardCRLFile, "card-crl", "",
		"file of the revocation lists of professionals' cards, read again when it changes (default: no card is known to be revoked)")
	cmd.Flags().DurationVar(&config.DrainDelay, "drain-delay", 5*time.Second,
		"how long to go on taking connections after being asked to end: until nobody is sent here any more")
	cmd.Flags().BoolVar(&migrate, "migrate", true, "bring the tables of the store up to date at the start; without it, an older store is refused")
	terminationLogFlag(cmd, &terminationLog)
	required(cmd, "archive", "tls-cert", "tls-key", "client-ca")
	cmd.AddCommand(newBackup(), newRestore(), newMigrate(), newMigrateSchema(), newRewrap(), newRetention(), newLogRetention())
	return cmd
}
