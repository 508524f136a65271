package drill_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/internal/lab"
	"github.com/livens/livens/internal/stage"
)

// nameserver is one, where it is, and what it was seen to answer.
type nameserver struct {
	world   *world
	name    string
	site    *lab.Site
	host    *lab.Host
	dir     string
	process *stage.Nameserver
	watch   *lab.Watch // from its own host: links and their faults are not between; nil: it answers no queries
	lone    bool       // it talks to nobody
	absent  bool       // it was killed or stopped, at least once
}

func (ns *nameserver) dns() netip.AddrPort { return netip.AddrPortFrom(ns.host.Addr, dnsPort) }

func (ns *nameserver) gossip() netip.AddrPort { return netip.AddrPortFrom(ns.host.Addr, gossipPort) }

const gossipPort = 7946

// start starts the process, also again, and waits until it is ready.
func (ns *nameserver) start() (err error) {
	t := ns.world.t
	files := map[string]string{zoneName + ".toml": ns.world.zone()}
	if ns.world.plan.cluster {
		if err := os.WriteFile(filepath.Join(ns.dir, "cluster.key"), []byte(clusterKey), 0o600); err != nil {
			return err
		}
	}
	ns.process, err = stage.StartNameserver(t.Context(), binary(), ns.dir, ns.config(), files, ns.host.Enter)
	if err != nil {
		return fmt.Errorf("%s: %w", ns.name, err)
	}
	running := ns.process
	t.Cleanup(func() {
		running.Kill()
		if t.Failed() {
			said, _ := os.ReadFile(running.Log) // what there is
			t.Logf("log of %s:\n%s", ns.name, said)
		}
	})
	return nil
}

// kill ends it as kill -9 does.
func (ns *nameserver) kill() {
	ns.absent = true
	ns.process.Kill()
}

// freeze stops it, until it is thawed.
func (ns *nameserver) freeze() {
	ns.world.t.Helper()
	ns.absent = true
	ns.world.must(ns.process.Freeze())
}

func (ns *nameserver) thaw() {
	ns.world.t.Helper()
	ns.world.must(ns.process.Thaw())
}

// clusterKey is 32 bytes in base64.
const clusterKey = "bGl2ZW5zIGRyaWxscyBrZWVwIG5vIHNlY3JldHMgISE=\n"

func (ns *nameserver) config() string {
	config := fmt.Sprintf("name = %q\nlisten = [%q]\n", ns.name, ns.dns())
	if ns.watch == nil {
		config = fmt.Sprintf("name = %q\nlisten = []\n", ns.name)
	}
	clustered := ns.world.plan.cluster && !ns.lone
	if clustered {
		config += fmt.Sprintf("site = %q\n", ns.site.Name)
	}
	config += "[http]\nlisten = \"off\"\n[dns]\ndebug_names = true\n" + ns.world.hookSection()
	if clustered {
		config += ns.cluster()
	}
	return config
}

// cluster is its [cluster] section.
func (ns *nameserver) cluster() string {
	var peers []string
	for _, other := range ns.world.observers() {
		if other != ns && !other.lone {
			peers = append(peers, fmt.Sprintf("%q", other.gossip()))
		}
	}
	section := fmt.Sprintf("[cluster]\nlisten = %q\npeers = [%s]\nkey_file = \"cluster.key\"\n", ns.gossip(), strings.Join(peers, ", "))
	if hold := ns.world.plan.hold; hold > 0 {
		section += fmt.Sprintf("minority_hold = %q\n", hold)
	}
	return section
}

// settled reports nil once the nameserver holds that both deployments are up, answers with the primary (a witness: would), and
// has nothing to complain of. That a busy process dropped messages at the start, which come again, is told for minutes.
func (ns *nameserver) settled() error {
	status, err := ns.process.Status(ns.world.t.Context())
	if err != nil {
		return err
	}
	for _, a := range status.Alerts {
		if a.Code != "cluster-dropped" {
			return fmt.Errorf("alert %s: %s", a.Code, a.Text)
		}
	}
	for _, d := range status.Pool(poolName).Deployments {
		if d.State != checker.Up {
			return fmt.Errorf("%s is %s", d.Name, d.State)
		}
	}
	if ns.watch == nil {
		return nil
	}
	if got := ns.watch.Timeline().At(time.Now()); got != ns.world.primary.answer() {
		return fmt.Errorf("it answers %s", got)
	}
	return nil
}
