// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Database runs a private PostgreSQL server of this machine for pods. The end-to-end suite starts it in the
// cluster's network with `go run ./hack/cluster exec`, and it ends when its standard input is closed.
//
//	database --address 10.123.0.1 --pods 10.244.0.0/16 NAME...
//
// Its first line is the URI of a database called DATABASE; one of each name is made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

func main() {
	address := flag.String("address", "127.0.0.1", "where pods reach the server")
	pods := flag.String("pods", "10.244.0.0/16", "whence they come")
	flag.Parse()
	if err := run(context.Background(), *address, *pods, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "database:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address, pods string, names []string) (err error) {
	dir, err := os.MkdirTemp("", "valtuus-e2e-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	hba := filepath.Join(dir, "pg_hba.conf")
	text := fmt.Sprintf("local all all scram-sha-256\nhost all all %s scram-sha-256\n", pods)
	// The server's own account reads them: they hold no secret.
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(hba, []byte(text), 0o644)); err != nil {
		return err
	}
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{Settings: map[string]string{"listen_addresses": address, "hba_file": hba}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	for _, name := range names {
		if err := cluster.Exec(ctx, "postgres", `CREATE DATABASE "`+name+`" TEMPLATE template0`); err != nil {
			return err
		}
	}
	uri, err := url.Parse(cluster.URI("DATABASE"))
	if err != nil {
		return err
	}
	uri.Host = net.JoinHostPort(address, uri.Port())
	fmt.Println(uri)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
