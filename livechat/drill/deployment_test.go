package drill_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/livens/livens/internal/process"
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
	enter func() error                        // as for process.Start
	dial  func(addr string) (net.Conn, error) // from where it is
	paths map[string]*relay                   // of browsers, by role; none in a network of its own
	link  *relay                              // of the other deployment

	process *process.Process
}

// newDeployment prepares one; it is not started. Browsers of either role have a path of their own.
func newDeployment(w *world, name string, addr netip.AddrPort) *deployment {
	w.t.Helper()
	d := &deployment{world: w, name: name, addr: addr, dir: shortDir(w.t), dial: dialTCP}
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
func (d *deployment) start() error {
	if err := d.configure(); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(binaries.livechat, "serve", "--config", filepath.Join(d.dir, "livechat.toml"))
	cmd.Stdout, cmd.Stderr = log, log
	if d.process, err = process.Start(cmd, d.enter); err != nil {
		return err
	}
	if err := d.process.Await(d.world.t.Context(), settleLimit, d.serves); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", d.name, err, said)
	}
	return nil
}

// serves reports nil once the deployment does.
func (d *deployment) serves() error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(_ context.Context, _, addr string) (net.Conn, error) { return d.dial(addr) }}}
	reply, err := client.Get("http://" + d.addr.String() + "/healthz")
	if err != nil {
		return err
	}
	reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz says %s", reply.Status)
	}
	return nil
}

// configure writes its files.
func (d *deployment) configure() error {
	w, peer := d.world, d.world.other(d)
	config := fmt.Sprintf("name = %q\nlisten = %q\ndata = %q\npool = %q\n%speer = %q\npeer_name = %q\nsecret_file = %q\norigins = [%q]\n",
		d.name, d.addr, filepath.Join(d.dir, "data"), poolName, w.moderatorLines(),
		peer.linkURL(), peer.name, filepath.Join(d.dir, "secret"), w.origin)
	config += fmt.Sprintf("[[operator]]\nname = \"ann\"\ntoken_file = %q\n", filepath.Join(d.dir, "token")) + w.plan.livechat + w.clientLines()
	for file, text := range map[string]string{"livechat.toml": config, "secret": linkSecret + "\n", "token": operatorToken + "\n"} {
		if err := os.WriteFile(filepath.Join(d.dir, file), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// kill ends it as kill -9 does: the kernel closes its sockets.
func (d *deployment) kill() { d.end(syscall.SIGKILL) }

// stop asks it to end, as for an upgrade, and waits.
func (d *deployment) stop() { d.end(syscall.SIGTERM) }

func (d *deployment) end(s syscall.Signal) {
	if d.process != nil {
		d.process.End(s)
	}
}

// freeze stops it without closing anything: connections are accepted, and nothing is answered.
func (d *deployment) freeze() { d.signal(syscall.SIGSTOP) }

// thaw lets it go on.
func (d *deployment) thaw() { d.signal(syscall.SIGCONT) }

func (d *deployment) signal(s syscall.Signal) {
	d.world.t.Helper()
	d.world.must(d.process.Signal(s))
}

func dialTCP(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, time.Second) }
