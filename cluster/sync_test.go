package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/livens/livens/checker"
)

// pair is two nameservers that are far apart: a datagram takes 40 ms and sometimes more, what goes by TCP 120 ms.
type pair struct {
	now    time.Time
	rng    *rand.Rand
	cores  map[string]*Core
	queue  []posted
	loss   float64
	slow   time.Duration // of whole reports
	silent bool          // a says nothing
	fulls  int           // whole reports sent
	state  checker.State
	synced time.Duration // when b first reached a; negative: never
}

type posted struct {
	at       time.Time
	from, to string
	message  *Message
}

func newPair() *pair {
	p := &pair{now: epoch, rng: rand.New(rand.NewPCG(1, 1)), cores: map[string]*Core{}, slow: 120 * time.Millisecond, synced: -1}
	for boot, name := range []string{"a", "b"} {
		p.cores[name] = NewCore(CoreOptions{
			Self: Report{Name: name, Boot: uint64(boot + 1)}, Peers: []string{string('a' + 'b' - rune(name[0]))}, MinorityHold: 10 * time.Second,
		}, p.now)
		p.cores[name].Watch(map[string]Target{"k": {Fresh: time.Hour}}, p.now)
	}
	return p
}

// run lets time pass, in which what a sees changes every so often.
func (p *pair) run(d, every time.Duration) {
	const step = time.Millisecond
	for end := p.now.Add(d); p.now.Before(end); p.now = p.now.Add(step) {
		at := p.now.Sub(epoch)
		if at%every == 0 {
			p.state = map[checker.State]checker.State{checker.Up: checker.Down}[p.state]
			if p.state == checker.Unknown {
				p.state = checker.Up
			}
			p.cores["a"].Observe(map[string]checker.Verdict{"k": {State: p.state, Streak: 3, At: p.now}}, "", p.now)
		}
		for _, name := range []string{"a", "b"} {
			if at%heartbeat == 0 {
				p.cores[name].Tick(p.now)
			}
		}
		p.carry()
		if len(p.cores["b"].reached()) == 1 && p.synced < 0 {
			p.synced = at
		}
	}
}

// carry delivers what is due, and posts what the two have to say.
func (p *pair) carry() {
	var later []posted
	for _, x := range p.queue {
		if x.at.After(p.now) {
			later = append(later, x)
			continue
		}
		p.cores[x.to].received(x.from, x.message, nil, p.now)
	}
	p.queue = later
	for _, name := range []string{"a", "b"} {
		for _, o := range p.cores[name].Take() {
			if p.silent && name == "a" {
				continue
			}
			takes := 40*time.Millisecond + time.Duration(p.rng.IntN(5))*time.Millisecond
			if o.Reliable && len(o.Message.Full) > 0 {
				takes = p.slow
				p.fulls++
			} else if p.rng.Float64() < p.loss {
				continue
			}
			p.queue = append(p.queue, posted{p.now.Add(takes), name, o.Peer, o.Message})
		}
	}
}

// A joiner reaches a nameserver whose report never rests, however slow the way of whole reports is, and though changes get lost;
// and whole reports are not sent again and again.
func TestJoinerReachesTheRestless(t *testing.T) {
	for _, every := range []time.Duration{500 * time.Millisecond, 50 * time.Millisecond, 10 * time.Millisecond} {
		for slow, loss := range map[time.Duration]float64{120 * time.Millisecond: 0.05, time.Second: 0} {
			t.Run(fmt.Sprintf("a change every %v, reports take %v, loss %v", every, slow, loss), func(t *testing.T) {
				p := newPair()
				p.slow, p.loss = slow, loss
				p.run(30*time.Second, every)
				t.Logf("reached after %v; %d reports sent", p.synced, p.fulls)
				if most := 4*40*time.Millisecond + heartbeat + wantPause + slow; p.synced < 0 || p.synced > most {
					t.Errorf("reached after %v, want %v at most", p.synced, most)
				}
				if p.fulls > 10 {
					t.Errorf("%d reports sent", p.fulls)
				}
			})
		}
	}
}

// A report that does not come is asked for less and less often: sent again and again, it would be what fills the way.
func TestAskingBacksOff(t *testing.T) {
	p := newPair()
	p.slow = time.Hour
	p.run(30*time.Second, 50*time.Millisecond)
	if p.fulls == 0 || p.fulls > 24 {
		t.Errorf("%d reports sent in 30 s", p.fulls)
	}
}

// A report that takes seconds, as a large one may, counts nonetheless; but it is no sign of life of when it came.
func TestSlowReportIsNoSignOfLife(t *testing.T) {
	p := newPair()
	p.slow = 8 * time.Second
	p.run(6*time.Second, time.Hour)
	p.queue = slices.DeleteFunc(p.queue, func(x posted) bool { return len(x.message.Full) == 0 || x.to == "a" })
	p.silent = true
	b := p.cores["b"]
	p.run(6*time.Second, time.Hour)
	if n := b.find("a"); n.report == nil || len(b.reached()) > 0 || n.alive(p.now) {
		t.Errorf("report %v, %d reached", n.report, len(b.reached()))
	}
	p.silent = false
	p.run(2*time.Second, time.Hour)
	if len(b.reached()) == 0 {
		t.Error("not reached with the report at hand")
	}
}

// Who missed a change is sent that change, not the whole report.
func TestMissedChangeIsSentAlone(t *testing.T) {
	p := newPair()
	p.run(5*time.Second, time.Hour)
	before := p.fulls
	p.loss = 1
	p.cores["a"].Serving([]string{"192.0.2.53:53"}, p.now)
	p.carry()
	p.loss = 0
	p.run(time.Second, time.Hour)
	if a := p.cores["b"].find("a"); a.lacks() || len(a.report.DNS) != 1 {
		t.Error("the change is still missing")
	}
	if p.fulls != before {
		t.Errorf("%d whole reports were sent", p.fulls-before)
	}
}
