package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

// rest is what a crowd costs while nothing happens, and how fast an order reaches all of it.
type rest struct {
	Nameservers int     `json:"nameservers"`
	Targets     int     `json:"targets"`
	Seconds     float64 `json:"seconds"`
	Sockets     float64 `json:"sockets_kb_s"` // KB/s on a nameserver's cluster sockets, sent and received
	Wire        float64 `json:"wire_kb_s"`    // KB/s that a nameserver sends, with IP headers
	CPU         float64 `json:"cpu"`          // of a core, a nameserver
	Lone        float64 `json:"lone_cpu"`     // of a core, a nameserver alone with the same targets
	Orders      int     `json:"orders"`
	OrderMedian float64 `json:"order_median_s"` // from an order at one to the answers of all
	OrderMax    float64 `json:"order_max_s"`
}

const (
	crowdSize    = 7
	gossipBound  = 100.0 // KB/s
	clusterBound = 0.05  // of a core, above what a lone nameserver takes
	orderBound   = 0.5   // seconds
)

func (r *rest) missed() int {
	n := 0
	for _, broken := range []bool{r.Sockets > gossipBound, r.CPU-r.Lone > clusterBound, r.OrderMax > orderBound} {
		if broken {
			n++
		}
	}
	return n
}

func (b *bench) rest() (rest, error) {
	everybody, zone, err := b.many(calm, b.targets)
	if err != nil {
		return rest{}, err
	}
	defer everybody.Kill()
	r := rest{Nameservers: crowdSize, Targets: b.targets, Seconds: b.loadTime.Seconds()}
	lone, err := b.gather(1, zone)
	if err != nil {
		return r, err
	}
	time.Sleep(b.settle)
	r.Lone, err = b.idle(lone)
	lone.stop()
	if err != nil {
		return r, err
	}
	seven, err := b.gather(crowdSize, zone)
	if err != nil {
		return r, err
	}
	defer seven.stop()
	time.Sleep(b.settle)
	if err := b.gossip(seven, &r); err != nil {
		return r, err
	}
	return r, b.order(seven, &r)
}

// many is one process that is all deployments, and the zone with that many targets.
func (b *bench) many(p profile, targets int) (*stage.Deployment, string, error) {
	any4 := netip.IPv4Unspecified()
	port, err := process.FreePort(any4)
	if err != nil {
		return nil, "", err
	}
	d := &stage.Deployment{Name: "everybody", Addr: netip.AddrPortFrom(any4, port), TLS: p.secure}
	zone := newZone()
	for i := range targets / 2 {
		writePool(zone, i, p, numbered(1, i), numbered(2, i), port)
	}
	return d, zone.String(), d.Start(b.ctx)
}

// gossip measures traffic and processor time over the same while.
func (b *bench) gossip(c *crowd, r *rest) error {
	if err := countOutput(c.gossip); err != nil {
		return err
	}
	before, err := c.traffic(b)
	if err != nil {
		return err
	}
	if _, err := outputBytes(); err != nil {
		return err
	}
	if r.CPU, err = b.idle(c); err != nil {
		return err
	}
	sent, err := outputBytes()
	if err != nil {
		return err
	}
	after, err := c.traffic(b)
	if err != nil {
		return err
	}
	each := r.Seconds * float64(len(c.members)) * 1000
	r.Sockets, r.Wire = float64(after-before)/each, float64(sent)/each
	progress("%d nameservers, %d targets at rest: %.1f KB/s on the sockets, %.1f KB/s sent on the wire, %.1f %% of a core (alone %.1f %%)",
		r.Nameservers, r.Targets, r.Sockets, r.Wire, 100*r.CPU, 100*r.Lone)
	return nil
}

// traffic is what went through the cluster's sockets of all members so far.
func (c *crowd) traffic(b *bench) (bytes uint64, err error) {
	for _, n := range c.members {
		status, err := n.Client.Status(b.ctx)
		if err != nil {
			return 0, err
		}
		bytes += status.Cluster.Sent + status.Cluster.Received
	}
	return bytes, nil
}

// idle is the processor time that a member takes while nobody asks anything, as a share of a core.
func (b *bench) idle(c *crowd) (float64, error) {
	var pids []int
	for _, n := range c.members {
		status, err := n.Client.Status(b.ctx)
		if err != nil {
			return 0, err
		}
		pids = append(pids, status.Listen.Pid)
	}
	return b.taken(pids)
}

// taken is the processor time that each of some processes takes meanwhile, as a share of a core.
func (b *bench) taken(pids []int) (float64, error) {
	before, err := processorTime(pids)
	if err != nil {
		return 0, err
	}
	time.Sleep(b.loadTime)
	after, err := processorTime(pids)
	return (after - before).Seconds() / b.loadTime.Seconds() / float64(len(pids)), err
}

func processorTime(pids []int) (sum time.Duration, err error) {
	for _, pid := range pids {
		_, used, err := process.Stat(pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// countOutput has the kernel count what leaves for or from a port, with IP headers.
func countOutput(port uint16) error {
	match := fmt.Sprint(port)
	for _, args := range [][]string{
		{"add", "table", "inet", "bench"},
		{"add", "counter", "inet", "bench", "gossip"},
		{"add", "chain", "inet", "bench", "out", "{ type filter hook output priority 0; }"},
		{"add", "rule", "inet", "bench", "out", "udp", "dport", match, "counter", "name", "gossip"},
		{"add", "rule", "inet", "bench", "out", "tcp", "dport", match, "counter", "name", "gossip"},
		{"add", "rule", "inet", "bench", "out", "tcp", "sport", match, "counter", "name", "gossip"},
	} {
		if err := command("nft", args...); err != nil {
			return err
		}
	}
	return nil
}

// outputBytes are those counted since the last call.
func outputBytes() (uint64, error) {
	out, err := exec.Command("nft", "-j", "reset", "counter", "inet", "bench", "gossip").Output()
	if err != nil {
		return 0, fmt.Errorf("nft reset counter: %w", err)
	}
	var reply struct {
		NFTables []struct {
			Counter *struct{ Bytes uint64 }
		}
	}
	if err := json.Unmarshal(out, &reply); err != nil {
		return 0, err
	}
	for _, x := range reply.NFTables {
		if x.Counter != nil {
			return x.Counter.Bytes, nil
		}
	}
	return 0, fmt.Errorf("nft says nothing of its counter: %s", out)
}

// order gives orders, each at another nameserver and for another pool, and waits until all answer as it says.
func (b *bench) order(c *crowd, r *rest) error {
	var took []float64
	for i := range b.trials {
		o := failover.Order{Verb: failover.DoFailover, Pool: fmt.Sprintf("p%d", i), Deployment: "redundant", Who: "bench"}
		began := time.Now()
		ordered := make(chan error, 1)
		go func() {
			_, err := c.members[i%len(c.members)].Client.Order(b.ctx, o)
			ordered <- err
		}()
		all, err := c.moments(b, i, began, func(a netip.Addr) bool { return a == numbered(2, i) })
		if err := errors.Join(<-ordered, err); err != nil {
			return err
		}
		took = append(took, slices.Max(all))
	}
	slices.Sort(took)
	r.Orders, r.OrderMedian, r.OrderMax = len(took), quantile(took, 0.5), took[len(took)-1]
	progress("an order reached all %d after %.3f s (median), %.3f s at most", r.Nameservers, r.OrderMedian, r.OrderMax)
	return nil
}
