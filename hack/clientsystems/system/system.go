// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package system is what the two small client systems share: flags, and a caller made of files.
package system

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/internal/deploymenttest/play"
)

// Main plays a part with what the command line says, and ends the program.
func Main(who string, format archiveclient.Format, part func(*play.Party, context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, format, part)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", who, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, format archiveclient.Format, part func(*play.Party, context.Context) error) error {
	endpoint := flag.String("endpoint", "", "the archive's address")
	registry := flag.String("registry", "", "OID of the test registry")
	unit := flag.String("unit", "", "OID of the producer unit")
	task := flag.String("service-task", "", "code of the service task")
	code := flag.String("client", "", "synthetic identity code that both parties agreed on")
	credential := flag.String("credential", "", "directory with tls.crt, tls.key and ca.crt")
	card := flag.String("card", "", "directory with the tls.crt and tls.key of the professional's card")
	timeout := flag.Duration("timeout", 2*time.Minute, "how long to wait for all of it")
	flag.Parse()
	professional, err := play.ReadCard(*card)
	if err != nil {
		return err
	}
	caller, err := archiveclient.New(archiveclient.Config{
		Endpoint: *endpoint, Registry: *registry, Credential: archiveclient.CredentialDir(*credential), Professional: professional, Language: "en",
	})
	if err != nil {
		return err
	}
	defer caller.Close()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	return part(&play.Party{
		Archive: caller, Code: *code, Unit: *unit, ServiceTask: *task, Format: format,
		Say: func(format string, arguments ...any) { fmt.Printf(format+"\n", arguments...) },
	}, ctx)
}
