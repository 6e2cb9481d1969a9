// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
)

// keepCare plays what makes the archive one of social care.
func (p *play) keepCare(ctx context.Context) error {
	heading("8. A shared matter, a protected address and a summary")
	for _, act := range []func(context.Context) error{p.shareMatter, p.replaceIdentity, p.protect, p.summarize} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// shareMatter opens one matter for two people, and stores one plan that is of both.
func (p *play) shareMatter(ctx context.Context) error {
	say("The two clients are a couple: the organizer opens one matter for both, and stores one plan in it")
	matter, err := p.organizer.OpenMatter(ctx, archiveclient.NewMatter{Clients: []uuid.UUID{p.first, p.second}, ServiceTasks: []string{"elderly"}})
	if err != nil {
		return err
	}
	plan := p.document(p.first, "client-plan", "elderly")
	plan.Matter, plan.XHTML = matter.ID, nil
	stored, err := p.organizer.StoreDocument(ctx, plan)
	if err != nil {
		return err
	}
	p.shared = stored.ID
	for _, unit := range []struct {
		name   string
		caller *archiveclient.Client
		client uuid.UUID
	}{{"northern", p.north, p.first}, {"southern", p.south, p.second}} {
		if !p.finds(ctx, unit.caller, unit.client, p.shared) {
			return fmt.Errorf("the %s unit does not find the plan of the shared matter through its client", unit.name)
		}
		saw("the %s unit finds the plan through its own client", unit.name)
	}
	document, err := p.north.Metadata(ctx, p.shared, archiveclient.MetadataOptions{})
	if err != nil {
		return err
	}
	if len(document.Clients) != 1 {
		return fmt.Errorf("the northern unit is told of %d clients of the plan instead of its own", len(document.Clients))
	}
	saw("and is not told whose it is besides")
	say("Into a matter that has been closed nothing more is stored")
	if _, err := p.organizer.CloseMatter(ctx, matter.ID, time.Time{}); err != nil {
		return err
	}
	_, err = p.organizer.In("en").StoreDocument(ctx, plan)
	if err := refusedFor("matter-closed", err); err != nil {
		return err
	}
	say("It was closed by mistake, and is opened again")
	_, err = p.organizer.ReopenMatter(ctx, matter.ID)
	return err
}

func (p *play) finds(ctx context.Context, caller *archiveclient.Client, clientID, document uuid.UUID) bool {
	for found, err := range caller.Search(ctx, archiveclient.Query{Client: clientID}) {
		if err != nil {
			return false
		}
		if found.ID == document {
			return true
		}
	}
	return false
}

// replaceIdentity gives somebody who came without an identity code the code later.
func (p *play) replaceIdentity(ctx context.Context) error {
	say("Somebody comes without an identity code, and gets a temporary identifier")
	temporary := archiveclient.TemporaryIdentifier{OID: "1.2.246.10.32213086.22.2026.7"}
	id, err := p.organizer.RegisterTemporary(ctx, temporary)
	if err != nil {
		return err
	}
	note, err := p.organizer.StoreDocument(ctx, p.document(id, "case-note", "elderly"))
	if err != nil {
		return err
	}
	say("The identity code becomes known: the client and the documents stay the same")
	if _, err := p.organizer.ReplaceIdentity(ctx, id, thirdCode); err != nil {
		return err
	}
	found, err := p.organizer.FindClient(ctx, thirdCode)
	if err != nil {
		return err
	}
	if found != id || !p.finds(ctx, p.organizer, found, note.ID) {
		return errors.New("under the identity code the client or the document is another one")
	}
	saw("%s → %s, with the note that was stored before", thirdCode, found)
	return nil
}

// protect puts the first client under a non-disclosure for personal safety.
func (p *play) protect(ctx context.Context) error {
	say("The first client gets a non-disclosure for personal safety (turvakielto)")
	if _, err := p.organizer.UpdateClient(ctx, p.first, true, time.Time{}); err != nil {
		return err
	}
	whole, err := p.organizer.Read(ctx, p.shared, archiveclient.ReadOptions{})
	if err != nil {
		return err
	}
	if !bytes.Equal(whole.JSON, examples.JSON("client-plan")) {
		return errors.New("the organizer must read the stored bytes")
	}
	saw("the organizer reads   %s", address(whole.JSON))
	masked, err := p.north.Read(ctx, p.shared, archiveclient.ReadOptions{})
	if err != nil {
		return err
	}
	if !masked.Masked || bytes.Contains(masked.JSON, []byte("Esimerkkikatu")) {
		return errors.New("the unit is told the address")
	}
	saw("the unit now reads    %s", address(masked.JSON))
	return nil
}

var addressPattern = regexp.MustCompile(`"clientContact":\s*\{[^}]*\}`)

// address is what a plan says of where the client lives.
func address(plan []byte) string { return string(addressPattern.Find(plan)) }

// summarize shows each party its own summary of one client.
func (p *play) summarize(ctx context.Context) error {
	say("The organizer and the unit ask for a summary of the first client: each gets its own")
	for _, one := range []struct {
		name   string
		caller *archiveclient.Client
	}{{"organizer", p.organizer}, {"unit", p.north}} {
		summary, err := one.caller.Summary(ctx, p.first)
		if err != nil {
			return err
		}
		page, err := one.caller.SearchPage(ctx, archiveclient.Query{Client: p.first}, "")
		if err != nil {
			return err
		}
		if summary.Total != page.Total {
			return fmt.Errorf("the %s's summary counts %d documents, its search %d", one.name, summary.Total, page.Total)
		}
		var counts []string
		for _, c := range summary.Counts {
			counts = append(counts, fmt.Sprintf("%s %d", c.Type, c.Count))
		}
		saw("%s: open matters %d, live relationships %d, decisions %d, plans %d; %s", one.name,
			len(summary.Matters), len(summary.Relationships), len(summary.Decisions), len(summary.Plans), strings.Join(counts, ", "))
	}
	page, err := p.organizer.In("fi").SummaryPage(ctx, p.first)
	if err != nil {
		return err
	}
	saw("as people read it, in XHTML: %d bytes", len(page))
	return nil
}

// lookBack asks, when the right is over, who could see the client and who did.
func (p *play) lookBack(ctx context.Context) error {
	heading("10. Who could see this client, and who did")
	history, err := p.organizer.RelationshipHistory(ctx, archiveclient.HistoryQuestion{
		Client: p.first, At: p.before.UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		return err
	}
	if len(history.Relationships) != 1 || history.Relationships[0].Unit != northOID {
		return fmt.Errorf("the history tells of %d units that could see the client, instead of the northern one", len(history.Relationships))
	}
	say("Before the end, at %s, the client could be seen by", p.before.UTC().Format(time.TimeOnly))
	saw("unit %s, since %s", history.Relationships[0].Unit, history.Relationships[0].Start.UTC().Format(time.TimeOnly))
	supervisor := p.professional()
	supervisor.Role = "supervisor"
	done := map[string]int{}
	for row, err := range p.organizer.As(supervisor).SearchLog(ctx, archiveclient.LogQuery{Client: p.first, Unit: northOID}) {
		if err != nil {
			return err
		}
		done[string(row.Outcome)]++
	}
	if done["allowed"] == 0 || done["refused"] == 0 {
		return fmt.Errorf("the use log has %d allowed and %d refused requests of the unit", done["allowed"], done["refused"])
	}
	say("A supervisor of Pirkanmaa searches the use log for that unit and client")
	saw("%d requests were allowed, %d refused", done["allowed"], done["refused"])
	return p.proveLog(ctx)
}

// proveLog copies the log beside the serving archive and checks the copy, as an outsider would.
func (p *play) proveLog(ctx context.Context) error {
	say("The log is copied while the archive serves, and checked by somebody who has the copy and the archive's public key")
	valtuus := func(arguments ...string) (string, error) {
		out, err := exec.CommandContext(ctx, filepath.Join(p.dir, "valtuus"), arguments...).Output()
		if failed := new(exec.ExitError); errors.As(err, &failed) {
			err = fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		return strings.TrimSpace(string(out)), err
	}
	data, copied := p.dataDir(), filepath.Join(p.dir, "log-copy")
	key, err := valtuus("log", "key", "--data-dir", data)
	if err != nil {
		return fmt.Errorf("the key of the log: %s: %w", key, err)
	}
	err = until(ctx, "the copied log to be proven whole", func() (bool, error) {
		if out, err := valtuus("log", "export", "--data-dir", data, "--to", copied); err != nil {
			return false, fmt.Errorf("copying the log: %s: %w", out, err)
		}
		told, err := valtuus("log", "verify", copied, "--key", key)
		if err != nil {
			return false, errors.Join(fmt.Errorf("checking the log: %s: %w", told, err), os.RemoveAll(copied))
		}
		saw("%s", strings.ReplaceAll(told, "\n", "; "))
		return true, nil
	})
	return err
}
