// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/testworld"
)

// TestInvariant7And8_NothingLeaks plays a life with mistakes in it, then looks into everything that anybody but a
// party to it can read: logs, metrics, and every object beside the Secrets.
func TestInvariant7And8_NothingLeaks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	c := s.open(s.North, nil)
	south := s.open(s.South, nil)
	const clientName, content = "Aino Esimerkki-Testinen", "Asiakas kertoi voivansa hyvin"
	doc := c.document("case-note", testworld.Task, clientName+": "+content)
	_, err := c.caller.Store(background, doc)
	g.Expect(err).NotTo(HaveOccurred())
	misplaced, token := newCode(), ""
	for _, one := range []struct{ path, contentType, body string }{
		{"/documents/_search?client=" + misplaced, "application/json", `{}`},
		{"/documents/" + misplaced, "", ""},
		{"/documents/_search", "application/json", `{"client": "` + c.id + `", "type": "` + misplaced + `"}`},
		{"/documents/_search", "application/json", `{"` + misplaced + `": 1}`},
		{"/clients/_search", "application/json", `{"identityCode": "` + misplaced + `x"}`},
		{"/clients/_search", "application/json", `{"identityCode": "` + misplaced + `"`},
		{"/explain", "application/json", `{"client": "` + c.id + `", "operation": "` + misplaced + `"}`},
		{"/documents?client=" + c.id + "&type=" + misplaced + "&serviceTask=elderly&created=2026-01-01T00:00:00Z", "application/json", string(doc.Body)},
		{"/documents?client=" + c.id + "&type=case-note&serviceTask=elderly&created=2026-01-01T00:00:00Z", "application/json", "{" + clientName},
	} {
		token, err = c.caller.Assertion()
		g.Expect(err).NotTo(HaveOccurred())
		_, body, err := c.caller.DoWith(background, token, http.MethodPost, one.path, one.contentType, []byte(one.body))
		g.Expect(err).To(HaveOccurred(), one.path)
		g.Expect(string(body)).NotTo(ContainSubstring(misplaced), "an answer that repeats the code")
	}
	_, _, err = c.caller.DoWith(background, token, http.MethodGet, "/documents/"+c.decision, "", nil)
	g.Expect(reasonOf(err)).To(Equal("assertion-replayed"))
	g.Expect(s.renewNow(c.unit)).To(Succeed())
	g.Eventually(func() int { return len(s.ledger(c.unit)) }).Should(Equal(2))
	g.Expect(change(s, s.grantOf(south.unit), func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Suspend = ptr.To(true) })).To(Succeed())
	g.Eventually(func() []v1alpha1.Credential { return s.ledger(south.unit) }).Should(BeEmpty())
	g.Expect(c.end(time.Now())).To(Succeed())
	g.Eventually(c.access, soon).Should(Equal("relationship-ended"))

	secrets := map[string]string{
		"the client's identity code": c.code, "another client's": south.code, "a misplaced one": misplaced,
		"the client's name": clientName, "a document": content, "an assertion": token, "an assertion's signature": token[strings.LastIndex(token, ".")+1:],
	}
	g.Expect(s.privateKeys(secrets)).To(Succeed())
	metrics, err := scrape(s.archive.Admin + "/metrics")
	g.Expect(err).NotTo(HaveOccurred())
	var objects string
	g.Eventually(func() (string, error) { // events are told behind the controllers
		objects, err = s.readable()
		return objects, err
	}).Should(ContainSubstring(`"kind":"Event"`))
	g.Expect(metrics).To(ContainSubstring("valtuus_archive_requests_total"))
	g.Expect(objects).To(ContainSubstring(string(c.relationship.UID)))
	g.Expect(objects).To(ContainSubstring(`"kind":"Lease"`))
	g.Expect(s.log.String()).To(ContainSubstring("relationship-ended"))
	g.Expect(s.cluster.log.String()).NotTo(BeEmpty())
	for where, text := range map[string]string{
		"the archive's log": s.log.String(), "the manager's log": s.cluster.log.String(), "the metrics": metrics, "the objects": objects,
	} {
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", what, where)
			}
		}
		if strings.Contains(text, "PRIVATE KEY") {
			t.Errorf("a private key is in %s", where)
		}
	}
}

// privateKeys adds a line from within each private key in the world's Secrets.
func (s *scene) privateKeys(to map[string]string) error {
	for _, namespace := range []string{s.Platform, s.Organizer, s.Producer} {
		var list corev1.SecretList
		if err := s.List(background, &list, client.InNamespace(namespace)); err != nil {
			return err
		}
		for i := range list.Items {
			secret := &list.Items[i]
			lines := strings.Split(string(secret.Data[corev1.TLSPrivateKeyKey]), "\n")
			if len(lines) < 4 {
				return fmt.Errorf("the key of %s is too short", secret.Name)
			}
			to["the key of "+secret.Name] = lines[2] // the first line is the same in every key of its kind
		}
	}
	return nil
}

// readable is every object of the kinds that the product writes or causes, Secrets excepted, as JSON.
func (s *scene) readable() (string, error) {
	var all strings.Builder
	for _, kind := range []schema.GroupVersionKind{
		{Group: "valtuus.io", Version: "v1alpha1", Kind: "Archive"},
		{Group: "valtuus.io", Version: "v1alpha1", Kind: "Organization"},
		{Group: "valtuus.io", Version: "v1alpha1", Kind: "ClientSystem"},
		{Group: "valtuus.io", Version: "v1alpha1", Kind: "Registry"},
		{Group: "valtuus.io", Version: "v1alpha1", Kind: "ProducerUnit"},
		{Group: "valtuus.io", Version: "v1alpha1", Kind: "ServiceRelationship"},
		{Group: "valtuus.io", Version: "v1alpha1", Kind: "RegistryAccessGrant"},
		{Group: "valtuus.io", Version: "v1alpha1", Kind: "DeploymentTest"},
		{Group: "events.k8s.io", Version: "v1", Kind: "Event"},
		{Version: "v1", Kind: "Event"},
		{Version: "v1", Kind: "ConfigMap"},
		{Version: "v1", Kind: "Namespace"},
		{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := s.List(background, list); err != nil {
			return "", err
		}
		for _, o := range list.Items {
			text, err := json.Marshal(o.Object)
			if err != nil {
				return "", err
			}
			all.Write(append(text, '\n'))
		}
	}
	return all.String(), nil
}

func scrape(url string) (string, error) {
	request, err := http.NewRequestWithContext(background, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}
