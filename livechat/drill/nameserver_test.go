package drill_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

// nameserver is one, and the ways of browsers and deployments to its Moderator.
type nameserver struct {
	*stage.Nameserver
	moderator string // where its Moderator listens
}

// probing is the default profile but for the time between two probes while all is clear, which is 1 s: a deployment that is
// back is soon known to be. What is borne with before one counts as down is the same, 600 ms.
const probing = "interval = \"200ms\"\n"

// onOrder has traffic return when an operator says so only.
const onOrder = "failback = \"gated\"\nfailback_delay = \"24h\"\nmax_failbacks = 1000\n"

// clusterKey is 32 bytes in base64.
const clusterKey = "bGl2ZW5zIGRyaWxscyBrZWVwIG5vIHNlY3JldHMgISE=\n"

// zone is the zone file of all nameservers, whose addresses are in order.
func (w *world) zone(nameservers ...netip.Addr) string {
	failback := w.plan.failback
	if failback == "" {
		failback = onOrder
	}
	var names, glue []string
	for i, addr := range nameservers {
		names, glue = append(names, fmt.Sprintf("\"ns%d.%s.\"", i+1, zoneName)), append(glue, fmt.Sprintf("\"ns%d A %v\"", i+1, addr))
	}
	port := w.primary.addr.Port()
	zone := fmt.Sprintf("[zone]\nname = %q\nns = [%s]\ncontact = \"hostmaster@chat.test\"\nrecords = [%s]\n[pool.%s]\nanswers = [\"@\"]\nttl = 1\n%s",
		zoneName, strings.Join(names, ", "), strings.Join(glue, ", "), poolName, failback)
	zone += fmt.Sprintf("[pool.%s.check]\ntype = \"http\"\nport = %d\npath = \"/healthz\"\n%s", poolName, port, probing)
	zone += fmt.Sprintf("[pool.%s.sync]\ntype = \"http\"\nport = %d\npath = \"/syncz\"\n%s", poolName, port, probing)
	for _, d := range w.all() {
		zone += fmt.Sprintf("[[pool.%s.deployment]]\nname = %q\naddresses = [%q]\n", poolName, d.name, d.addr.Addr())
	}
	return zone
}

// startNameservers starts them on loopback, as a cluster if there are several.
func (w *world) startNameservers() {
	w.t.Helper()
	port := func() string {
		n, err := process.FreePort(w.loopback)
		w.must(err)
		return netip.AddrPortFrom(w.loopback, n).String()
	}
	count := max(1, w.plan.nameservers)
	gossip, addrs := make([]string, count), make([]netip.Addr, count)
	for i := range count {
		gossip[i], addrs[i] = port(), w.loopback
	}
	for i := range count {
		ns := &nameserver{moderator: port()}
		config := fmt.Sprintf("name = \"ns%d\"\nlisten = [%q]\n[http]\nlisten = \"off\"\n[moderator]\nlisten = [%q]\n", i+1, port(), ns.moderator)
		w.startNameserver(ns, config, gossip, i, w.zone(addrs...), nil)
	}
}

// startNameserver starts the i-th; gossip says where they talk to one another.
func (w *world) startNameserver(ns *nameserver, config string, gossip []string, i int, zone string, enter func() error) {
	w.t.Helper()
	dir := shortDir(w.t)
	if len(gossip) > 1 {
		w.must(os.WriteFile(filepath.Join(dir, "cluster.key"), []byte(clusterKey), 0o600))
		var peers []string
		for j, addr := range gossip {
			if j != i {
				peers = append(peers, fmt.Sprintf("%q", addr))
			}
		}
		config += fmt.Sprintf("[cluster]\nlisten = %q\npeers = [%s]\nkey_file = \"cluster.key\"\n", gossip[i], strings.Join(peers, ", "))
	}
	var err error
	ns.Nameserver, err = stage.StartNameserver(w.t.Context(), binaries.livens, dir, config, map[string]string{zoneName + ".toml": zone}, enter)
	w.must(err)
	w.mu.Lock()
	w.nameservers = append(w.nameservers, ns)
	w.mu.Unlock()
	w.t.Cleanup(func() {
		ns.Kill()
		if w.t.Failed() {
			said, _ := os.ReadFile(ns.Log) // what there is
			w.t.Logf("log of ns%d:\n%s", i+1, tail(said))
		}
	})
}

func tail(text []byte) []byte { return text[max(0, len(text)-4000):] }

// dialActive goes where DNS leads now, as a client without a cache would.
func (w *world) dialActive() (net.Conn, error) {
	w.mu.Lock()
	first := w.nameservers[0]
	w.mu.Unlock()
	asker, err := first.Asker()
	if err != nil {
		return nil, err
	}
	defer asker.Close()
	addrs, _, err := asker.A(zoneName)
	if err != nil {
		return nil, err
	}
	return net.DialTimeout("tcp", netip.AddrPortFrom(addrs[0], w.primary.addr.Port()).String(), time.Second)
}

// settle waits until all nameservers hold that both deployments are up and in step.
func (w *world) settle() {
	w.t.Helper()
	for _, ns := range w.nameservers {
		w.must(process.Await(w.t.Context(), settleLimit, func() error { return w.settledAt(ns) }))
	}
}

func (w *world) settledAt(ns *nameserver) error {
	status, err := ns.Status(w.t.Context())
	if err != nil {
		return err
	}
	for _, d := range status.Pool(poolName).Deployments {
		if d.State != checker.Up {
			return fmt.Errorf("%s is %s: %s", d.Name, d.State, d.Reason)
		}
		if d.Gate != failover.Open {
			return fmt.Errorf("%s is not in step: %s", d.Name, d.GateWhy)
		}
	}
	return nil
}

// order is an operator's, at a nameserver.
func (w *world) order(verb failover.Verb, to *deployment) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), followLimit)
	defer cancel()
	o := failover.Order{Verb: verb, Pool: poolName, Who: "drill"}
	if to != nil {
		o.Deployment = to.name
	}
	_, err := w.nameservers[0].Client.Order(ctx, o)
	return err
}

// obeyed gives an order until it is taken: a deployment that has not got the latest message yet is not fit for a moment.
func (w *world) obeyed(verb failover.Verb, to *deployment) {
	w.t.Helper()
	w.must(process.Await(w.t.Context(), followLimit, func() error { return w.order(verb, to) }))
}

// goBack has both move from the redundant deployment to the primary, once that is well.
func (w *world) goBack() {
	w.t.Helper()
	w.settle()
	since := time.Now()
	w.obeyed(failover.DoFailback, nil)
	w.bothTo(w.primary, since)
	w.hear(time.Now())
}

// active waits until a nameserver answers with a deployment.
func (w *world) active(d *deployment) {
	w.t.Helper()
	w.must(process.Await(w.t.Context(), followLimit, func() error {
		status, err := w.nameservers[0].Status(w.t.Context())
		if err != nil {
			return err
		}
		if active := status.Pool(poolName).Decision.Active; len(active) != 1 || active[0] != d.name {
			return fmt.Errorf("it answers with %v", active)
		}
		return nil
	}))
}

// steady reports what the nameserver has decided since a moment.
func (w *world) steady(since time.Time) error {
	status, err := w.nameservers[0].Status(w.t.Context())
	if err != nil {
		return err
	}
	if d := status.Pool(poolName).Decision; d.Since.After(since) {
		return fmt.Errorf("the nameserver has switched: %s", d.Reason)
	}
	return nil
}

// down waits until the nameservers hold that a deployment is.
func (w *world) down(d *deployment) {
	w.t.Helper()
	for _, ns := range w.nameservers {
		w.must(process.Await(w.t.Context(), followLimit, func() error {
			status, err := ns.Status(w.t.Context())
			if err != nil {
				return err
			}
			for _, s := range status.Pool(poolName).Deployments {
				if s.Name == d.name && s.State != checker.Down {
					return fmt.Errorf("%s is %s", d.name, s.State)
				}
			}
			return nil
		}))
	}
}

// reload gives the first nameserver another zone file.
func (w *world) reload(zone string) error {
	ns := w.nameservers[0]
	if err := os.WriteFile(filepath.Join(filepath.Dir(ns.Config), "zones", zoneName+".toml"), []byte(zone), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), followLimit)
	defer cancel()
	done, err := ns.Client.Reload(ctx)
	if err == nil && !done.OK {
		err = fmt.Errorf("%v", done.Problems)
	}
	return err
}

// lose kills the i-th nameserver for good.
func (w *world) lose(i int) {
	w.nameservers[i].Kill()
	w.forget(i)
}

// forget has nothing more be asked of the i-th nameserver.
func (w *world) forget(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nameservers = slices.Delete(slices.Clone(w.nameservers), i, i+1)
}
