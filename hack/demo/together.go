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
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/testenv"
)

const (
	southOID   = "1.2.246.10.99999999.10.2"
	southGrant = "clients-" + southOID
	trialName  = "alue-kirjaus"
)

// trialCode is the synthetic code that the parties agreed on.
var trialCode = identitycode.Synthetic(9999).Reveal()

// testTogether plays the life of one combination of client systems, from a grant that waits to one that is open.
func (p *play) testTogether(ctx context.Context) error {
	heading("4. Two client systems are tested together")
	if err := p.showMatrix(ctx); err != nil {
		return err
	}
	say("Pirkanmaa asks that Kela has the report before a grant opens, and schedules a test of the southern unit's system")
	registry := &v1alpha1.Registry{}
	if err := p.change(ctx, organizerKey("clients"), registry, func() { registry.Spec.Policies.DeploymentTestProof = v1alpha1.ProofReported }); err != nil {
		return err
	}
	test, err := p.schedule(ctx)
	if err != nil {
		return err
	}
	if err := p.playTogether(ctx, test); err != nil {
		return err
	}
	if err := p.report(ctx, test); err != nil {
		return err
	}
	return p.showMatrix(ctx)
}

// schedule makes the test, and the unit accepts it as its own status tells it.
func (p *play) schedule(ctx context.Context) (*v1alpha1.DeploymentTest, error) {
	test := &v1alpha1.DeploymentTest{
		ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: trialName},
		Spec: v1alpha1.DeploymentTestSpec{
			Systems: v1alpha1.SystemCombination{Organizer: "alue-system", Producer: "kirjaus-system"}, Mode: v1alpha1.ModeObserved,
			Run: &v1alpha1.TestRun{
				Registry: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: southOID, ServiceTask: "elderly",
				StartsAt: metav1.NewTime(p.clock.Now().Add(3 * time.Second).Truncate(time.Second)),
			},
		},
	}
	if err := p.Create(ctx, test); err != nil {
		return nil, err
	}
	key, unit := client.ObjectKey{Namespace: "hoivakoti", Name: "etelainen"}, &v1alpha1.ProducerUnit{}
	if err := waitFor(ctx, p.stage, "the unit to be told of the test", key, unit, func(o *v1alpha1.ProducerUnit) bool {
		return len(o.Status.DeploymentTests) == 1
	}); err != nil {
		return nil, err
	}
	asked := unit.Status.DeploymentTests[0]
	err := p.change(ctx, key, unit, func() {
		unit.Spec.AcceptTests = []v1alpha1.TestAcceptance{{
			RegistryOID: asked.RegistryOID, TestRegistryOID: asked.TestRegistryOID, StartsAt: asked.StartsAt, ClosesAt: asked.ClosesAt,
		}}
	})
	if err != nil {
		return nil, err
	}
	say("The company accepts the test; at %s the window opens", test.Spec.Run.StartsAt.UTC().Format(time.TimeOnly))
	return test, waitFor(ctx, p.stage, "the window to open", client.ObjectKeyFromObject(test), test, func(o *v1alpha1.DeploymentTest) bool {
		return o.Status.Observation != nil
	})
}

// playTogether lets two client systems of their own play, each a program with its credential, its card and its format.
func (p *play) playTogether(ctx context.Context, test *v1alpha1.DeploymentTest) error {
	oid := string(test.Status.RegistryOID)
	saw("the test has a registry of its own, %s, and each system a credential for it", oid)
	type part struct{ who, card, namespace, secret string }
	var playing sync.WaitGroup
	told, failed := make([][]byte, 2), make([]error, 2)
	for i, one := range []part{
		{"organizer", "2001", "pirkanmaa", trialName + "-organizer"}, {"producer", "3001", "hoivakoti", "etelainen-" + oid},
	} {
		secret := &corev1.Secret{}
		key := client.ObjectKey{Namespace: one.namespace, Name: one.secret}
		if err := waitFor(ctx, p.stage, "the credential of the "+one.who, key, secret, func(o *corev1.Secret) bool { return len(o.Data) > 0 }); err != nil {
			return err
		}
		credential, err := p.files("test-"+one.who, secret.Data)
		if err != nil {
			return err
		}
		card, err := p.cardFiles(one.who, one.card)
		if err != nil {
			return err
		}
		program := filepath.Join(p.dir, "system-"+one.who)
		build := exec.CommandContext(ctx, "go", "build", "-o", program, "./hack/clientsystems/"+one.who)
		build.Dir, build.Stderr = p.root, os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build the %s's system: %w", one.who, err)
		}
		playing.Go(func() {
			told[i], failed[i] = exec.CommandContext(ctx, program, "--endpoint", p.endpoint(), "--registry", oid, "--unit", southOID,
				"--service-task", "elderly", "--client", trialCode, "--credential", credential, "--card", card).CombinedOutput()
		})
	}
	say("Both parties' systems play: one stores JSON, the other XHTML, and each reads both")
	playing.Wait()
	for i, who := range []string{"organizer", "producer"} {
		for line := range bytes.Lines(told[i]) {
			saw("%s: %s", who, bytes.TrimSpace(line))
		}
	}
	return errors.Join(failed...)
}

// cardFiles writes a new card into a directory.
func (p *play) cardFiles(who, id string) (string, error) {
	card, err := p.cards.Issue(id, p.clock.Now().Add(-time.Hour), p.clock.Now().Add(24*time.Hour))
	if err != nil {
		return "", err
	}
	return p.files("card-"+who, map[string][]byte{"tls.crt": chainPEM(card), "tls.key": card.Key.PEM()})
}

// report shows the report of the test, and what it opens.
func (p *play) report(ctx context.Context, test *v1alpha1.DeploymentTest) error {
	say("The archive has seen every step; the window closes, the credentials are revoked and the test's data is destroyed")
	err := waitFor(ctx, p.stage, "the report", client.ObjectKeyFromObject(test), test, func(o *v1alpha1.DeploymentTest) bool { return o.Status.Report != nil })
	if err != nil {
		return err
	}
	if test.Status.Result != v1alpha1.ResultPassed {
		return fmt.Errorf("the test has the result %s", test.Status.Result)
	}
	saw("%d documents and %d clients are destroyed; the report is in ConfigMap %s", *test.Status.Observation.Destruction.Documents,
		*test.Status.Observation.Destruction.Clients, test.Status.Report.ConfigMapName)
	if err := p.verifyReport(ctx, test); err != nil {
		return err
	}
	grant := &v1alpha1.RegistryAccessGrant{}
	if err := p.Get(ctx, organizerKey(southGrant), grant); err != nil {
		return err
	}
	if isTrue(grant.Status.Conditions, v1alpha1.ReadyCondition) {
		return errors.New("the grant opened before Kela had the report")
	}
	saw("grant %s still waits: %s", grant.Name, meta.FindStatusCondition(grant.Status.Conditions, v1alpha1.ReadyCondition).Message)
	say("The parties give the report to Kela, and Pirkanmaa records that")
	err = p.change(ctx, client.ObjectKeyFromObject(test), test, func() {
		test.Spec.Reporting = &v1alpha1.TestReporting{
			ReportedAt: metav1.NewTime(test.Status.PassedAt.Add(time.Second)), Reference: "Kela report 2026-18",
		}
	})
	if err != nil {
		return err
	}
	err = waitFor(ctx, p.stage, "the southern grant to open", organizerKey(southGrant), grant,
		func(o *v1alpha1.RegistryAccessGrant) bool {
			return isTrue(o.Status.Conditions, v1alpha1.ReadyCondition)
		})
	if err != nil {
		return err
	}
	saw("grant %s opens by itself", grant.Name)
	if p.south, err = p.caller(ctx, client.ObjectKey{Namespace: "hoivakoti", Name: "etelainen-" + registryOID}, "south"); err != nil {
		return err
	}
	return p.granted(ctx, "asiakkuus-2")
}

// verifyReport checks the report with a command that knows two public keys, and shows that it sees a change.
func (p *play) verifyReport(ctx context.Context, test *v1alpha1.DeploymentTest) error {
	kept := &corev1.ConfigMap{}
	if err := p.Get(ctx, organizerKey(string(test.Status.Report.ConfigMapName)), kept); err != nil {
		return err
	}
	jws := kept.Data["report.jws"]
	at := strings.Index(jws, ".") + 40
	dir, err := p.files("report", map[string][]byte{"report.jws": []byte(jws), "forged.jws": []byte(jws[:at] + "AAAA" + jws[at+4:])})
	if err != nil {
		return err
	}
	valtuus := func(arguments ...string) (string, error) {
		out, err := exec.CommandContext(ctx, filepath.Join(p.dir, "valtuus"), arguments...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	key, err := valtuus("log", "key", "--data-dir", p.dataDir())
	if err != nil {
		return fmt.Errorf("the key of the log: %s: %w", key, err)
	}
	authority := filepath.Join(p.dir, "test-organizer", "ca.crt")
	told, err := valtuus("tests", "verify", filepath.Join(dir, "report.jws"), "--ca", authority, "--log-vkey", key)
	if err != nil {
		return fmt.Errorf("the report does not hold: %s: %w", told, err)
	}
	for line := range strings.Lines(told) {
		saw("%s", strings.TrimRight(line, "\n"))
	}
	if told, err = valtuus("tests", "verify", filepath.Join(dir, "forged.jws"), "--ca", authority); err == nil {
		return fmt.Errorf("a changed report passes: %s", told)
	}
	saw("with four letters changed: %s", told)
	return nil
}

// showMatrix prints the matrix of tests as the organizer sees it.
func (p *play) showMatrix(ctx context.Context) error {
	kubeconfig := filepath.Join(p.dir, "admin.kubeconfig")
	if err := testenv.WriteKubeconfig(p.env.Config, kubeconfig); err != nil {
		return err
	}
	say("valtuus tests matrix")
	out, err := exec.CommandContext(ctx, filepath.Join(p.dir, "valtuus"), "tests", "matrix", "--namespace", "pirkanmaa", "--kubeconfig", kubeconfig).CombinedOutput()
	fmt.Println(string(out))
	return err
}

// change reads an object, changes it and writes the change.
func (s *stage) change(ctx context.Context, key client.ObjectKey, o client.Object, do func()) error {
	if err := s.Get(ctx, key, o); err != nil {
		return err
	}
	before := o.DeepCopyObject().(client.Object)
	do()
	return s.Patch(ctx, o, client.MergeFrom(before))
}
