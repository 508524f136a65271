package failover

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// life is a pool's random history, lived twice at once: lazily, deciding only when something happens and when the last
// decision asked for it, as the controller does; and eagerly, at times between as well. Both must come to the same.
type life struct {
	*world
	r        *rapid.T
	eager    *Decision
	minority bool
	follower *Decision
	event    time.Time // when something last happened
	history  []string
}

// TestDecisionsKeepTheContract checks what holds of every policy and every history.
func TestDecisionsKeepTheContract(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := &life{r: r, world: newWorld(t, dual, third)}
		l.configure()
		for range rapid.IntRange(1, 50).Draw(r, "steps") {
			l.pass(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 7 * time.Second, 30 * time.Second, 20 * time.Minute}).Draw(r, "pause"))
			l.happen()
			l.event = l.now
			l.both(true)
			l.followed()
		}
	})
}

func (l *life) fatalf(format string, args ...any) {
	l.r.Fatalf("%s\nhistory: %q", fmt.Sprintf(format, args...), l.history)
}

// pass lets time go by; nothing happens meanwhile.
func (l *life) pass(pause time.Duration) {
	for end := l.now.Add(pause); l.now.Before(end); l.both(false) {
		next := l.now.Add(pause / 5)
		for _, d := range []*Decision{l.previous, l.eager} {
			if d != nil && !d.Recheck.IsZero() && d.Recheck.Before(next) {
				next = d.Recheck
			}
		}
		l.now = next
	}
}

// both decides in both lives: in the lazy one only after an event, and when it asked to be woken.
func (l *life) both(event bool) {
	lazy := l.previous
	if due := lazy == nil || !lazy.Recheck.IsZero() && !l.now.Before(lazy.Recheck); event || due {
		lazy = l.next(l.previous, event)
	}
	eager := l.next(l.eager, event)
	if answer(lazy) != answer(eager) {
		l.fatalf("at %v, asked to be woken at %v:\nlazy  %s\neager %s", l.now, l.previous.Recheck, answer(lazy), answer(eager))
	}
	l.previous, l.eager = lazy, eager
}

// answer is what of a decision is seen from outside.
func answer(d *Decision) string {
	return fmt.Sprint(d.Active, d.Addresses, d.TTL, d.Epoch, d.AllDown, d.Since.Sub(epochStart), d.Reason)
}

// next decides once, and checks the decision by itself, against the one before, and by deciding again.
func (l *life) next(before *Decision, event bool) *Decision {
	in := Input{Pool: l.pool, View: l.view, Overrides: l.overrides, Previous: before, Now: l.now, TieHold: tieHold, Minority: l.minority}
	d := Decide(in)
	if in.Previous = d; answer(Decide(in)) != answer(d) {
		l.fatalf("not stable:\n%s\n%s", answer(d), answer(Decide(in)))
	}
	l.sound(d)
	l.follows(before, d, event)
	l.grounded(before, d)
	return d
}

// followed checks that a pool which follows this one answers from the same deployments, with addresses of its own.
func (l *life) followed() {
	p := *l.pool
	p.Name, p.Follow, p.Checks, p.Sync = "www", l.pool.Name, nil, nil
	p.Deployments = append([]*zones.Deployment{{Name: "other", Addresses: []netip.Addr{newV4}}}, l.pool.Deployments...)
	in := Input{Pool: &p, Followed: l.previous, Previous: l.follower, Now: l.now}
	d := Decide(in)
	if in.Previous = d; answer(Decide(in)) != answer(d) || !slices.Equal(d.Active, l.previous.Active) || len(d.Addresses) == 0 || l.previous.Lowered && !d.Lowered {
		l.fatalf("the follower:\n%s\n%s\nof %s", answer(d), answer(Decide(in)), answer(l.previous))
	}
	l.follower = d
}

// sound checks what holds of a decision by itself.
func (l *life) sound(d *Decision) {
	up := func(s DeploymentState) bool { return s.State == checker.Up }
	force := slices.ContainsFunc(l.overrides, func(o Override) bool { return o.Force && o.inForce(l.now) && l.pool.Deployment(o.Deployment) != nil })
	several := l.pool.Policy == zones.AllLive || d.AllDown && l.pool.AllDown != zones.Primary // last-good keeps what answered
	switch {
	case len(d.Active) == 0 || len(d.Addresses) == 0 || d.Reason == "":
		l.fatalf("empty: %+v", d)
	case len(d.Active) > 1 && !several:
		l.fatalf("%v answer together", d.Active)
	case len(slices.Compact(slices.SortedFunc(slices.Values(d.Addresses), netip.Addr.Compare))) < len(d.Addresses):
		l.fatalf("an address twice: %v", d.Addresses)
	case !d.Recheck.IsZero() && !d.Recheck.After(l.now):
		l.fatalf("recheck at %v is not after now, %v", d.Recheck, l.now)
	case d.AllDown && slices.ContainsFunc(d.Deployments, up):
		l.fatalf("all down, and one is up: %+v", d.Deployments)
	}
	for _, s := range d.Deployments {
		if s.Answers && !force && s.State == checker.Down && !d.Revived && slices.ContainsFunc(d.Deployments, up) {
			l.fatalf("dead %s answers while another is live:\n%s", s.Name, answer(d))
		}
		if s.Answers {
			l.families(s, d)
		}
	}
}

// families checks each address family of a deployment that answers: one that has an address up is answered, and nothing
// removed answers once its family, or for want of one there the deployment, has an address that is up.
func (l *life) families(s DeploymentState, d *Decision) {
	some := func(fit func(AddressState) bool) bool { return slices.ContainsFunc(s.Address, fit) }
	up := func(a AddressState) bool { return !a.Held && a.State == checker.Up }
	for _, family := range []func(netip.Addr) bool{netip.Addr.Is4, netip.Addr.Is6} {
		answers := func(a AddressState) bool { return family(a.Address) && slices.Contains(d.Addresses, a.Address) }
		proven := some(func(a AddressState) bool { return family(a.Address) && up(a) })
		gone := !some(func(a AddressState) bool { return family(a.Address) && !a.Held }) && some(up)
		held := some(func(a AddressState) bool { return answers(a) && a.Held })
		if proven && !some(answers) || (proven || gone) && held {
			l.fatalf("%s: an address is up, and of its family answer:\n%s\n%+v", s.Name, answer(d), s.Address)
		}
	}
}

// follows checks a decision against the one before.
func (l *life) follows(before, d *Decision, event bool) {
	if before == nil {
		return
	}
	switched := !slices.Equal(before.Active, d.Active)
	changed := switched || !slices.Equal(before.Addresses, d.Addresses)
	switch {
	case changed != (d.Epoch > before.Epoch), changed && d.Epoch < uint64(l.now.Unix()):
		l.fatalf("epoch %d after %d:\n%s\n%s", d.Epoch, before.Epoch, answer(before), answer(d))
	case switched != !d.Since.Equal(before.Since) && !before.Since.Equal(l.now):
		l.fatalf("since %v after %v:\n%s\n%s", d.Since, before.Since, answer(before), answer(d))
	case switched && !event && l.now.Sub(l.event) > time.Duration(l.pool.TTL)*time.Second && !before.Lowered:
		l.fatalf("a planned switch without a lowered TTL:\n%s\n%s", answer(before), answer(d))
	case len(d.Failbacks) > max(l.pool.MaxFailbacks, len(before.Failbacks)):
		l.fatalf("more failbacks than max_failbacks: %v", d.Failbacks)
	case !switched || len(before.Active) != 1 || l.pool.Policy != zones.Failover:
		return
	}
	left, taken := d.state(before.Active[0]), d.state(d.Active[0])
	if l.tied(left.Name, before) && taken.State == checker.Up {
		return
	}
	ordered := slices.ContainsFunc(l.overrides, func(o Override) bool { return o.Deployment == taken.Name && o.inForce(l.now) })
	fit := taken.State == checker.Up && !taken.Known.IsZero() && l.now.Sub(before.Since) >= autoDelay && l.pool.Failback != zones.Manual
	if left.State == checker.Up && left.Drained == "" && !ordered && !fit {
		l.fatalf("left live %s for %s:\n%s\n%s\n%+v", left.Name, taken.Name, answer(before), answer(d), taken)
	}
}

// tieHold is how long ties last that count.
const tieHold = 10 * time.Second

// tied says that the observers have been divided for long on an address of a deployment, or on one that it answered with.
func (l *life) tied(name string, before *Decision) bool {
	d := l.pool.Deployment(name)
	return d != nil && slices.ContainsFunc(append(slices.Clone(d.Addresses), held(d, before)...), func(a netip.Addr) bool {
		v := l.view[targets(l.pool, d, a, l.pool.Checks)[0].Key]
		return !v.Tied.IsZero() && l.now.Sub(v.Tied) >= tieHold
	})
}

// grounded checks what is said of the ground that a decision stands on.
func (l *life) grounded(before, d *Decision) {
	switch {
	case d.Provisional != l.minority:
		l.fatalf("provisional %v, decided with a minority %v", d.Provisional, l.minority)
	case d.Guess && (before != nil && !before.Guess || slices.ContainsFunc(d.Deployments, func(s DeploymentState) bool { return !s.Known.IsZero() })):
		l.fatalf("a guess with history or verdicts:\n%s", answer(d))
	}
}

// happen changes the world in one respect.
func (l *life) happen() {
	d := rapid.SampledFrom(l.pool.Deployments).Draw(l.r, "deployment")
	what := rapid.SampledFrom([]Kind{"verdict", "verdict", "address", "sync", "tie", "quorum", ToDrain, ToFailover, ToFailback, "plan", "end", "reload", "restart", "configure"}).Draw(l.r, "what")
	l.history = append(l.history, fmt.Sprintf("%v %s %s", l.now.Sub(epochStart), what, d.Name))
	switch what {
	case "verdict":
		l.verdict(d.Name, l.pool.Checks[0], l.drawVerdict())
	case "address":
		l.at(d.Name, rapid.SampledFrom(d.Addresses).Draw(l.r, "address"), l.pool.Checks[0], l.drawVerdict())
	case "sync":
		l.verdict(d.Name, &zones.Check{Kind: zones.HTTP, Port: 80, Path: "/syncz"}, l.drawVerdict())
	case ToDrain, ToFailover, ToFailback:
		l.remove(what, "")
		lasts := time.Duration(rapid.SampledFrom([]int{0, 3, 12, 100}).Draw(l.r, "for")) * time.Second
		l.order(what, d.Name, func(o *Override) {
			if lasts > 0 {
				o.Until, o.Force = l.now.Add(lasts), what != ToDrain && rapid.Bool().Draw(l.r, "force")
			}
		})
	case "plan":
		l.remove(ToFailover, "")
		l.order(ToFailover, d.Name, func(o *Override) {
			o.From = l.now.Add(time.Duration(rapid.SampledFrom([]int{3, 12, 100}).Draw(l.r, "ahead")) * time.Second)
			o.Until = o.From.Add(time.Duration(rapid.SampledFrom([]int{3, 12, 100}).Draw(l.r, "for")) * time.Second)
		})
	case "tie":
		l.tie(d.Name)
	case "quorum":
		l.minority = !l.minority
	case "end":
		l.overrides = nil
	case "reload":
		l.reload(d)
	case "restart":
		l.view, l.previous, l.eager = View{}, stored(l.previous), stored(l.eager)
	case "configure":
		l.configure()
	}
}

func (l *life) drawVerdict() checker.Verdict {
	v := rapid.SampledFrom([]checker.Verdict{
		verdictOf(checker.Up), verdictOf(checker.Up), verdictOf(checker.Down), verdictOf(checker.Down),
		{State: checker.Up, Streak: -1, Doubt: true, Reason: "HTTP 503"}, {State: checker.Down, Streak: 1, Reason: "HTTP 200"},
		{Reason: "no route from here", Streak: 3}, {Reason: "self-doubt", Streak: -2},
	}).Draw(l.r, "verdict")
	l.history = append(l.history, fmt.Sprintf("%s %+d", v.State, v.Streak))
	return v
}

// stored is a decision as it comes back from the state folder.
func stored(d *Decision) (out *Decision) {
	text, _ := json.Marshal(d)
	_ = json.Unmarshal(text, &out) // nil, should it not come back: the test will tell
	return out
}

// configure draws the pool's rules.
func (l *life) configure() {
	p := *l.pool
	p.Policy = rapid.SampledFrom([]zones.Policy{zones.Failover, zones.Failover, zones.AllLive}).Draw(l.r, "policy")
	p.Failback = rapid.SampledFrom([]zones.Failback{zones.Auto, zones.Delay, zones.Manual, zones.Gated}).Draw(l.r, "failback")
	p.AllDown = rapid.SampledFrom([]zones.AllDown{zones.LastGood, zones.Primary, zones.All}).Draw(l.r, "all_down")
	p.MaxFailbacks = rapid.IntRange(1, 3).Draw(l.r, "max_failbacks")
	if p.Sync = nil; p.Failback == zones.Gated {
		gated(&p)
	}
	l.pool = &p
}

// reload gives a deployment other addresses, or moves it to the end of the order, or takes it out.
func (l *life) reload(d *zones.Deployment) {
	p, e := *l.pool, *d
	p.Deployments = slices.DeleteFunc(slices.Clone(p.Deployments), func(x *zones.Deployment) bool { return x == d })
	what := rapid.SampledFrom([]string{"addresses", "addresses", "order", "remove"}).Draw(l.r, "edit")
	if l.history = append(l.history, what); what == "addresses" {
		n := byte(len(d.Name)) * 8
		all := append(slices.Clone(d.Addresses), netip.AddrFrom4([4]byte{192, 0, 2, n}), netip.AddrFrom4([4]byte{192, 0, 2, n + 1}), netip.AddrFrom16([16]byte{0x20, 1, 15: n}))
		e.Addresses = rapid.Permutation(all).Draw(l.r, "addresses")[:rapid.IntRange(1, 3).Draw(l.r, "count")]
		slices.SortFunc(e.Addresses, netip.Addr.Compare)
		e.Addresses = slices.Compact(e.Addresses)
	}
	if what != "remove" || len(p.Deployments) == 1 {
		p.Deployments = append(p.Deployments, &e)
	}
	l.pool = &p
}
