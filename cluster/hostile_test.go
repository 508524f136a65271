package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
)

// circle is a few Cores that hear each other without loss, and a record of all that they said.
type circle struct {
	t     testing.TB
	now   time.Time
	names []string
	cores map[string]*Core
	boots uint64
	said  []letter
}

// letter is a message on its way, as bytes.
type letter struct {
	from, to string
	data     []byte
}

// target is what everybody in a circle votes on.
const target = "primary"

func newCircle(t testing.TB, names ...string) *circle {
	c := &circle{t: t, now: epoch, names: names, cores: map[string]*Core{}}
	for _, name := range names {
		c.start(name)
	}
	c.run(3 * time.Second)
	return c
}

// start makes a nameserver, or makes it anew.
func (c *circle) start(name string) {
	c.boots++
	peers := slices.DeleteFunc(slices.Clone(c.names), func(n string) bool { return n == name })
	core := NewCore(CoreOptions{
		Self: Report{Name: name, Boot: c.boots, Livens: "test"}, Peers: peers, MinorityHold: 10 * time.Second, TieHold: 10 * time.Second,
	}, c.now)
	core.Watch(map[string]Target{target: {Fresh: time.Hour}}, c.now)
	core.Observe(map[string]checker.Verdict{target: {State: checker.Up, Streak: 3, At: c.now}}, "", c.now)
	c.cores[name] = core
}

// run lets time pass.
func (c *circle) run(d time.Duration) {
	for end := c.now.Add(d); c.now.Before(end); c.now = c.now.Add(heartbeat) {
		for _, name := range c.names {
			if core := c.cores[name]; core != nil {
				core.Tick(c.now)
			}
		}
		c.deliver()
	}
}

// deliver carries messages until nobody has any more to say.
func (c *circle) deliver() {
	for again := true; again; {
		again = false
		for _, name := range c.names {
			core := c.cores[name]
			if core == nil {
				continue
			}
			for _, o := range core.Take() {
				again = true
				c.said = append(c.said, letter{name, o.Peer, o.Message.encode()})
				if to := c.cores[o.Peer]; to != nil {
					to.Receive(name, c.said[len(c.said)-1].data, c.now)
				}
			}
		}
	}
}

// forge is a message that a nameserver would believe: the next of from's process, fresh.
func (c *circle) forge(from, to string, change func(*Message)) []byte {
	core := c.cores[from]
	m := &Message{}
	core.send(to, m, c.now)
	core.out = core.out[:len(core.out)-1]
	change(m)
	return m.encode()
}

// picture is all of a core that a replay must leave as it is.
type picture struct {
	own     *Report
	reports map[string]*Report
	reached []string
	agreed  map[string]failover.Agreed
	heard   map[string]time.Time
}

func (c *circle) picture(name string) picture {
	core := c.cores[name]
	p := picture{own: core.report, reports: map[string]*Report{}, agreed: map[string]failover.Agreed{}, heard: map[string]time.Time{}}
	for _, n := range core.nodes {
		p.reports[n.name], p.heard[n.name] = n.report, n.heard
	}
	for _, n := range core.reached() {
		p.reached = append(p.reached, n.name)
	}
	for key, a := range core.agreed {
		p.agreed[key] = a.Agreed
	}
	return p
}

// faults are what a core refused, by kind.
func faults(core *Core) map[FaultKind]string {
	out := map[FaultKind]string{}
	for _, f := range core.Noticed() {
		out[f.Kind] = f.Detail
	}
	return out
}

func (c *circle) whole(names ...string) {
	c.t.Helper()
	for _, name := range names {
		if got := len(c.cores[name].reached()); got != len(c.names)-1 {
			c.t.Fatalf("%s reaches %d others, want %d", name, got, len(c.names)-1)
		}
	}
}

func TestWhatIsRefusedIsNamedAndChangesNothing(t *testing.T) {
	c := newCircle(t, "a", "b", "c")
	c.whole("a", "b", "c")
	b := c.cores["b"].report
	bad := func(change func(*Message)) []byte { return c.forge("b", "a", change) }
	full := func(change func(*Report)) []byte {
		return bad(func(m *Message) {
			r := *b
			r.Version += 10
			change(&r)
			m.Version, m.Full = r.Version, []*Report{&r}
		})
	}
	for what, x := range map[string]struct {
		data []byte
		kind FaultKind
	}{
		"noise":               {[]byte("noise"), Malformed},
		"nothing":             {nil, Malformed},
		"half a message":      {bad(func(*Message) {})[:40], Malformed},
		"compressed noise":    {[]byte{gzipMagic, 0x8b, 8, 0, 1, 2, 3}, Malformed},
		"two formats ahead":   {bad(func(m *Message) { m.Format = format + 2 }), WrongFormat},
		"no format":           {bad(func(m *Message) { m.Format = 0 }), WrongFormat},
		"for somebody else":   {bad(func(m *Message) { m.To = "c" }), Replayed},
		"our name":            {bad(func(m *Message) { m.From = "a" }), DuplicateName},
		"another peer's name": {bad(func(m *Message) { m.From = "c" }), DuplicateName},
		"a fourth of three":   {bad(func(m *Message) { m.From = "d" }), UnknownMember},
		"no number":           {bad(func(m *Message) { m.Seq = 0 }), Malformed},
		"an age below zero":   {bad(func(m *Message) { m.Heard = []Heard{{Name: "c", Boot: 3, Seq: 1 << 60, Age: -1}} }), Malformed},
		"an age without end":  {bad(func(m *Message) { m.Heard = []Heard{{Name: "c", Boot: 3, Seq: 1 << 60, Age: 1<<63 - 1}} }), Malformed},
		"33 nameservers":      {bad(func(m *Message) { m.Want = make([]string, 33) }), Malformed},
		"an empty report":     {bad(func(m *Message) { m.Full = []*Report{nil} }), Malformed},
		"an empty change":     {bad(func(m *Message) { m.Delta = []*Delta{nil} }), Malformed},
		"half a decision":     {full(func(r *Report) { r.Held = map[string]*failover.Decision{"chat": {Pool: "chat"}} }), Malformed},
		"no decision":         {full(func(r *Report) { r.Held = map[string]*failover.Decision{"chat": nil} }), Malformed},
		"10,001 orders":       {full(func(r *Report) { r.Overrides = orders(maxOverrides + 1) }), Malformed},
		"a misplaced order":   {full(func(r *Report) { r.Overrides = map[string]failover.Override{"x": {Pool: "chat"}} }), Malformed},
		"endless reason":      {full(func(r *Report) { r.Votes = map[string]Vote{target: {Reason: strings.Repeat("x", 121)}} }), Malformed},
	} {
		t.Run(what, func(t *testing.T) {
			c := newCircle(t, "a", "b", "c") // of the same history, so that what was forged for the other fits
			before := c.picture("a")
			faults(c.cores["a"])
			c.cores["a"].Receive("b", x.data, c.now)
			if got := faults(c.cores["a"]); got[x.kind] == "" {
				t.Errorf("named as %v, want %s", got, x.kind)
			}
			if after := c.picture("a"); !reflect.DeepEqual(before, after) {
				t.Errorf("it changed\n%+v\nto\n%+v", before, after)
			}
			c.run(time.Second)
			c.whole("a", "b", "c")
		})
	}
}

// orders are that many registers.
func orders(n int) map[string]failover.Override {
	out := map[string]failover.Override{}
	for i := range n {
		o := failover.Override{Kind: failover.ToDrain, Pool: fmt.Sprint("p", i), Deployment: "x", Who: "who", Clock: 1}
		out[register(o)] = o
	}
	return out
}

func TestFormatOneAheadIsUnderstood(t *testing.T) {
	c := newCircle(t, "a", "b")
	var fields map[string]any
	if err := json.Unmarshal(c.forge("b", "a", func(m *Message) { m.Format, m.Leaving = format+1, true }), &fields); err != nil {
		t.Fatal(err)
	}
	fields["later"] = map[string]any{"what": []int{1, 2}}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	c.cores["a"].Receive("b", data, c.now)
	if !c.cores["a"].find("b").left {
		t.Errorf("not understood: %v", faults(c.cores["a"]))
	}
}

// TestLiesAboutOthersAreMended has b say absurd things of c, which a hears itself.
func TestLiesAboutOthersAreMended(t *testing.T) {
	const most = 1<<64 - 1
	for what, h := range map[string]Heard{
		"a number that none follows":  {Name: "c", Boot: 3, Seq: most},
		"a version that none follows": {Name: "c", Boot: 3, Seq: 1 << 40, Version: most},
		"another process":             {Name: "c", Boot: 99, Seq: most, Version: most},
		"both, and an old age":        {Name: "c", Boot: 99, Seq: most, Version: most, Age: 100},
	} {
		t.Run(what, func(t *testing.T) {
			c := newCircle(t, "a", "b", "c")
			a := c.cores["a"]
			a.Receive("b", c.forge("b", "a", func(m *Message) { m.Heard = []Heard{h} }), c.now)
			c.run(heartbeat)
			c.whole("a")
			c.run(3 * time.Second)
			c.whole("a")
			if n := a.find("c"); n.boot != c.cores["c"].report.Boot || n.version != c.cores["c"].report.Version || n.seq == most {
				t.Errorf("it is known as boot %d, number %d, version %d", n.boot, n.seq, n.version)
			}
		})
	}
}

func TestPhantomKeepsNobodyOut(t *testing.T) {
	c := &circle{t: t, now: epoch, names: []string{"a", "b", "c"}, cores: map[string]*Core{}}
	c.start("a")
	c.start("b")
	c.run(3 * time.Second)
	phantom := func() []byte {
		return c.forge("b", "a", func(m *Message) { m.Heard = []Heard{{Name: "x", Boot: 1, Seq: m.Seq}} })
	}
	c.cores["a"].Receive("b", phantom(), c.now)
	if c.cores["a"].find("x") == nil {
		t.Fatal("b's word counts for nothing")
	}
	c.start("c")
	for range 10 {
		c.cores["a"].Receive("b", phantom(), c.now)
		c.run(heartbeat)
	}
	c.whole("a")
	if c.cores["a"].find("c") == nil {
		t.Error("the phantom has the place of c")
	}
}

func TestWhoHasLeftStaysAwayThoughItsMessagesAreLate(t *testing.T) {
	c := newCircle(t, "a", "b")
	late := c.forge("b", "a", func(*Message) {})
	c.cores["a"].Receive("b", c.forge("b", "a", func(m *Message) { m.Leaving = true }), c.now)
	c.cores["a"].Receive("b", late, c.now)
	if len(c.cores["a"].reached()) != 0 || !c.cores["a"].Standing(c.now).Quorum {
		t.Error("it is back by a message that it sent before it left")
	}
	c.start("b")
	c.run(time.Second)
	c.whole("a", "b")
}

func TestReportDoesNotGrowWithoutEnd(t *testing.T) {
	c := newCircle(t, "a", "b")
	a, base := c.cores["a"], *c.cores["b"].report
	for i := range 3 {
		head := base
		head.Contents, head.Version = Contents{}, base.Version+1
		d := &Delta{Name: "b", Boot: base.Boot, Base: base.Version, Head: &head}
		d.Set.Overrides = map[string]failover.Override{}
		for _, o := range orders(maxOverrides / 2) {
			o.Pool = fmt.Sprint(i, o.Pool)
			d.Set.Overrides[register(o)] = o
		}
		a.Receive("b", c.forge("b", "a", func(m *Message) { m.Version, m.Delta = head.Version, []*Delta{d} }), c.now)
		base = head
	}
	if got := len(a.find("b").report.Overrides); got > maxOverrides {
		t.Errorf("%d orders are kept", got)
	}
	if got := faults(a); got[Oversize] == "" {
		t.Errorf("named as %v", got)
	}
}

func TestAbsurdClocksAreBounded(t *testing.T) {
	for _, clock := range []int64{1<<63 - 1, -1 << 63, 0, -1} {
		c := newCircle(t, "a", "b", "c")
		for range waysKept {
			c.cores["a"].Receive("b", c.forge("b", "a", func(m *Message) { m.Clock = clock }), c.now)
		}
		s := c.cores["a"].Status(c.now)
		if got := s.Peers[0].Offset; abs(time.Duration(got)*time.Second) > maxSkew || clock <= 0 && got >= 0 || clock > 0 && got <= 0 {
			t.Errorf("a clock at %d is %v s off", clock, got)
		}
		if s.Skew != 0 {
			t.Errorf("a clock at %d moves the median by %v", clock, s.Skew)
		}
		s.Alerts(c.now)
	}
}

// TestRecordingsChangeNothing plays all that was ever said to the nameservers again, in any order, before and after
// restarts of either.
func TestRecordingsChangeNothing(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		c := newCircle(t, "a", "b", "c")
		for _, name := range [][]string{nil, {"a"}, {"b"}, {"a", "b", "c"}}[rng.IntN(4)] {
			c.start(name)
		}
		c.run(time.Duration(rng.IntN(4)) * time.Second)
		before := map[string]picture{}
		for name := range c.cores {
			before[name] = c.picture(name)
		}
		tape := slices.Clone(c.said)
		rng.Shuffle(len(tape), func(i, j int) { tape[i], tape[j] = tape[j], tape[i] })
		for _, l := range tape {
			c.cores[l.to].Receive(l.from, l.data, c.now)
			c.cores[c.names[rng.IntN(3)]].Receive(c.names[rng.IntN(3)], l.data, c.now) // to somebody else, by somebody else
		}
		for name, p := range before {
			if after := c.picture(name); !reflect.DeepEqual(p, after) {
				t.Fatalf("seed %d: at %s the recordings changed\n%+v\nto\n%+v", seed, name, p, after)
			}
		}
		c.run(3 * time.Second)
		c.whole(slices.Collect(maps.Keys(c.cores))...)
	}
}

// FuzzMessage has an authenticated peer say anything: to a process that does not know it yet nothing of it may count, and
// to one that does nothing of it may do harm.
func FuzzMessage(f *testing.F) {
	c := newCircle(f, "a", "b", "c")
	for _, l := range c.said[max(0, len(c.said)-20):] {
		if l.data[0] == '{' {
			f.Add(l.data)
		}
	}
	f.Add([]byte(`{"v":2,"from":"b","boot":2,"seq":1,"heard":[{"name":"c","boot":3,"seq":18446744073709551615,"age":3600000000}],"later":1}`))
	f.Add([]byte(`{"v":1,"from":"b","boot":2,"seq":1,"clock":9223372036854775807,"full":[{"name":"b","boot":2,"version":18446744073709551615,` +
		`"held":{"chat":{"pool":"chat","active":["x"],"addresses":["192.0.2.1"],"epoch":18446744073709551615,"since":"9999-12-31T23:59:59-23:59"}}}]}`))
	f.Add([]byte(`{"v":1,"from":"b","boot":2,"seq":1,"full":[{"name":"b","boot":2,"version":9,"votes":{"primary":{"s":200}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newCircle(t, "a", "b", "c")
		a := c.cores["a"]
		before := c.picture("a")
		a.Receive("b", data, c.now) // it echoes nothing that was said lately
		m, err := decode(data)
		if after := c.picture("a"); (err != nil || len(m.Echo) == 0) && !reflect.DeepEqual(before, after) {
			t.Fatalf("what is not fresh changed\n%+v\nto\n%+v", before, after)
		}
		if err != nil || len(m.Echo) > 0 {
			return
		}
		own := a.report
		a.Receive("b", c.forge("b", "a", func(x *Message) {
			from, boot, seq, to, echo := x.From, x.Boot, x.Seq, x.To, x.Echo
			*x = *m
			x.Format, x.From, x.Boot, x.Seq, x.To, x.Echo = format, from, boot, seq, to, echo
		}), c.now)
		if a.report != own {
			t.Fatal("others write this nameserver's report")
		}
		a.News(c.now)
		a.Status(c.now).Alerts(c.now)
		for _, o := range a.Take() {
			if _, err := decode(o.Message.encode()); err != nil {
				t.Fatalf("it makes this nameserver say what nobody understands: %v", err)
			}
		}
		c.run(2 * time.Second)
		if n := a.find("c"); n == nil || !n.reached() {
			t.Fatal("b's word cuts off c, which is heard")
		}
	})
}
