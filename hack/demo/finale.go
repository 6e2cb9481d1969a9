// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/testenv"
)

// endAccess ends the relationship and measures how fast ends take effect.
func (p *play) endAccess(ctx context.Context) error {
	heading("9. The organizer ends the relationship")
	p.before = p.clock.Now()
	// Ends are whole seconds: this one is to come after what is asked about later.
	time.Sleep(p.before.Truncate(time.Second).Add(time.Second).Sub(p.before))
	say("Pirkanmaa's own system stores a version of the client relationship document with the end")
	lag, err := p.endByDocument(ctx)
	if err != nil {
		return err
	}
	saw("the next request is refused, %s after the archive acknowledged the version", lag.Round(100*time.Microsecond))
	say("The unit asks for the note that it wrote itself")
	p.north = p.north.In("en")
	_, err = p.north.Read(ctx, p.note, archiveclient.ReadOptions{})
	if err := refusedFor("relationship-ended", err); err != nil {
		return err
	}
	if _, err := p.organizer.Read(ctx, p.note, archiveclient.ReadOptions{}); err != nil {
		return fmt.Errorf("the organizer must keep the note: %w", err)
	}
	saw("the organizer keeps it and reads it")
	relationship := &v1alpha1.ServiceRelationship{}
	if err := p.settled(ctx, p.relationshipName(), relationship); err != nil {
		return err
	}
	saw("ServiceRelationship %s has the end too: %s", relationship.Name, relationship.Spec.End.UTC().Format(time.RFC3339))
	err = waitFor(ctx, p.stage, "the end to be enforced", organizerKey(p.relationshipName()), relationship, func(o *v1alpha1.ServiceRelationship) bool {
		return isTrue(o.Status.Conditions, v1alpha1.RevocationEnforcedCondition) && o.Status.Access == v1alpha1.AccessEnded
	})
	if err != nil {
		return err
	}
	say("The controller confirms: RevocationEnforced is True, every archive replica has applied the end")
	return p.measure(ctx)
}

// end ends a relationship with kubectl's means, and returns how long after the acknowledgment the unit was refused.
func (p *play) end(ctx context.Context, name string, clientID uuid.UUID) (time.Duration, error) {
	relationship := &v1alpha1.ServiceRelationship{}
	if err := p.Get(ctx, organizerKey(name), relationship); err != nil {
		return 0, err
	}
	// An end is later than the start, and both are whole seconds: one that began this very second can end in the next.
	time.Sleep(relationship.Spec.Start.Add(time.Second).Sub(p.clock.Now()))
	before := relationship.DeepCopy()
	relationship.Spec.End = ptr.To(metav1.NewTime(p.clock.Now().Truncate(time.Second)))
	if err := p.Patch(ctx, relationship, client.MergeFrom(before)); err != nil {
		return 0, err
	}
	return p.untilRefused(ctx, clientID)
}

// measure repeats an end with many relationships.
func (p *play) measure(ctx context.Context) error {
	say("Measuring %d more ends", p.repeats)
	ids := map[string]uuid.UUID{}
	for i := range p.repeats {
		name := fmt.Sprintf("measured-%03d", i)
		id, err := p.organizer.RegisterClient(ctx, identitycode.Synthetic(i).Reveal())
		if err != nil {
			return err
		}
		ids[name] = id
		err = p.Create(ctx, &v1alpha1.ServiceRelationship{
			ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: name},
			Spec: v1alpha1.ServiceRelationshipSpec{
				RegistryRef: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: northOID, ClientID: id.String(),
				ServiceTasks: []v1alpha1.ServiceTaskCode{"elderly"}, Procurement: v1alpha1.ProcurementOutsourced,
				Start: metav1.NewTime(p.clock.Now().Add(-time.Hour).Truncate(time.Second)),
			},
		})
		if err != nil {
			return err
		}
	}
	lags := make([]time.Duration, 0, p.repeats)
	for name, id := range ids {
		err := until(ctx, "access for "+name, func() (bool, error) {
			e, err := p.north.Explain(ctx, archiveclient.Question{Client: id, Operation: "Search"})
			return e.Allowed, err
		})
		if err != nil {
			return err
		}
		lag, err := p.end(ctx, name, id)
		if err != nil {
			return err
		}
		lags = append(lags, lag)
	}
	slices.Sort(lags)
	at := func(share float64) time.Duration {
		return lags[min(int(share*float64(len(lags))), len(lags)-1)].Round(100 * time.Microsecond)
	}
	saw("from the acknowledged end to the first refusal: median %s, p99 %s, longest %s", at(.5), at(.99), lags[len(lags)-1].Round(100*time.Microsecond))
	for name := range ids {
		if err := p.Delete(ctx, &v1alpha1.ServiceRelationship{ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: name}}); err != nil {
			return err
		}
	}
	return nil
}

func isRefusal(err error, reasons ...string) bool {
	return slices.Contains(reasons, archiveclient.ReasonOf(err))
}

// showEnd prints what kubectl get valtuus -A would.
func (p *play) showEnd(ctx context.Context) error {
	heading("11. What kubectl get valtuus -A shows")
	return printTables(ctx, p.env.Config)
}

// stay leaves everything running and tells how to look at it.
func (p *play) stay(ctx context.Context) error {
	kubeconfig := filepath.Join(p.dir, "admin.kubeconfig")
	if err := testenv.WriteKubeconfig(p.env.Config, kubeconfig); err != nil {
		return err
	}
	if err := p.writeCard(); err != nil {
		return err
	}
	heading("Everything is left running; interrupt to end it")
	fmt.Printf(`
  export KUBECONFIG=%[1]s
  kubectl get valtuus -A

  cd %[2]s
  call() { curl -sS --cacert $1/ca.crt --cert $1/tls.crt --key $1/tls.key -H 'Content-Type: application/json' \
    -H "Professional-Assertion: $(./valtuus assertion --registry %[3]s --client-cert $1/tls.crt \
      --card-cert card.crt --card-key card.key --subject 1001)" -d "$3" %[4]s/v1/registries/%[3]s/$2; echo; }

  # the southern unit's relationship is live: it finds its client and searches
  call south clients/_search '{"identityCode":"%[5]s"}'
  call south documents/_search '{"client":"%[6]s"}'
  # the northern unit's has ended
  call north documents/_search '{"client":"%[7]s"}'
  # the organizer asks why
  call organizer explain '{"client":"%[7]s","operation":"Search","unit":"%[8]s"}'
`, kubeconfig, p.dir, registryOID, p.endpoint(), secondCode, p.second, p.first, northOID)
	<-ctx.Done()
	return nil
}

func (p *play) writeCard() error {
	return errors.Join(
		os.WriteFile(filepath.Join(p.dir, "card.crt"), chainPEM(p.card), 0o600),
		os.WriteFile(filepath.Join(p.dir, "card.key"), p.card.Key.PEM(), 0o600),
	)
}

// chainPEM gives the certificates of a card.
func chainPEM(card testcard.Card) (chain []byte) {
	for _, certificate := range card.Chain {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return chain
}
