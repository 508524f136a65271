package drill_test

import (
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/livechat/rig"
)

const (
	zoneName    = "chat.test"
	poolName    = "chat"
	settleLimit = 30 * time.Second // from starting the processes until all is as it should be, on a busy machine
	followLimit = 20 * time.Second // until everybody has done what a drill waits for; bounds are judged apart
)

// plan is what a drill wants its world to be. The zero value is what most want.
type plan struct {
	nameservers int            // default 1; of several, the Moderators are the first two
	failback    string         // lines of the pool's section; default onOrder
	timing      map[string]int // the script's times that differ from its defaults
	dns         string         // the service's URL instead of one that leads where DNS leads
	livechat    string         // further lines of livechat.toml
	pages       bool           // deployments serve the shop's page and the operators' console
	visitors    int            // default 1; more share a page
	idle        bool           // nobody talks by himself
	seed        uint32
}

// world is two chat deployments, nameservers that say which is active, and a visitor and an operator who chat.
type world struct {
	t       *testing.T
	plan    plan
	browser *browser
	blank   []*tab // opened ahead
	origin  string // of the drills' page

	loopback netip.Addr // the primary deployment's and the nameservers'; the next one is the redundant deployment's

	mu                 sync.Mutex // guards nameservers while they start: relays look there
	nameservers        []*nameserver
	moderators         []*relay // the ways to Moderators, of browsers and deployments; none in a network of its own
	distant            []string // their URLs there
	moderatorCA        string   // and the file with their certificate
	primary, redundant *deployment
	fronts             map[string]*relay // where the service's name leads, by role: what DNS says now

	visitorAllowed    []string // to where the policy of the visitor's page lets it connect; nil: anywhere
	visitor, operator *party
	began             time.Time // when all chatted
}

// newWorld builds one, and waits until both deployments are up, in step, and the two chat.
func newWorld(t *testing.T, p plan) *world {
	t.Helper()
	blank := []*tab{chromium.blank(t), chromium.blank(t)}
	w := newEmptyWorld(t, p)
	w.blank = blank
	w.enter()
	w.began = time.Now()
	return w
}

// newEmptyWorld builds one in which nobody chats yet.
func newEmptyWorld(t *testing.T, p plan) *world {
	t.Helper()
	w := &world{t: t, plan: p, browser: chromium}
	pages := httptest.NewServer(pageFiles())
	t.Cleanup(pages.Close)
	w.origin = pages.URL
	w.loopback = rig.Loopback()
	addrs := []netip.Addr{w.loopback, w.loopback.Next()}
	port, err := process.FreePort(addrs...)
	w.must(err)
	w.primary, w.redundant = newDeployment(w, "primary", netip.AddrPortFrom(addrs[0], port)).relayed(), newDeployment(w, "redundant", netip.AddrPortFrom(addrs[1], port)).relayed()
	for i := range 2 {
		w.moderators = append(w.moderators, newRelay(t, func() (net.Conn, error) { return w.dialModerator(i) }))
	}
	w.fronts = map[string]*relay{visitorRole: newRelay(t, w.dialActive), operatorRole: newRelay(t, w.dialActive)}
	w.startDeployments() // before the nameservers, so that these find both up and begin with the primary
	w.startNameservers()
	w.settle()
	w.began = time.Now()
	return w
}

// startDeployments starts both at the same time.
func (w *world) startDeployments() {
	w.t.Helper()
	var errs [2]error
	var both sync.WaitGroup
	for i, d := range w.all() {
		both.Go(func() { errs[i] = d.start() })
	}
	both.Wait()
	w.must(errors.Join(errs[:]...))
}

func (w *world) all() []*deployment { return []*deployment{w.primary, w.redundant} }

func (w *world) other(d *deployment) *deployment {
	if d == w.primary {
		return w.redundant
	}
	return w.primary
}

func (w *world) parties() []*party { return []*party{w.visitor, w.operator} }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// shortDir is a temporary folder whose path is short enough for unix sockets inside it (108 bytes).
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// moderatorsDo sets a fault on the ways to both Moderators.
func (w *world) moderatorsDo(f fault) {
	for _, m := range w.moderators {
		m.set(f)
	}
}

// moderatorURLs are where Moderators are asked.
func (w *world) moderatorURLs() (urls []string) {
	for _, m := range w.moderators {
		urls = append(urls, "http://"+m.addr())
	}
	return append(urls, w.distant...)
}

// moderatorLines are the same in livechat.toml.
func (w *world) moderatorLines() string {
	lines := fmt.Sprintf("moderators = [\"%s\"]\n", strings.Join(w.moderatorURLs(), "\", \""))
	if w.moderatorCA != "" {
		lines += fmt.Sprintf("moderator_ca = %q\n", w.moderatorCA)
	}
	return lines
}

// name sets a fault on where the service's name leads.
func (w *world) name(f fault) {
	for _, front := range w.fronts {
		front.set(f)
	}
}

// resetAll breaks all connections that browsers have to deployments.
func (w *world) resetAll() {
	for _, front := range w.fronts {
		front.reset()
	}
	for _, d := range w.all() {
		d.reset()
	}
}

// dialModerator reaches the Moderator of the i-th nameserver, or of the last.
func (w *world) dialModerator(i int) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.nameservers) == 0 {
		return nil, errors.New("there is no nameserver yet")
	}
	return dialTCP(w.nameservers[min(i, len(w.nameservers)-1)].moderator)
}
