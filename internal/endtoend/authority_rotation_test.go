// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	public "github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testworld"
)

// TestNoHandshakeFailsWhileTheAuthorityIsReplaced replaces an archive's authority under steady requests, each on a
// connection of its own, of a unit and of the organizer. Archive and clients read their Secrets as a kubelet mounts them.
func TestNoHandshakeFailsWhileTheAuthorityIsReplaced(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{world: func(w *testworld.World) {
		w.Archive.Spec.Credentials = &v1alpha1.CredentialPolicy{OverlapSeconds: ptr.To[int32](40)}
	}})
	c := s.open(s.North, nil)
	serverKey := client.ObjectKey{Namespace: s.Platform, Name: s.Archive.Name + "-server"}
	stopped := make(chan struct{})
	var running sync.WaitGroup
	defer running.Wait()
	defer close(stopped)
	follow := func(key client.ObjectKey, dir string) {
		g.Expect(s.mountSecret(key, dir)).To(Succeed())
		running.Go(func() {
			for {
				select {
				case <-stopped:
					return
				case <-time.After(700 * time.Millisecond):
					if err := s.mountSecret(key, dir); err != nil {
						t.Errorf("mount %s: %v", key, err)
					}
				}
			}
		})
	}
	follow(serverKey, filepath.Join(filepath.Dir(s.archive.DataDir), "tls"))
	var asked, failed atomic.Int64
	for _, key := range []client.ObjectKey{s.UnitSecret(s.North), s.OrganizerSecret()} {
		dir := t.TempDir()
		follow(key, dir)
		card, err := s.Card()
		g.Expect(err).NotTo(HaveOccurred())
		caller, err := public.New(public.Config{
			Endpoint: s.archive.Endpoint, Registry: string(s.Registry.Spec.OID), Credential: public.CredentialDir(dir),
			Professional: professional(card), Backoff: &wait.Backoff{Steps: 1}, OnAnswer: s.journal.of(s.archive.Endpoint),
		})
		g.Expect(err).NotTo(HaveOccurred())
		running.Go(func() {
			for {
				select {
				case <-stopped:
					return
				case <-time.After(40 * time.Millisecond):
				}
				_, err := caller.FindClient(background, c.code)
				caller.Close()
				asked.Add(1)
				var problem *archiveclient.Problem
				if err != nil && !errors.As(err, &problem) {
					failed.Add(1)
					t.Errorf("%s: %v", key.Name, err)
				}
			}
		})
	}
	status := func() (a v1alpha1.AuthorityStatus) {
		if archive, err := seen(s, s.Archive)(); err == nil && archive.Status.Authority != nil {
			return *archive.Status.Authority
		}
		return a
	}
	stage := func() v1alpha1.AuthorityStage { return status().Stage }
	first := status().Fingerprint
	g.Expect(change(s, s.Archive, func(a *v1alpha1.Archive) { a.Spec.Authority = &v1alpha1.AuthorityPolicy{Rotation: 1} })).To(Succeed())
	g.Eventually(stage).Should(Equal(v1alpha1.AuthorityPublishing))
	g.Eventually(stage, 2*patience).Should(Equal(v1alpha1.AuthorityReplacing))
	g.Expect(s.renewNow(s.North)).To(Succeed())
	g.Expect(s.renewOrganizer()).To(Succeed())
	// The former certificates are accepted for a while.
	g.Eventually(stage, 2*patience).Should(Equal(v1alpha1.AuthorityStable))
	g.Expect(status().Fingerprint).NotTo(Equal(first))
	before := asked.Load()
	g.Eventually(asked.Load).Should(BeNumerically(">", before+200), "and on")
	g.Expect(failed.Load()).To(BeZero())
	t.Logf("%d handshakes", asked.Load())
}

// renewOrganizer makes the renewal point of the organizer's credential come.
func (s *scene) renewOrganizer() error {
	registry := s.Registry.DeepCopy()
	if err := renew(s, registry, func() []v1alpha1.Credential { return registry.Status.Credentials }); err != nil {
		return err
	}
	return change(s, s.Registry, func(o *v1alpha1.Registry) { o.Annotations = map[string]string{"look": "again"} })
}

// mountSecret shows a Secret in a directory as a kubelet does: all of it changes at once, by the rename of a link.
func (s *scene) mountSecret(key client.ObjectKey, dir string) error {
	secret := &corev1.Secret{}
	if err := s.Get(background, key, secret); err != nil {
		return err
	}
	fresh := "..v" + secret.ResourceVersion
	if _, err := os.Stat(filepath.Join(dir, fresh)); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(dir, fresh), 0o700); err != nil {
		return err
	}
	for name, content := range secret.Data {
		if err := os.WriteFile(filepath.Join(dir, fresh, name), content, 0o600); err != nil {
			return err
		}
	}
	link := func(target, name string) error {
		temporary := filepath.Join(dir, fmt.Sprintf("..tmp-%s", filepath.Base(name)))
		if err := os.Symlink(target, temporary); err != nil {
			return err
		}
		return os.Rename(temporary, filepath.Join(dir, name))
	}
	_, err := os.Lstat(filepath.Join(dir, "..data"))
	if linked := link(fresh, "..data"); linked != nil || err == nil {
		return linked
	}
	for name := range secret.Data {
		if err := link(filepath.Join("..data", name), name); err != nil {
			return err
		}
	}
	return nil
}
