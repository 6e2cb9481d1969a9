// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/logretention"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/testworld"
)

// statements are what public sources say of the right and of the archive, each put so that it can be tested.
var statements = []struct {
	name string
	hold func(*testing.T, *stage)
}{
	{"1 without a live relationship that names the unit a search is refused", withoutARelationship},
	{"2 with one, what the worker has user rights to is allowed", withinUserRights},
	{"3 what the producer stores lands in the organizer's register", landsInTheRegister},
	{"4 the organizer sees it only after the store", seenAfterTheStore},
	{"5 after the end even own documents are refused", afterTheEnd},
	{"6 a client's denial changes none of this", aDenialChangesNothing},
	{"7 missing information of Kanta does not stop storing", withoutKantaInformation},
	{"8 the first use of a combination without a test is flagged to the organizer", combinationFlagged},
	{"9 only an extended right lets a producer write matters and relationships", onlyExtended},
	{"10 an extended right is a person's own decision, never made by itself", neverExtendedByItself},
	{"11 outside the 900 series a code is refused in a test environment", only900Series},
	{"12 each document is kept for the time of its service task", keptByServiceTask},
	{"13 a log request covers at most two years without a reason", logRequestOfTwoYears},
	{"14 logs are kept for 12 years", logsKeptTwelveYears},
	{"15 an annulment by the controller reaches what producers stored", annulmentReachesProducers},
}

// TestStatements holds each of them on both engines, from Kubernetes objects to the bytes of an answer.
func TestStatements(t *testing.T) {
	t.Parallel()
	for engine, of := range map[string]func(*testing.T) *database{
		"SQLite":     func(*testing.T) *database { return nil },
		"PostgreSQL": newDatabase,
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := &stage{}
			s.scene = shared.of(t).begin(t, settings{database: of(t), world: s.arrange})
			for _, unit := range s.units {
				NewWithT(t).Expect(s.Create(background, unit)).To(Succeed())
			}
			for _, statement := range statements {
				t.Run(statement.name, func(t *testing.T) { statement.hold(t, s) })
			}
		})
	}
}

// stage is a scene with a unit for each statement that changes more than its own client.
type stage struct {
	*scene
	units map[string]*v1alpha1.ProducerUnit
}

func (s *stage) arrange(w *testworld.World) {
	s.units = addUnits(w, "extended", "untested")
	w.CompanySystem.Spec.Features = append(w.CompanySystem.Spec.Features, v1alpha1.FeatureExtendedRegisterAccess)
	w.AreaSystem.Spec.Features = append(w.AreaSystem.Spec.Features, v1alpha1.FeatureExtendedRegisterAccess)
}

// as is the unit's caller in another role.
func (c *care) as(role string) *archiveclient.Client {
	return c.s.follow(c.s.archive, c.caller.In(role))
}

// search finds the client's documents.
func search(c *archiveclient.Client, client string) (archiveclient.Page, error) {
	return c.Search(background, archiveQuery(client))
}

// notes counts the client's case notes that a caller finds. The archive stores the client relationship document of a
// relationship that was applied in its own time, so all documents are no number to compare.
func notes(g Gomega, c *archiveclient.Client, client string) int {
	_, body, err := c.Do(background, http.MethodPost, "/documents/_search", "application/json",
		fmt.Appendf(nil, `{"client": %q, "type": "case-note"}`, client))
	g.Expect(err).NotTo(HaveOccurred())
	var found struct{ Total int }
	g.Expect(json.Unmarshal(body, &found)).To(Succeed())
	return found.Total
}

// toldOf reads what a caller is told of a document.
func toldOf(g Gomega, c *archiveclient.Client, document string) map[string]any {
	_, body, err := c.Do(background, http.MethodGet, "/documents/"+document+"/metadata", "", nil)
	g.Expect(err).NotTo(HaveOccurred())
	var told map[string]any
	g.Expect(json.Unmarshal(body, &told)).To(Succeed())
	return told
}

// refusedFor matches a refusal with one of the reasons.
func refusedFor(reasons ...string) types.GomegaMatcher {
	return WithTransform(reasonOf, BeElementOf(reasons))
}

func withoutARelationship(t *testing.T, s *stage) {
	g := NewWithT(t)
	with := s.open(s.North, nil)
	client, err := s.organizer.RegisterClient(background, newCode())
	g.Expect(err).NotTo(HaveOccurred())
	_, err = search(with.caller, client)
	g.Expect(err).To(refusedFor("no-relationship"))
	ahead := s.begun(s.North, func(r *v1alpha1.ServiceRelationship) { r.Spec.Start = s.In(time.Hour) })
	g.Eventually(func() error { _, err := search(with.caller, ahead.id); return err }, soon).Should(refusedFor("relationship-not-started"))
}

func withinUserRights(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.North, nil)
	plan, err := s.organizer.Store(background, c.document("client-plan", testworld.Task, "the plan"))
	g.Expect(err).NotTo(HaveOccurred())
	other, err := s.organizer.Store(background, c.document("case-note", "substance-abuse", "of another task"))
	g.Expect(err).NotTo(HaveOccurred())
	for role, reads := range map[string]bool{"social-worker": true, "practical-nurse": true, "office-secretary": false} {
		_, err := c.as(role).Read(background, plan)
		g.Expect(err == nil).To(Equal(reads), "%s: %v", role, err)
		_, err = c.as(role).Read(background, other)
		g.Expect(err).To(HaveOccurred(), "the relationship is not about that task")
	}
	_, err = c.as("unheard-of").Read(background, plan)
	g.Expect(err).To(refusedFor("role-unknown"))
	_, err = c.as("practical-nurse").Store(background, c.document("client-plan", testworld.Task, "not a nurse's to store"))
	g.Expect(err).To(refusedFor("user-right-missing"))
}

func landsInTheRegister(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.North, nil)
	told := toldOf(g, s.organizer, c.note)
	for name, want := range map[string]any{
		"registry": string(s.Registry.Spec.OID), "registryController": string(s.Registry.Spec.ControllerOID), "organizer": string(s.Area.Spec.OID),
	} {
		g.Expect(told[name]).To(Equal(want), name)
	}
	g.Expect(told["author"]).To(SatisfyAll(
		HaveKeyWithValue("organization", string(s.Company.Spec.OID)), HaveKeyWithValue("unit", string(s.North.Spec.OID))))
}

func seenAfterTheStore(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.North, nil)
	before := notes(g, s.organizer, c.id)
	_, err := c.caller.Store(background, archiveclient.NewDocument{
		Client: c.id, Type: "case-note", ServiceTasks: []string{testworld.Task}, Created: time.Now().Add(-time.Second),
		ContentType: "application/json", Body: []byte(`{"unfinished": true}`),
	})
	g.Expect(err).To(refusedFor("document-invalid"))
	g.Expect(notes(g, s.organizer, c.id)).To(Equal(before), "what was not stored is not seen")
	note, err := c.caller.Store(background, c.document("case-note", testworld.Task, "stored now"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.organizer.Read(background, note)).To(MatchJSON(testworld.Body("case-note", "stored now")))
	g.Expect(notes(g, s.organizer, c.id)).To(Equal(before + 1))
}

func afterTheEnd(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.North, nil)
	g.Expect(c.end(time.Now())).To(Succeed())
	g.Eventually(c.access, soon).Should(Equal("relationship-ended"))
	_, err := c.caller.Read(background, c.note)
	g.Expect(err).To(HaveOccurred(), "its own document")
	_, err = search(c.caller, c.id)
	g.Expect(err).To(refusedFor("relationship-ended"))
	_, err = c.caller.Store(background, c.document("case-note", testworld.Task, "too late"))
	g.Expect(err).To(refusedFor("relationship-ended"))
	g.Expect(s.organizer.Read(background, c.note)).To(MatchJSON(testworld.Body("case-note", "the note")))
}

// aDenialChangesNothing records what a client can say against being shown, in every way that there is: a denial of
// disclosure among the client's documents, and documents whose display is limited. Within one register none of it acts.
func aDenialChangesNothing(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.North, nil)
	_, err := s.organizer.Store(background, c.document("case-note", testworld.Task, "The client denies all disclosure."))
	g.Expect(err).NotTo(HaveOccurred())
	path := fmt.Sprintf("/documents?type=case-note&client=%s&serviceTask=%s&display=limited&created=%s",
		c.id, testworld.Task, time.Now().Add(-time.Second).UTC().Format(time.RFC3339))
	_, body, err := s.organizer.Do(background, http.MethodPost, path, "application/json", testworld.Body("case-note", "limited"))
	g.Expect(err).NotTo(HaveOccurred())
	var limited struct{ ID string }
	g.Expect(json.Unmarshal(body, &limited)).To(Succeed())

	g.Expect(c.access()).To(Equal(allowed))
	g.Expect(c.caller.Read(background, limited.ID)).To(MatchJSON(testworld.Body("case-note", "limited")))
	g.Expect(c.caller.Read(background, c.decision)).NotTo(BeEmpty())
	g.Expect(notes(g, c.caller, c.id)).To(Equal(3))
	g.Expect(notes(g, s.organizer, c.id)).To(Equal(3))
	_, err = c.caller.Store(background, c.document("case-note", testworld.Task, "stored all the same"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.end(time.Now())).To(Succeed())
	g.Eventually(c.access, soon).Should(Equal("relationship-ended"))
}

// withoutKantaInformation: nobody has said that the client was informed, and nobody is asked.
func withoutKantaInformation(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.North, nil)
	_, err := c.caller.Store(background, c.document("case-note", testworld.Task, "of a client who was told nothing"))
	g.Expect(err).NotTo(HaveOccurred())
}

func combinationFlagged(t *testing.T, s *stage) {
	g := NewWithT(t)
	system := s.CompanySystem.DeepCopy()
	system.ObjectMeta = v1alpha1.ClientSystem{}.ObjectMeta
	system.Name = s.CompanySystem.Name + "-untested"
	g.Expect(s.Create(background, system)).To(Succeed())
	g.Expect(change(s.scene, s.units["untested"], func(u *v1alpha1.ProducerUnit) { u.Spec.ClientSystem = v1alpha1.ObjectName(system.Name) })).To(Succeed())
	s.begun(s.units["untested"], nil)
	grant := s.grantOf(s.units["untested"])
	ready := func() (string, error) {
		seen, err := seen(s.scene, grant)()
		if c := conditions.Get(seen, v1alpha1.ReadyCondition); c != nil {
			return c.Reason + ": " + c.Message, err
		}
		return "", err
	}
	g.Eventually(ready).Should(SatisfyAll(HavePrefix("DeploymentTestMissing: "), ContainSubstring("The organizer must see that the test is run")))
	g.Expect(change(s.scene, s.Registry, func(r *v1alpha1.Registry) {
		r.Spec.Policies.DeploymentTest = v1alpha1.DeploymentTestReport
	})).To(Succeed())
	g.Eventually(ready).Should(SatisfyAll(HavePrefix(v1alpha1.GrantReadyTestMissingReason+": "), ContainSubstring("The organizer must see that the test is run")))
	g.Expect(change(s.scene, s.Registry, func(r *v1alpha1.Registry) {
		r.Spec.Policies.DeploymentTest = v1alpha1.DeploymentTestEnforce
	})).To(Succeed())
	g.Eventually(ready).Should(HavePrefix("DeploymentTestMissing: "))
}

// relationshipDocument is what an organizer's system stores to open a right, and an extended right may.
func (c *care) relationshipDocument() archiveclient.NewDocument {
	d := c.document("client-relationship", testworld.Task, "")
	d.Body = fmt.Appendf(nil, `{"producerUnit": %q, "start": %q, "procurement": "outsourced-service"}`,
		c.unit.Spec.OID, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
	return d
}

func onlyExtended(t *testing.T, s *stage) {
	g := NewWithT(t)
	basic := s.open(s.North, nil)
	_, err := basic.caller.Store(background, basic.relationshipDocument())
	g.Expect(err).To(refusedFor("extent-insufficient"))
	_, err = basic.caller.Store(background, basic.document("matter", testworld.Task, "the matter"))
	g.Expect(err).To(refusedFor("extent-insufficient"))

	unit := s.units["extended"]
	grant := s.grantOf(unit)
	grant.Spec = agreed(s.scene, unit, testworld.Task)
	grant.Spec.Extent = v1alpha1.ExtentExtended
	g.Expect(s.Create(background, grant)).To(Succeed())
	extended := s.open(unit, nil)
	_, err = extended.caller.Store(background, extended.relationshipDocument())
	g.Expect(err).NotTo(HaveOccurred())
	_, err = extended.caller.Store(background, extended.document("matter", testworld.Task, "the matter"))
	g.Expect(err).NotTo(HaveOccurred())
}

// neverExtendedByItself: shelter services are the only known user of the extended right. So none comes by itself, as
// basic ones do: a person makes it, on the ground of an agreement that is named.
func neverExtendedByItself(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.South, nil)
	made, err := seen(s.scene, s.grantOf(c.unit))()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made.Spec.Extent).To(Equal(v1alpha1.ExtentBasic))
	err = change(s.scene, made, func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Extent = v1alpha1.ExtentExtended })
	g.Expect(err).To(MatchError(ContainSubstring("an extended grant needs an agreement")))
}

func only900Series(t *testing.T, s *stage) {
	g := NewWithT(t)
	for _, code := range []string{"131052-308T", "020516C903K"} { // the latter is of the 900 series
		_, err := s.organizer.RegisterClient(background, code)
		if code[7] == '9' {
			g.Expect(err).NotTo(HaveOccurred())
		} else {
			g.Expect(err).To(refusedFor("identity-code-not-test"))
		}
	}
}

// keptByServiceTask asks of one document of each of two service tasks. TestRetentionByServiceTask has the whole table.
func keptByServiceTask(t *testing.T, s *stage) {
	g := NewWithT(t)
	client, err := s.organizer.RegisterClient(background, newCode())
	g.Expect(err).NotTo(HaveOccurred())
	closed := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for task, until := range map[string]string{"elderly": "2036-03-03", "families": "2056-03-03"} {
		matter := "statement-12-" + task + "-" + client
		_, _, err := s.organizer.Do(background, http.MethodPost, "/matters", "application/json",
			fmt.Appendf(nil, `{"id": %q, "clients": [%q], "serviceTasks": [%q], "openedAt": "2026-01-01T00:00:00Z"}`, matter, client, task))
		g.Expect(err).NotTo(HaveOccurred())
		path := fmt.Sprintf("/documents?type=case-note&matter=%s&serviceTask=%s&created=2026-02-01T00:00:00Z", matter, task)
		_, body, err := s.organizer.Do(background, http.MethodPost, path, "application/json", testworld.Body("case-note", "kept"))
		g.Expect(err).NotTo(HaveOccurred())
		var stored struct{ ID string }
		g.Expect(json.Unmarshal(body, &stored)).To(Succeed())
		g.Expect(toldOf(g, s.organizer, stored.ID)["retention"]).To(HaveKeyWithValue("waitsFor", "matterClosed"))
		_, _, err = s.organizer.Do(background, http.MethodPost, "/matters/"+matter+"/closure", "application/json",
			fmt.Appendf(nil, `{"closedAt": %q}`, closed.Format(time.RFC3339)))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(toldOf(g, s.organizer, stored.ID)["retention"]).To(HaveKeyWithValue("destroyOn", until), task)
	}
}

func logRequestOfTwoYears(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.North, nil)
	supervisor := s.follow(s.archive, s.organizer.In("supervisor"))
	ask := func(from time.Time, reason string) error {
		_, _, err := supervisor.Do(background, http.MethodPost, "/log/_report", "application/json", fmt.Appendf(nil,
			`{"client": %q, "from": %q, "until": %q%s}`, c.id, from.Format(time.DateOnly), time.Now().Add(-24*time.Hour).Format(time.DateOnly), reason))
		return err
	}
	g.Expect(ask(time.Now().AddDate(-2, 0, 2), "")).To(Succeed())
	g.Expect(ask(time.Now().AddDate(-2, 0, -2), "")).To(refusedFor("log-period-too-long"))
	g.Expect(ask(time.Now().AddDate(-2, 0, -2), `, "specialReason": "a suspicion of unlawful handling"`)).To(Succeed())
}

// logsKeptTwelveYears asks the store, as the command does, which months may go: TestLogsAreKeptTwelveYears destroys them.
func logsKeptTwelveYears(t *testing.T, s *stage) {
	g := NewWithT(t)
	g.Expect(logretention.Years).To(Equal(12))
	now := time.Now().UTC()
	g.Expect(logretention.Before(now, logretention.Years)).To(BeTemporally("<=", now.AddDate(-12, 0, 0)))
	g.Expect(logretention.Before(now, logretention.Years)).To(BeTemporally(">", now.AddDate(-12, 0, -31)))
}

func annulmentReachesProducers(t *testing.T, s *stage) {
	g := NewWithT(t)
	c := s.open(s.North, nil)
	_, _, err := c.caller.DoIf(background, `"1"`, http.MethodPost, "/documents/"+c.note+"/annulment", "application/json", []byte(`{"reason": "wrong-client"}`))
	g.Expect(err).To(refusedFor("extent-insufficient"), "annulling is the controller's")
	_, _, err = s.organizer.DoIf(background, `"1"`, http.MethodPost, "/documents/"+c.note+"/annulment", "application/json", []byte(`{"reason": "wrong-client"}`))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = c.caller.Read(background, c.note)
	g.Expect(err).To(refusedFor("document-annulled"))
	_, evidence, err := s.organizer.Do(background, http.MethodGet, "/documents/"+c.note+"?annulled=true", "", nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(evidence).To(MatchJSON(testworld.Body("case-note", "the note")))
}
