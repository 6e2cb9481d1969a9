// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/deploymenttest"
	"github.com/valtuus/valtuus/internal/deploymenttest/report"
)

// Entries of the ConfigMap of a report.
const (
	reportEntry = "report.jws"
	viewEntry   = "report.%s.xhtml"
)

// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;create

// reportAgain is how often is looked whether what stands where a report belongs has gone: nobody tells of it.
const reportAgain = 5 * time.Minute

// reportNow makes the report in the pass in which a test ends, once its status says so.
func (r *DeploymentTestReconciler) reportNow(ctx context.Context, s *testScope) error {
	before := s.test.DeepCopy()
	if err := r.report(ctx, s); err != nil {
		return err
	}
	r.updateStatus(s)
	return r.patchStatus(ctx, before, s.test)
}

// report sees to it that a test that has ended has its report; the status, which is not written here, names it.
func (r *DeploymentTestReconciler) report(ctx context.Context, s *testScope) error {
	if s.test.Status.Report != nil || !deploymenttest.Runs(s.test) || !deploymenttest.Ended(s.test) || s.test.DeletionTimestamp != nil ||
		s.archive == nil || s.plan.Registry == nil {
		return nil
	}
	of := reported{archive: s.archive, registry: s.plan.Registry}
	var err error
	if of.organizer, err = r.organizationByOID(ctx, s.plan.Registry.Spec.Organization); err != nil {
		return err
	}
	if unit := s.plan.Unit; unit != nil {
		if of.producer, err = r.organizationByOID(ctx, unit.Spec.Organization); err != nil {
			return err
		}
	}
	writer := reporter{Writer: r.Client, reader: r.reader, clock: r.clock, issuers: r.issuers}
	made, conflict, err := writer.write(ctx, s.test, of)
	switch {
	case err != nil:
		return err
	case conflict != "":
		s.unreported = conflict
		s.wake = append(s.wake, s.now.Add(reportAgain))
	case made != nil:
		s.test.Status.Report = made
	}
	return nil
}

// reporter signs the reports of deployment tests. ConfigMaps are read past the cache, which would hold all of the cluster's.
type reporter struct {
	client.Writer
	reader  client.Reader
	clock   clock.PassiveClock
	issuers *issuers
}

// reported is what a report is made of besides the test.
type reported struct {
	archive             *v1alpha1.Archive
	registry            *v1alpha1.Registry
	organizer, producer *v1alpha1.Organization
}

// reportName is the name of the ConfigMap of a test's report.
func reportName(test *v1alpha1.DeploymentTest) string { return test.Name + "-report" }

// write gives the report of a test that has its result and whose data is destroyed, and keeps it in a ConfigMap. A report is
// signed once: what is there already is the report, also after a crash between the ConfigMap and the status. It is nil while
// there is nothing to report, and conflict tells why the ConfigMap cannot be made.
func (r *reporter) write(ctx context.Context, test *v1alpha1.DeploymentTest, of reported) (_ *v1alpha1.TestReport, conflict string, err error) {
	switch s := &test.Status; {
	case s.Report != nil:
		return s.Report, "", nil
	case test.Spec.Mode == v1alpha1.ModeRecorded, s.Result == "", s.Observation == nil, s.Observation.Destruction == nil:
		return nil, "", nil
	}
	var there corev1.ConfigMap
	key := client.ObjectKey{Namespace: test.Namespace, Name: reportName(test)}
	err = r.reader.Get(ctx, key, &there)
	switch {
	case err == nil:
		return r.known(test, of, &there)
	case !apierrors.IsNotFound(err):
		return nil, "", err
	}
	made, err := r.make(ctx, test, of)
	if err != nil {
		return nil, "", err
	}
	if err := r.Create(ctx, made); err != nil {
		if apierrors.IsAlreadyExists(err) {
			return nil, conflictOf(made), nil
		}
		return nil, "", fmt.Errorf("write the report of a deployment test: %w", err)
	}
	return r.known(test, of, made)
}

// make composes and signs.
func (r *reporter) make(ctx context.Context, test *v1alpha1.DeploymentTest, of reported) (*corev1.ConfigMap, error) {
	issuer, err := r.issuers.of(ctx, of.archive)
	if err != nil {
		return nil, err
	}
	document := report.Compose(report.Input{
		Test: test, Registry: of.registry, Organizer: of.organizer, Producer: of.producer, SignedAt: r.clock.Now(),
	})
	signed, err := report.Sign(ctx, document, issuer)
	if err != nil {
		return nil, err
	}
	made := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: test.Namespace, Name: reportName(test), Labels: map[string]string{managedByLabel: managedByValue},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(test, v1alpha1.GroupVersion.WithKind("DeploymentTest"))},
		},
		Immutable: ptr.To(true), Data: map[string]string{reportEntry: signed.JWS},
	}
	for _, language := range report.Languages {
		page, err := document.View(language)
		if err != nil {
			return nil, err
		}
		made.Data[fmt.Sprintf(viewEntry, language)] = string(page)
	}
	return made, nil
}

// known reads the report that is there, if it is this test's and holds.
func (r *reporter) known(test *v1alpha1.DeploymentTest, of reported, there *corev1.ConfigMap) (*v1alpha1.TestReport, string, error) {
	if !metav1.IsControlledBy(there, test) {
		return nil, conflictOf(there), nil
	}
	authority, err := report.Authority([]byte(of.archive.Status.CABundle))
	if err != nil {
		return nil, "", err
	}
	verified, err := report.Verify(there.Data[reportEntry], report.Options{Authority: authority})
	if err != nil || verified.Test.UID != string(test.UID) {
		return nil, conflictOf(there), nil
	}
	return &v1alpha1.TestReport{
		ConfigMapName: v1alpha1.ObjectName(there.Name), Digest: verified.Digest, SignedAt: verified.Times.SignedAt,
	}, "", nil
}

func conflictOf(there *corev1.ConfigMap) string {
	return fmt.Sprintf("ConfigMap %s is not the report of this test: delete it, and the report is signed within minutes.", there.Name)
}
