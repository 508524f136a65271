package drill_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// seeds are how many fault runs there are: LIVENS_DRILL_SEEDS, default 20; messages how many are said in each:
// LIVENS_DRILL_MESSAGES, default 100. LIVENS_DRILL_SEED replays one.
var (
	seeds    = wholeNumber("LIVENS_DRILL_SEEDS", 20)
	messages = wholeNumber("LIVENS_DRILL_MESSAGES", 100)
)

// seedVisitors chat with one operator in each run.
const seedVisitors = 4

// mishap is a fault that chance may choose, and what ends it.
type mishap struct {
	name   string
	of     string // what it happens to: two at a time are of different things
	strike func(w *world, chance *rand.Rand) (heal func())
}

// mishaps are those of the drills. Each heals completely, so that any may follow.
var mishaps = []mishap{
	{"killed", "process", func(w *world, chance *rand.Rand) func() {
		d := w.any(chance)
		d.kill()
		return func() { w.must(d.start()) }
	}},
	{"stopped", "process", func(w *world, chance *rand.Rand) func() {
		d := w.any(chance)
		d.freeze()
		return d.thaw
	}},
	{"restarted", "process", func(w *world, chance *rand.Rand) func() {
		d := w.any(chance)
		d.stop()
		return func() { w.must(d.start()) }
	}},
	{"path stalled", "path", onPath(fault{stalled: true})},
	{"path refusing", "path", onPath(fault{refusing: true})},
	{"upgrade answered 403", "path", onPath(fault{upgrade: http.StatusForbidden})},
	{"upgrade answered 503", "path", onPath(fault{upgrade: http.StatusServiceUnavailable})},
	{"no welcome", "path", onPath(fault{withhold: framesOf("welcome")})},
	{"no acknowledgement", "path", onPath(fault{withhold: framesOf("ack")})},
	{"path slow", "path", onPath(fault{delay: 300 * time.Millisecond})},
	{"link stalled", "link", func(w *world, chance *rand.Rand) func() {
		d := w.any(chance)
		d.link.set(fault{stalled: true})
		return d.link.heal
	}},
	{"link reset", "link", func(w *world, chance *rand.Rand) func() {
		w.any(chance).link.reset()
		return func() {}
	}},
	{"Moderators down", "Moderators", onModerators(fault{refusing: true})},
	{"Moderators silent", "Moderators", onModerators(fault{stalled: true})},
	{"Moderators lie", "Moderators", func(w *world, _ *rand.Rand) func() {
		return w.lie(`{"pool":"chat","active":"evil","order":["evil"],"epoch":9007199254740991,"states":{"evil":"up"}}`)
	}},
	{"DNS leads nowhere", "DNS", func(w *world, _ *rand.Rand) func() {
		w.name(fault{refusing: true})
		return func() { w.name(fault{}) }
	}},
	{"page reloaded", "page", func(w *world, chance *rand.Rand) func() {
		w.parties()[chance.IntN(2)].reload()
		return func() {}
	}},
	{"page offline", "page", func(w *world, chance *rand.Rand) func() {
		p := w.parties()[chance.IntN(2)]
		p.offline(true)
		return func() { p.offline(false) }
	}},
}

// onPath is a mishap on the paths to one deployment, of one role or of both; what is open breaks, or not.
func onPath(f fault) func(w *world, chance *rand.Rand) func() {
	return func(w *world, chance *rand.Rand) func() {
		d, which, breaks := w.any(chance), chance.IntN(3), chance.IntN(2) == 0
		var paths []*relay
		for i, role := range []string{visitorRole, operatorRole} {
			if which == i || which == 2 {
				paths = append(paths, d.paths[role])
			}
		}
		for _, p := range paths {
			p.set(f)
			if breaks {
				p.reset()
			}
		}
		return func() {
			for _, p := range paths {
				p.heal()
			}
		}
	}
}

func onModerators(f fault) func(w *world, chance *rand.Rand) func() {
	return func(w *world, _ *rand.Rand) func() {
		w.moderatorsDo(f)
		return func() { w.moderatorsDo(fault{}) }
	}
}

func (w *world) any(chance *rand.Rand) *deployment { return w.all()[chance.IntN(2)] }

// TestDrillChatSeeds (F1, F2, F3, F5, F9, F11, F13): faults that chance chooses, one or two at a time. Whatever they are, nothing
// is lost, doubled or out of order. A seed repeats the faults and the times between them.
func TestDrillChatSeeds(t *testing.T) {
	t.Parallel()
	list := make([]uint32, seeds)
	for i := range list {
		list[i] = uint32(i + 1)
	}
	if text := os.Getenv("LIVENS_DRILL_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		list = []uint32{uint32(seed)}
	}
	for group := range slices.Chunk(list, seedsAWorld) {
		t.Run(fmt.Sprintf("%d–%d", group[0], group[len(group)-1]), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, plan{visitors: seedVisitors, seed: group[0]})
			sum := row{runs: len(group)}
			for _, seed := range group {
				sum.figures = faultRun(t, w, seed, &sum.faults)
			}
			sum.what = fmt.Sprintf("%d faults by chance in %d runs", sum.faults, sum.runs)
			report(t, sum)
		})
	}
}

// seedsAWorld is how many runs are held in one world, one after the other. Replayed alone, a run begins with a world in which nothing has happened yet.
const seedsAWorld = 4

// faultRun holds one run until enough has been said, and returns what people have noticed since the world began.
func faultRun(t *testing.T, w *world, seed uint32, faults *int) figures {
	w.settle()
	for _, p := range w.parties() {
		p.talk(true)
	}
	sent := w.noticed(w.began, time.Now()).sent
	chance := rand.New(rand.NewPCG(uint64(seed), 0))
	var story []string
	defer func() {
		if t.Failed() {
			t.Logf("LIVENS_DRILL_SEED=%d replays: %s", seed, strings.Join(story, ", "))
		}
	}()
	for len(story) < 3 || w.noticed(w.began, time.Now()).sent < sent+messages {
		m := mishaps[chance.IntN(len(mishaps))]
		heal := w.befall(m, chance, &story)
		if second := mishaps[chance.IntN(len(mishaps))]; second.of != m.of {
			w.befall(second, chance, &story)()
		}
		heal()
		time.Sleep(time.Duration(chance.IntN(1000)) * time.Millisecond)
	}
	*faults += len(story)
	f := w.finish(w.began)
	if t.Failed() {
		t.FailNow() // what was lost in this run is lost in the next, too
	}
	return f
}

// befall has a mishap strike and last.
func (w *world) befall(m mishap, chance *rand.Rand, story *[]string) (heal func()) {
	lasting := time.Duration(100+chance.IntN(2400)) * time.Millisecond
	*story = append(*story, fmt.Sprintf("%s for %v", m.name, lasting))
	heal = m.strike(w, chance)
	time.Sleep(lasting)
	return heal
}

// reload reloads the page and waits until it chats again, or tries to.
func (p *party) reload() {
	p.t.Helper()
	since := time.Now()
	p.run(chromedp.Reload())
	p.await("the script begins", since, pageLimit, kind("begun"))
}
