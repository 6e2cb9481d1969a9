// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testworld"
)

// recall asks an archive as the organizer for the history or a review of a client.
func recall[T any](c *care, organizer *archiveclient.Client, what string, more map[string]any) (answer T) {
	c.s.t.Helper()
	g := NewWithT(c.s.t)
	body := map[string]any{"client": c.id}
	for name, value := range more {
		body[name] = value
	}
	text, err := json.Marshal(body)
	g.Expect(err).NotTo(HaveOccurred())
	_, raw, err := organizer.Do(background, "POST", "/relationships/"+what, "application/json", text)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal(raw, &answer)).To(Succeed())
	return answer
}

// visible tells through which objects the client could be seen at an instant as known at another one.
func (c *care) visible(organizer *archiveclient.Client, at, knownAt time.Time) (uids []string) {
	c.s.t.Helper()
	answer := recall[openapi.RelationshipHistory](c, organizer, "_history", map[string]any{
		"at": at.Format(time.RFC3339Nano), "knownAt": knownAt.Format(time.RFC3339Nano),
	})
	for _, r := range answer.Relationships {
		uids = append(uids, r.Relationship)
	}
	return uids
}

// TestInvariant10_TheHistoryOutlivesTheRelationship: a relationship is made, ended backwards and deleted, another is
// deleted while the archive is down, and the archive still tells who could see the client, and when that was known.
func TestInvariant10_TheHistoryOutlivesTheRelationship(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	c, unseen := s.open(s.North, nil), s.open(s.South, nil)
	uid := string(c.relationship.UID)
	_, err := c.caller.Read(background, c.decision)
	g.Expect(err).NotTo(HaveOccurred())
	// It is recorded behind the feed: nothing waits for it.
	for _, one := range []*care{c, unseen} {
		g.Eventually(func() []string { return one.visible(s.organizer, time.Now(), time.Now()) }).
			Should(HaveExactElements(string(one.relationship.UID)))
	}
	open := time.Now()
	time.Sleep(2 * time.Millisecond)
	g.Expect(c.end(open.Add(-10 * time.Minute))).To(Succeed())
	g.Eventually(c.access, soon).Should(Equal("relationship-ended"))
	g.Eventually(func() []string { return c.visible(s.organizer, open, time.Now().Add(-time.Millisecond)) }, soon).Should(BeEmpty())
	g.Expect(c.visible(s.organizer, open, open)).To(HaveExactElements(uid), "what was really seen")
	g.Expect(c.visible(s.organizer, open.Add(-11*time.Minute), open)).To(HaveExactElements(uid))

	gone := func(o client.Object) {
		g.Expect(s.Delete(background, o)).To(Succeed())
		g.Eventually(func() error { _, err := seen(s, o)(); return err }).Should(MatchError(ContainSubstring("not found")))
	}
	gone(c.relationship)
	states := func(c *care, organizer *archiveclient.Client) []openapi.RelationshipState {
		return recall[openapi.RelationshipHistory](c, organizer, "_history", nil).States
	}
	isLast := func(match types.GomegaMatcher) types.GomegaMatcher {
		return WithTransform(func(all []openapi.RelationshipState) openapi.RelationshipState {
			if len(all) == 0 {
				return openapi.RelationshipState{}
			}
			return all[len(all)-1]
		}, match)
	}
	g.Eventually(func() []openapi.RelationshipState { return states(c, s.organizer) }, soon).
		Should(isLast(SatisfyAll(HaveField("Deleted", true), HaveField("Missed", false))))
	review := recall[openapi.RelationshipReview](c, s.organizer, "_review", nil)
	g.Expect(review.Items).To(HaveLen(1))
	end := review.Items[0]
	g.Expect(end.Relationship).To(Equal(uid))
	g.Expect(end.RecordedAt).To(BeTemporally(">", open))
	g.Expect(end.EndedAt).To(BeTemporally("<", open))
	g.Expect(end.Complete).To(BeTrue())
	g.Expect(end.Uses).To(ContainElement(SatisfyAll(
		HaveField("Operation", "Read"), HaveField("Professional", "1001"), HaveField("Documents", 1), HaveField("Relationship", uid))))
	g.Expect(end.Uses).To(ContainElement(HaveField("Operation", "Store")))

	// Nobody looks while the other one goes.
	before := states(c, s.organizer)
	s.journal.unanswered = true // by the process that stops here
	g.Expect(s.archive.Stop()).To(Succeed())
	gone(unseen.relationship)
	cfg, err := testworld.ArchiveConfig(s.cluster.Env, s.Platform)
	g.Expect(err).NotTo(HaveOccurred())
	back := time.Now()
	next, err := s.StartReplica(background, testworld.ReplicaOptions{
		Cluster: cfg, Name: "archive-0", Dir: filepath.Dir(s.archive.DataDir), Log: s.log.logger(),
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(next.Stop()).To(Succeed()) })
	g.Expect(next.WaitReady(background)).To(Succeed())
	organizer, err := s.Caller(background, next.Endpoint, s.OrganizerSecret())
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(organizer.Close)
	g.Eventually(func() []openapi.RelationshipState { return states(unseen, organizer) }).
		Should(isLast(SatisfyAll(HaveField("Deleted", true), HaveField("Missed", true), HaveField("RecordedAt", BeTemporally(">", back)))))
	g.Expect(unseen.visible(organizer, open, time.Now().Add(-time.Millisecond))).To(HaveExactElements(string(unseen.relationship.UID)))
	g.Expect(unseen.visible(organizer, time.Now(), time.Now().Add(-time.Millisecond))).To(BeEmpty())
	g.Expect(states(c, organizer)).To(Equal(before), "a restart records nothing that was recorded")
	g.Expect(c.visible(organizer, open, open)).To(HaveExactElements(uid))
	for _, secret := range []string{c.id, unseen.id, c.code, uid} {
		g.Expect(strings.Contains(s.log.String(), secret)).To(BeFalse(), "the log tells of a person")
	}
}
