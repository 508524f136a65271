package failover

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// member is an Engine that a test drives by hand.
type member struct {
	*Engine
	t      testing.TB
	set    *zones.Set
	now    time.Time
	events []Event
	last   *Publication
}

// setOf is a Set of the pool and of www, which follows it.
func setOf(p *zones.Pool) *zones.Set {
	www := *p
	www.Name, www.Follow, www.Checks, www.Sync, www.TTL = "www", p.Name, nil, nil, 30
	www.Deployments = nil
	for i, d := range p.Deployments {
		www.Deployments = append(www.Deployments, &zones.Deployment{Name: d.Name, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + i)})}})
	}
	pools := []*zones.Pool{p, &www}
	return &zones.Set{Pools: pools, Zones: []*zones.Zone{{Name: "example.com.", Hash: [32]byte{1}, Pools: pools}}}
}

// newMember is a nameserver of a cluster, joined and with a quorum unless the test says otherwise.
func newMember(t testing.TB, node string, p *zones.Pool, options ...func(*EngineOptions)) *member {
	o := EngineOptions{Node: node}
	for _, f := range options {
		f(&o)
	}
	return &member{t: t, Engine: NewEngine(o, epochStart), set: setOf(p), now: epochStart}
}

var joined = Standing{Quorum: true, Joined: true}

func start3s(t testing.TB, node string, p *zones.Pool, options ...func(*EngineOptions)) *member {
	m := newMember(t, node, p, options...)
	m.Hear(News{Standing: joined}, m.now)
	m.Use(m.set, m.now)
	m.agree(map[string]checker.State{"primary": checker.Up, "redundant": checker.Up})
	m.pass(3 * time.Second)
	m.events = nil
	return m
}

// take carries the effects out.
func (m *member) take() {
	e := m.Take()
	m.events = append(m.events, e.Events...)
	if e.Publication != nil {
		m.last = e.Publication.after(m.last)
	}
}

// after is all that is published once p has followed before, which may be nil.
func (p *Publication) after(before *Publication) *Publication {
	if before == nil || before.Set != p.Set {
		return p
	}
	all := &Publication{p.Set, maps.Clone(before.Decisions), maps.Clone(before.Serials)}
	maps.Copy(all.Decisions, p.Decisions)
	maps.Copy(all.Serials, p.Serials)
	return all
}

// pass lets time go by, and wakes the engine whenever it asks for it.
func (m *member) pass(d time.Duration) {
	end := m.now.Add(d)
	for n := 0; ; n++ {
		next := m.Next()
		if next.IsZero() || next.After(end) {
			break
		}
		if n > 1000 {
			m.t.Fatalf("it asks to be woken at %v again and again", next)
		}
		m.now = later(m.now, next)
		m.Wake(m.now)
		m.take()
	}
	m.now = end
}

func (m *member) hear(n News) {
	m.Hear(n, m.now)
	m.take()
}

func (m *member) news(states map[string]checker.State) News {
	n := News{Standing: m.standing, Verdicts: View{}, Held: m.heard}
	p := m.set.Pools[0]
	for name, s := range states {
		for _, t := range targets(p, p.Deployment(name), p.Deployment(name).Addresses[0], p.Checks) {
			v := verdictOf(s)
			v.At = m.now
			n.Verdicts[t.Key] = Agreed{Verdict: v}
		}
	}
	return n
}

func (m *member) agree(states map[string]checker.State) { m.hear(m.news(states)) }

func (m *member) answers(want string) *Decision {
	m.t.Helper()
	d := m.last.Decisions["chat"]
	if got := strings.Join(d.Active, " "); got != want {
		m.t.Fatalf("%s answers, want %s: %s", got, want, d.Reason)
	}
	if www := m.last.Decisions["www"]; !slices.Equal(www.Active, d.Active) {
		m.t.Fatalf("the follower answers %v", www.Active)
	}
	return d
}

// told are the events since the last call, in a word each.
func (m *member) told() []string {
	var out []string
	for _, e := range m.events {
		out = append(out, strings.Join(strings.Fields(string(e.Kind)+" "+e.Pool+" "+e.Deployment+" "+e.From+"→"+e.To), " "))
		if e.ID == "" || e.Reason == "" || e.Node != m.options.Node {
			m.t.Errorf("an event that does not say enough: %+v", e)
		}
	}
	m.events = nil
	return out
}

func (m *member) tells(want ...string) {
	m.t.Helper()
	if got := m.told(); !slices.Equal(got, want) {
		m.t.Errorf("events %q, want %q", got, want)
	}
}

func (m *member) obey(o Order) {
	m.t.Helper()
	o.Pool, o.Who = "chat", "alice"
	next, err := m.Plan(o, m.now)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Obey(next, m.now)
	m.take()
}

func TestAJoinerAnswersWithWhatRuns(t *testing.T) {
	p := newWorld(t).pool
	a := start3s(t, "ns1", p)
	a.agree(map[string]checker.State{"primary": checker.Down})
	a.answers("redundant")

	b := newMember(t, "ns2", p)
	b.now = a.now
	b.Use(b.set, b.now)
	b.take()
	if b.last != nil {
		t.Fatal("it answers before it has joined")
	}
	if n := len(b.Status().Held()); n != 0 {
		t.Errorf("it tells %d guesses", n)
	}
	b.hear(News{Standing: joined, Held: a.Status().Held(), Serials: a.Status().Given})
	d, runs := b.answers("redundant"), a.last.Decisions["chat"]
	if d.Epoch != runs.Epoch || d.Reason != runs.Reason || !d.Since.Equal(runs.Since) {
		t.Errorf("adopted %+v\nof %+v", d, runs)
	}
	if !maps.Equal(a.last.Serials, b.last.Serials) {
		t.Errorf("serials %v and %v", a.last.Serials, b.last.Serials)
	}
	b.pass(time.Minute)
	b.answers("redundant") // nothing is known against it
}

func TestARestartInAClusterHoldsWhatWasKept(t *testing.T) {
	p := newWorld(t).pool
	a := start3s(t, "ns1", p)
	a.agree(map[string]checker.State{"primary": checker.Down})
	kept := func(o *EngineOptions) { o.Memory = a.Memory() }
	b := newMember(t, "ns1", p, kept)
	b.Use(b.set, b.now)
	b.hear(News{Standing: Standing{Joined: true}})
	if d := b.answers("redundant"); !d.Provisional || d.Epoch != a.last.Decisions["chat"].Epoch {
		t.Errorf("restored: %+v", d)
	}
	lone := newMember(t, "ns1", p, kept, func(o *EngineOptions) { o.Alone = true })
	lone.Use(lone.set, lone.now)
	lone.take()
	if d := lone.answers("redundant"); d.Provisional {
		t.Errorf("a lone nameserver's memory is provisional: %+v", d)
	}
	b.hear(News{Standing: joined, Verdicts: b.news(map[string]checker.State{"redundant": checker.Up}).Verdicts})
	if !b.answers("redundant").Provisional {
		t.Error("confirmed before others could object")
	}
	b.pass(settle)
	if b.Status().Decisions["chat"].Provisional {
		t.Error("not confirmed by a quorum")
	}
}

func TestADecisionWithoutAQuorumIsProvisionalAndGivesWay(t *testing.T) {
	p := newWorld(t).pool
	a, b := start3s(t, "ns1", p), start3s(t, "ns2", p)
	firm := a.answers("primary")
	b.hear(News{Standing: Standing{Joined: true}})
	b.pass(time.Minute)
	b.agree(map[string]checker.State{"primary": checker.Down})
	lost := b.answers("redundant")
	if !lost.Provisional || lost.Epoch <= firm.Epoch {
		t.Fatalf("without a quorum: %+v", lost)
	}
	if !slices.ContainsFunc(alertsOf(b), func(a Alert) bool { return a.Code == "provisional" }) {
		t.Error("no alert says that it is provisional")
	}
	for _, h := range a.Status().Held() {
		if h.Provisional {
			t.Errorf("told as provisional: %+v", h)
		}
	}
	b.hear(News{Standing: joined, Held: a.Status().Held()})
	back := b.answers("primary")
	if b.hear(News{Standing: joined, Held: a.Status().Held()}); b.Status().Decisions["chat"].Epoch != back.Epoch {
		t.Error("the same again gives another epoch")
	}
	if back.Epoch != lost.Epoch+1 || !back.Provisional {
		t.Errorf("after healing: epoch %d after %d, provisional %v", back.Epoch, lost.Epoch, back.Provisional)
	}
	a.now = b.now
	a.hear(News{Standing: joined, Held: b.Status().Held()})
	if d := a.answers("primary"); d.Epoch != back.Epoch {
		t.Errorf("epochs %d and %d", d.Epoch, back.Epoch)
	}
	if a.last.Decisions["www"].Epoch != b.last.Decisions["www"].Epoch {
		t.Errorf("the followers' epochs: %d and %d", a.last.Decisions["www"].Epoch, b.last.Decisions["www"].Epoch)
	}
}

func alertsOf(m *member) []Alert {
	c := &Controller{saver: newSaver("")}
	c.status.Store(m.Status())
	return c.Alerts(m.now.Add(time.Hour))
}

func TestWhatIsHeldWithoutAQuorumIsProvisional(t *testing.T) {
	a := start3s(t, "ns1", newWorld(t).pool)
	a.hear(News{Standing: Standing{Joined: true}})
	held := a.Status().Held()
	if len(held) != 2 || !held[0].Provisional || !held[1].Provisional {
		t.Errorf("told: %+v", held)
	}
	if slices.ContainsFunc(alertsOf(a), func(a Alert) bool { return a.Code == "provisional" }) {
		t.Error("an alert, though nothing was decided without a quorum")
	}
	a.hear(News{Standing: joined})
	a.pass(settle)
	if a.Status().Decisions["chat"].Provisional {
		t.Error("not confirmed by a quorum that lasts")
	}
}

func TestOfTwoMinoritiesTheLaterDecisionCounts(t *testing.T) {
	p := newWorld(t).pool
	a, b := start3s(t, "ns1", p), start3s(t, "ns2", p)
	alone := Standing{Joined: true}
	a.hear(News{Standing: alone})
	b.hear(News{Standing: alone})
	a.agree(map[string]checker.State{"primary": checker.Down})
	b.hear(News{Standing: alone, Held: a.Status().Held()})
	if d := b.answers("redundant"); d.Epoch != a.answers("redundant").Epoch {
		t.Errorf("epoch %d", d.Epoch)
	}
	a.hear(News{Standing: alone, Held: b.Status().Held()})
	a.answers("redundant")
}

func TestAnAdoptedDecisionStandsForAMoment(t *testing.T) {
	p := newWorld(t).pool
	a, b := start3s(t, "ns1", p), start3s(t, "ns2", p)
	a.agree(map[string]checker.State{"primary": checker.Down})
	n := b.news(map[string]checker.State{"redundant": checker.Down}) // b has heard of other votes than a
	n.Held = a.Status().Held()
	b.hear(n)
	b.answers("redundant")
	b.pass(settle - time.Millisecond)
	b.answers("redundant")
	b.pass(time.Millisecond)
	if d := b.answers("primary"); d.Epoch <= a.answers("redundant").Epoch {
		t.Errorf("epoch %d", d.Epoch)
	}
}

func TestAJoinerKeepsAnAddressUntilItsSuccessorIsProven(t *testing.T) {
	p := newWorld(t).pool
	a := start3s(t, "ns1", p)
	moved, primary := *p, *p.Deployments[0]
	primary.Addresses = []netip.Addr{netip.MustParseAddr("203.0.113.99")}
	moved.Deployments = []*zones.Deployment{&primary, p.Deployments[1]}
	a.set = setOf(&moved)
	a.Use(a.set, a.now)
	a.take()
	old := []netip.Addr{netip.MustParseAddr("203.0.113.10")}
	if got := a.answers("primary").Addresses; !slices.Equal(got, old) {
		t.Fatalf("answers %v", got)
	}
	b := newMember(t, "ns2", &moved)
	b.Use(b.set, b.now)
	b.hear(News{Standing: joined, Held: a.Status().Held()})
	b.pass(time.Minute)
	if d := b.answers("primary"); !slices.Equal(d.Addresses, old) || d.Epoch != a.answers("primary").Epoch {
		t.Errorf("the joiner answers %v, epoch %d", d.Addresses, d.Epoch)
	}
	all, _ := b.Targets()
	if !slices.ContainsFunc(all, func(t checker.Target) bool { return t.Address == old[0] }) {
		t.Error("what answers is not probed")
	}
}

func TestAnOrderDoesNotWaitForAnAdoptedDecision(t *testing.T) {
	p := newWorld(t).pool
	a, b := start3s(t, "ns1", p), start3s(t, "ns2", p)
	a.agree(map[string]checker.State{"primary": checker.Down})
	b.hear(News{Standing: joined, Held: a.Status().Held()})
	b.answers("redundant")
	b.obey(Order{Verb: DoFailover, Deployment: "primary"})
	b.answers("primary")
}

func TestOrdersAndTheirEndReachOthers(t *testing.T) {
	p := newWorld(t, func(p *zones.Pool) { p.Failback = zones.Manual }).pool
	a, b := start3s(t, "ns1", p), start3s(t, "ns2", p)
	swap := func() {
		for _, m := range []*member{a, b} {
			other := map[*member]*member{a: b, b: a}[m]
			m.hear(News{Standing: joined, Held: other.Status().Held(), Overrides: other.Status().Registers})
		}
	}
	a.obey(Order{Verb: DoFailover, Deployment: "redundant"})
	swap()
	b.answers("redundant")
	if o := b.Status().Overrides; len(o) != 1 || o[0].Who != "alice" || o[0].Node != "ns1" {
		t.Errorf("overrides: %+v", o)
	}
	b.tells("override chat redundant →in force", "switch chat primary→redundant", "switch www primary→redundant")
	b.pass(time.Second)
	a.now = b.now
	b.obey(Order{Verb: DoFailback})
	b.answers("primary")
	swap()
	a.answers("primary")
	if len(a.Status().Overrides) != 0 || len(b.Status().Overrides) != 0 {
		t.Errorf("still in force: %+v, %+v", a.Status().Overrides, b.Status().Overrides)
	}
	if x, y := a.Status().Registers, b.Status().Registers; len(x) != 2 || len(MergeOverrides(x, y)) != 2 || slices.CompareFunc(x, y, func(a, b Override) int { return a.compare(&b) }) != 0 {
		t.Errorf("registers:\n%+v\n%+v", x, y)
	}
	a.pass(settle)
	// the same deployments answer again as when the failback was ordered: it must not count once more
	a.agree(map[string]checker.State{"primary": checker.Down})
	a.answers("redundant")
	a.pass(time.Minute)
	a.agree(map[string]checker.State{"primary": checker.Up})
	a.answers("redundant")
}

func TestOrdersEndByTheMedianClock(t *testing.T) {
	m := start3s(t, "ns1", newWorld(t).pool)
	m.hear(News{Standing: Standing{Quorum: true, Joined: true, Skew: -time.Hour}}) // this host is an hour ahead
	m.pass(time.Minute)
	m.obey(Order{Verb: DoFailover, Deployment: "redundant", For: 10 * time.Minute})
	if got, want := m.Status().Overrides[0].Until, m.now.Add(-50*time.Minute); !got.Equal(want) {
		t.Errorf("until %v, want %v", got, want)
	}
	m.pass(10*time.Minute - time.Millisecond)
	m.answers("redundant")
	m.pass(time.Millisecond)
	m.answers("primary")
}

func TestEvents(t *testing.T) {
	m := start3s(t, "ns1", newWorld(t).pool)
	m.agree(map[string]checker.State{"primary": checker.Down})
	m.tells("switch chat primary→redundant", "verdict chat primary up→down", "switch www primary→redundant")
	m.agree(map[string]checker.State{"redundant": checker.Down})
	m.tells("switch chat redundant→redundant", "verdict chat redundant up→down", "switch www redundant→redundant")
	m.agree(map[string]checker.State{"redundant": checker.Up})
	m.tells("switch chat redundant→redundant", "verdict chat redundant down→up", "switch www redundant→redundant")
	m.obey(Order{Verb: DoDrain, Deployment: "primary", For: time.Minute})
	m.tells("override chat primary →in force")
	m.pass(time.Minute)
	m.tells("override chat primary in force→ended")
	m.obey(Order{Verb: DoDrain, Deployment: "primary", For: time.Minute})
	m.obey(Order{Verb: DoUndrain, Deployment: "primary"})
	m.tells("override chat primary ended→in force", "override chat primary in force→cleared")
}

func TestAColdDeploymentIsWantedOncePerDoubt(t *testing.T) {
	p := newWorld(t).pool
	p.Deployments[1].Cold = true
	m := start3s(t, "ns1", p)
	m.agree(map[string]checker.State{"redundant": checker.Down})
	m.tells("verdict chat redundant up→down")
	if a := alertsOf(m); len(a) != 0 {
		t.Errorf("a cold deployment that is down alarms: %+v", a)
	}
	doubt := func(doubted bool) {
		n := m.news(map[string]checker.State{"primary": checker.Up})
		for k, v := range n.Verdicts {
			if v.Doubt = doubted; doubted {
				v.Streak = -1
			}
			n.Verdicts[k] = v
		}
		m.hear(n)
	}
	doubt(true)
	m.tells("start chat redundant →")
	m.agree(map[string]checker.State{"primary": checker.Down})
	if got := m.told(); slices.Contains(got, "start chat redundant →") {
		t.Errorf("twice in one doubt: %q", got)
	}
	doubt(false)
	m.pass(time.Second)
	doubt(true)
	if got := m.told(); slices.Contains(got, "start chat redundant →") {
		t.Errorf("twice within a minute: %q", got)
	}
	m.pass(startAgain)
	m.tells("start chat redundant →") // the doubt goes on
	m.pass(time.Hour)
	m.tells()
	m.agree(map[string]checker.State{"primary": checker.Down})
	if a := alertsOf(m); !slices.ContainsFunc(a, func(a Alert) bool { return a.Code == "pool-all-down" }) {
		t.Errorf("all down: %+v", a)
	}
}

func TestTheHighestSerialIsTakenOver(t *testing.T) {
	m := start3s(t, "ns1", newWorld(t).pool)
	own := m.Status().Given[0]
	higher, other := own, own
	higher.Serial += 5
	other.Serial, other.Hash = own.Serial+50, "of other data"
	m.hear(News{Standing: joined, Serials: []ZoneSerial{other, higher}})
	if got := m.last.Serials["example.com."]; got != higher.Serial {
		t.Errorf("serial %d, want %d", got, higher.Serial)
	}
	lower := own
	lower.Serial -= 5
	m.hear(News{Standing: joined, Serials: []ZoneSerial{lower}})
	if got := m.Status().Serials["example.com."]; got != higher.Serial {
		t.Errorf("serial %d went back", got)
	}
}
