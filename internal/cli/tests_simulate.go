// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/internal/deploymenttest/play"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// simulateFlags say with what both parties are played.
type simulateFlags struct {
	organizer, producer         partyFlags
	registry, unit, serviceTask string
	endpoint, code              string
	timeout                     time.Duration
}

// partyFlags are one party's.
type partyFlags struct{ credential, card, format string }

func (p *partyFlags) flags(cmd *cobra.Command, who, format string) {
	cmd.Flags().StringVar(&p.credential, who+"-credential", "", "directory with the "+who+"'s credential: tls.crt, tls.key, ca.crt")
	cmd.Flags().StringVar(&p.card, who+"-card", "", "directory with the card of the "+who+"'s professional: tls.crt, tls.key")
	cmd.Flags().StringVar(&p.format, who+"-format", format, "format of the documents that the "+who+" stores")
	required(cmd, who+"-credential", who+"-card")
}

func newTestsSimulate() *cobra.Command {
	f := simulateFlags{}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Play both parties of a deployment test against an archive",
		Long: `Play both parties of a deployment test against an archive.

The organizer stores a relationship that names the unit, and a document; the
producer searches, reads and stores; the organizer searches, reads and ends; the
producer is refused. Each party has its own credential and card, and all goes
through the archive's HTTP API. A DeploymentTest of mode Simulated does the same
in a Job. It is no test of the parties' own systems, and nowhere counts as one.

The exit status is 0 when every step was done, and 1 otherwise.`,
		Example: `  valtuus tests simulate --endpoint https://archive.example:8443 \
    --registry 2.25.329800735698586629295641978511506172918 --unit 1.2.246.10.99999999.10.1 --service-task elderly \
    --organizer-credential organizer --organizer-card organizer-card \
    --producer-credential unit --producer-card unit-card`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	f.organizer.flags(cmd, "organizer", string(archiveclient.JSON))
	f.producer.flags(cmd, "producer", string(archiveclient.XHTML))
	cmd.Flags().StringVar(&f.registry, "registry", "", "OID of the test registry")
	cmd.Flags().StringVar(&f.unit, "unit", "", "OID of the producer unit")
	cmd.Flags().StringVar(&f.serviceTask, "service-task", "", "code of the service task")
	cmd.Flags().StringVar(&f.endpoint, "endpoint", "", "the archive's address, such as https://archive.example:8443")
	cmd.Flags().StringVar(&f.code, "client", "", "synthetic identity code of the client, of the 900 series (default: a random one)")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait for all of it")
	required(cmd, "registry", "unit", "service-task", "endpoint")
	return cmd
}

func (f *simulateFlags) run(ctx context.Context, out io.Writer) error {
	if f.code == "" {
		f.code = identitycode.Synthetic(rand.IntN(identitycode.SyntheticCodes)).Reveal()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("it has not come further in %s", f.timeout))
	defer cancel()
	var lines sync.Mutex
	say := func(who string) func(string, ...any) {
		return func(format string, arguments ...any) {
			lines.Lock()
			defer lines.Unlock()
			_, _ = fmt.Fprintf(out, "%-9s  %s\n", who, fmt.Sprintf(format, arguments...))
		}
	}
	organizer, err := f.party(&f.organizer, say("organizer"))
	if err != nil {
		return fmt.Errorf("the organizer: %w", err)
	}
	defer organizer.Archive.Close()
	producer, err := f.party(&f.producer, say("producer"))
	if err != nil {
		return fmt.Errorf("the producer: %w", err)
	}
	defer producer.Archive.Close()
	_, _ = fmt.Fprintln(out, "SIMULATED: this program plays both parties")
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var producing sync.WaitGroup
	producing.Go(func() {
		if err := producer.Producer(ctx); err != nil {
			stop(fmt.Errorf("the producer could not %w", err))
		}
	})
	if err := organizer.Organizer(ctx); err != nil {
		stop(fmt.Errorf("the organizer could not %w", err))
	}
	producing.Wait()
	if cause := context.Cause(ctx); cause != nil { // who failed first, or time is over
		return cause
	}
	_, err = fmt.Fprintln(out, "All steps were done.")
	return err
}

func (f *simulateFlags) party(p *partyFlags, say func(string, ...any)) (*play.Party, error) {
	card, err := play.ReadCard(p.card)
	if err != nil {
		return nil, err
	}
	source := archiveclient.CredentialDir(p.credential)
	if _, err := source.Current(); err != nil {
		return nil, err
	}
	c, err := archiveclient.New(archiveclient.Config{
		Endpoint: f.endpoint, Registry: f.registry, Credential: source, Professional: card, Language: "en",
	})
	if err != nil {
		return nil, usageError{err}
	}
	party := &play.Party{
		Archive: c, Code: f.code, Unit: f.unit, ServiceTask: f.serviceTask, Format: archiveclient.Format(p.format), Say: say,
	}
	if err := party.Check(); err != nil {
		return nil, usageError{err}
	}
	return party, nil
}
