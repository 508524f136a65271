package drill_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/livens/livens/livechat/rig"
)

const (
	operatorToken = "drills-have-no-secrets"
	linkSecret    = "nor-do-their-links-have-any"
)

// deployment is a livechat process, the paths of browsers to it, and the path of the other deployment's link.
type deployment struct {
	world *world
	name  string
	addr  netip.AddrPort
	dir   string
	enter func() error                                                      // as for process.Start
	dial  func(ctx context.Context, network, addr string) (net.Conn, error) // from where it is; nil: from here
	paths map[string]*relay                                                 // of browsers, by role; none in a network of its own
	link  *relay                                                            // of the other deployment
	chat  *rig.Chat                                                         // nil before the first start
}

// newDeployment prepares one; it is not started. Browsers of either role have a path of their own.
func newDeployment(w *world, name string, addr netip.AddrPort) *deployment {
	w.t.Helper()
	d := &deployment{world: w, name: name, addr: addr, dir: shortDir(w.t)}
	w.t.Cleanup(func() {
		d.kill()
		if said, err := os.ReadFile(filepath.Join(d.dir, "log")); err == nil && w.t.Failed() {
			w.t.Logf("log of %s:\n%s", name, tail(said))
		}
	})
	return d
}

// relayed gives it its paths.
func (d *deployment) relayed() *deployment {
	d.paths = map[string]*relay{}
	for _, role := range []string{visitorRole, operatorRole} {
		d.paths[role] = newRelay(d.world.t, dialTo(d.addr.String()))
	}
	d.link = newRelay(d.world.t, dialTo(d.addr.String()))
	return d
}

// url is where browsers of a role reach it by its own name.
func (d *deployment) url(role string) string {
	if path := d.paths[role]; path != nil {
		return "ws://" + path.addr() + "/chat"
	}
	return "ws://" + d.addr.String() + "/chat"
}

// linkURL is where the other deployment reaches it.
func (d *deployment) linkURL() string {
	if d.link != nil {
		return "ws://" + d.link.addr() + "/link"
	}
	return "ws://" + d.addr.String() + "/link"
}

// suffer sets a fault on the paths of all browsers.
func (d *deployment) suffer(f fault) {
	for _, p := range d.paths {
		p.set(f)
	}
}

// reset breaks all that browsers have open.
func (d *deployment) reset() {
	for _, p := range d.paths {
		p.reset()
	}
}

// start starts the process, also again, and waits until it serves.
func (d *deployment) start() (err error) {
	w, peer := d.world, d.world.other(d)
	config := fmt.Sprintf("name = %q\nlisten = %q\ndata = %q\npool = %q\n%speer = %q\npeer_name = %q\nsecret_file = %q\norigins = [%q]\n",
		d.name, d.addr, filepath.Join(d.dir, "data"), poolName, w.moderatorLines(),
		peer.linkURL(), peer.name, filepath.Join(d.dir, "secret"), w.origin)
	config += fmt.Sprintf("[[operator]]\nname = \"ann\"\ntoken_file = %q\n", filepath.Join(d.dir, "token")) + w.plan.livechat + w.clientLines()
	d.chat, err = rig.Start(w.t.Context(), rig.Plan{
		Binary: binaries.livechat, Dir: d.dir, Config: config, Files: map[string]string{"secret": linkSecret + "\n", "token": operatorToken + "\n"},
		Addr: d.addr, Enter: d.enter, Dial: d.dial,
	})
	return err
}

// kill ends it as kill -9 does.
func (d *deployment) kill() {
	if d.chat != nil {
		d.chat.Kill()
	}
}

// stop asks it to end, as for an upgrade, and waits.
func (d *deployment) stop() { d.chat.Stop() }

// freeze stops it without closing anything: connections are accepted, and nothing is answered.
func (d *deployment) freeze() {
	d.world.t.Helper()
	d.world.must(d.chat.Freeze())
}

// thaw lets it go on.
func (d *deployment) thaw() {
	d.world.t.Helper()
	d.world.must(d.chat.Thaw())
}

func dialTCP(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, time.Second) }
