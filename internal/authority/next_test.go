// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

var (
	t0    = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	old   = Certificate{"old", t0, t0.Add(1000 * time.Hour)}
	fresh = Certificate{"new", t0, t0.Add(2000 * time.Hour)}
)

func holding(c Certificate) Slot { return Slot{Present: true, Holds: c} }

// TestLostAndForeignSecrets: what is lost is told and never made again in silence; what is another's is left alone.
func TestLostAndForeignSecrets(t *testing.T) {
	stable := State{Stage: Stable, Issuing: "old", Bundle: []Certificate{old}, Since: t0}
	publishing := State{Stage: Publishing, Rotation: 1, Issuing: "old", Next: "new", Bundle: []Certificate{old, fresh}, Since: t0}
	replacing := State{Stage: Replacing, Rotation: 1, Issuing: "new", Bundle: []Certificate{old, fresh}, Since: t0}
	foreign := Slot{Present: true, Foreign: true}
	damaged := Slot{Present: true}
	for name, c := range map[string]struct {
		state  State
		seen   Observed
		action Action
		spare  bool
	}{
		"the only one is lost":                      {stable, Observed{}, Lost, false},
		"the only one is damaged":                   {stable, Observed{Main: damaged}, Lost, false},
		"another's Secret is in its place":          {stable, Observed{Main: foreign}, Lost, false},
		"the only one is lost, another is asked":    {stable, Observed{Asked: 1}, Make, true},
		"another's Secret is in the spare's place":  {stable, Observed{Asked: 1, Main: holding(old), Spare: foreign}, Conflict, true},
		"another's Secret is where the main one is": {stable, Observed{Asked: 1, Main: foreign}, Conflict, false},
		"the next one is lost":                      {publishing, Observed{Asked: 1, Main: holding(old)}, Lost, true},
		"the next one is lost, another is asked":    {publishing, Observed{Asked: 2, Main: holding(old)}, Make, true},
		"the one that issues is lost meanwhile":     {publishing, Observed{Asked: 1, Spare: holding(fresh)}, Lost, false},
		"the new one is lost":                       {replacing, Observed{Asked: 1, Main: holding(old)}, Lost, true},
		"the new one is lost, another is asked":     {replacing, Observed{Asked: 2, Main: holding(old)}, Make, true},
		"the former one is lost":                    {replacing, Observed{Asked: 1, Spare: holding(fresh)}, None, false},
		"the first is damaged":                      {State{}, Observed{Main: damaged}, Lost, false},
		"another's Secret is where the first goes":  {State{}, Observed{Main: foreign}, Conflict, false},
	} {
		t.Run(name, func(t *testing.T) {
			step := Next(c.state, c.seen, t0.Add(time.Hour))
			NewWithT(t).Expect([]any{step.Action, step.Spare}).To(Equal([]any{c.action, c.spare}))
		})
	}
}

// TestTheKeyThatIssuesIsLostWhileTheNextIsMadeKnown: the next one takes over as it would have, and does not wait for
// renewals that cannot come.
func TestTheKeyThatIssuesIsLostWhileTheNextIsMadeKnown(t *testing.T) {
	g := NewWithT(t)
	s := State{Stage: Publishing, Issuing: "old", Next: "new", Bundle: []Certificate{old, fresh}, Since: t0}
	seen := Observed{Settle: Settle, Spare: holding(fresh), SecretsCarry: true, ReplicasTrust: true}
	step := Next(s, seen, t0.Add(time.Minute))
	g.Expect(step.Action).To(Equal(Write))
	g.Expect(step.State.PublishedAt).To(Equal(t0.Add(time.Minute)))
	g.Expect(Next(step.State, seen, t0.Add(2*time.Minute)).Action).To(Equal(Lost), "told meanwhile")
	step = Next(step.State, seen, t0.Add(time.Minute+Settle))
	g.Expect(step.State).To(And(HaveField("Stage", Replacing), HaveField("Issuing", "new")))
}

// TestWhatAReplacementWaitsFor goes through the waits one by one.
func TestWhatAReplacementWaitsFor(t *testing.T) {
	g := NewWithT(t)
	s := State{Stage: Publishing, Issuing: "old", Next: "new", Bundle: []Certificate{old, fresh}, Since: t0}
	o := Observed{Settle: Settle, Main: holding(old), Spare: holding(fresh)}
	now := t0.Add(time.Hour)
	waits := func() string { return Next(s, o, now).Waits }
	write := func() { s = Next(s, o, now).State }
	g.Expect(waits()).To(Equal(WaitSecrets))
	o.SecretsCarry = true
	g.Expect(waits()).To(Equal(WaitOwnKeys))
	o.OwnKeysKnow = true
	g.Expect(waits()).To(Equal(WaitReplicas))
	o.ReplicasTrust = true
	write()
	g.Expect(waits()).To(Equal(WaitSettle))
	o.SecretsCarry = false
	write()
	g.Expect(s.PublishedAt).To(BeZero(), "a Secret that falls back begins the settling anew")
	o.SecretsCarry = true
	write()
	now = now.Add(Settle - time.Second)
	g.Expect(waits()).To(Equal(WaitSettle))
	now = now.Add(time.Second)
	write()
	g.Expect(s.Stage).To(Equal(Replacing))
	o.FormerInUse = true
	g.Expect(waits()).To(Equal(WaitServer))
	o.Served = true
	g.Expect(waits()).To(Equal(WaitLedgers))
	o.FormerInUse, o.SecretsCarry = false, false
	write()
	g.Expect(s).To(And(HaveField("Stage", Retiring), HaveField("Bundle", []Certificate{fresh})))
	g.Expect(waits()).To(Equal(WaitRetired))
	g.Expect(Next(s, o, now).Action).To(Equal(None), "the former key stays until its certificate is trusted nowhere")
	o.SecretsCarry = true
	g.Expect(Next(s, o, now).Action).To(Equal(Move))
	o.Main = holding(fresh)
	g.Expect(Next(s, o, now).Action).To(Equal(Drop))
	o.Spare = Slot{}
	write()
	g.Expect(s.Stage).To(Equal(Stable))
	g.Expect(Next(s, o, now)).To(Equal(Step{Action: None, WakeAt: fresh.DueAt()}))
}

// TestWhatIsLostIsToldWithWhatHelps: what a person is told to do leads on.
func TestWhatIsLostIsToldWithWhatHelps(t *testing.T) {
	g := NewWithT(t)
	now := t0.Add(time.Hour)
	stable := State{Stage: Stable, Issuing: "old", Bundle: []Certificate{old}, Since: t0}
	g.Expect(Next(stable, Observed{}, now).Remedy).To(Equal(RemedyRotate))
	g.Expect(Next(stable, Observed{Asked: 1}, now).Action).To(Equal(Make))

	damaged := Observed{Asked: 1, Main: Slot{Present: true}}
	g.Expect(Next(State{}, damaged, now)).To(Equal(Step{Action: Lost, Remedy: RemedyDelete}), "no number of a rotation helps where nothing is on record")
	g.Expect(Next(State{}, Observed{}, now).Action).To(Equal(Make))

	publishing := State{Stage: Publishing, Rotation: 1, Issuing: "old", Next: "new", Bundle: []Certificate{old, fresh}, Since: t0}
	g.Expect(Next(publishing, Observed{Asked: 1, Spare: holding(fresh)}, now).Remedy).To(Equal(RemedyWait))
	g.Expect(Next(publishing, Observed{Asked: 1, Main: holding(old)}, now).Remedy).To(Equal(RemedyRotate), "of the one that is to issue next")
}

// TestAServerIsToldOfAuthoritiesThatCannotYetIssue: the authority that takes a lost one's place waits for that.
func TestAServerIsToldOfAuthoritiesThatCannotYetIssue(t *testing.T) {
	for name, c := range map[string]struct {
		seen ServerSeen
		want ServerAction
	}{
		"it is as it should be":                   {ServerSeen{Present: true, Serves: true, Told: true, CanIssue: true}, ServerLeave},
		"the bundle is another":                   {ServerSeen{Present: true, Serves: true, CanIssue: true}, ServerTell},
		"the bundle is another, the key is lost":  {ServerSeen{Present: true, Serves: true}, ServerTell},
		"its certificate is due":                  {ServerSeen{Present: true, Told: true, CanIssue: true}, ServerIssue},
		"its certificate is due, the key is lost": {ServerSeen{Present: true}, ServerTell},
		"nothing helps without the key":           {ServerSeen{Present: true, Told: true}, ServerLeave},
		"it is gone":                              {ServerSeen{CanIssue: true}, ServerIssue},
		"it is gone, and so is the key":           {ServerSeen{}, ServerLeave},
	} {
		t.Run(name, func(t *testing.T) { NewWithT(t).Expect(NextOfServer(c.seen)).To(Equal(c.want)) })
	}
}

// TestReplicasThatNobodyCanTellAreNotWaitedFor: with the server's Secret and the key that issues both lost.
func TestReplicasThatNobodyCanTellAreNotWaitedFor(t *testing.T) {
	g := NewWithT(t)
	s := State{Stage: Publishing, Issuing: "old", Next: "new", Bundle: []Certificate{old, fresh}, Since: t0}
	o := Observed{Settle: Settle, Spare: holding(fresh), SecretsCarry: true, OwnKeysKnow: true, ServerGone: true}
	g.Expect(Next(s, o, t0.Add(time.Minute)).Action).To(Equal(Write))
	o.Main = holding(old) // by which the Secret is made again
	g.Expect(Next(s, o, t0.Add(time.Minute)).Waits).To(Equal(WaitReplicas))
	o.Main, o.ServerGone = Slot{}, false
	g.Expect(Next(s, o, t0.Add(time.Minute)).Waits).To(Equal(WaitReplicas))
}
