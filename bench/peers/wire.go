package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/livens/livens/internal/lab"
)

// wire joins hosts in network namespaces of their own: that of servers, that of the load generator, which takes all replies at its
// interface for its own, and so that of the probes.
type wire struct {
	host, client, prober *lab.Host
	xdp                  bool // a server takes queries from the interface itself
}

func newWire(xdp bool) (w *wire, err error) {
	w = &wire{xdp: xdp}
	if w.host, w.client, err = lab.Cable(netip.MustParseAddr(serverAddr), netip.MustParseAddr(clientAddr)); err != nil {
		return nil, err
	}
	// Whether an entry of the neighbour table is fresh costs the sender 1 %: they stay so.
	if err := w.host.Run("", "sh", "-c", "echo 86400000 > /proc/sys/net/ipv4/neigh/eth0/base_reachable_time_ms"); err != nil {
		return nil, err
	}
	w.prober, err = w.host.Beside(netip.MustParseAddr("10.78.0.2"), netip.MustParseAddr("10.78.0.1"))
	return w, err
}

// ifXDP is a piece of configuration for servers with XDP only.
func (w *wire) ifXDP(text string) string {
	if !w.xdp {
		return ""
	}
	return text
}

// steer has one core do what the kernel does with packets that arrive for the server. For sockets it is told where to go on with a
// packet (receive packet steering). XDP comes before that: there it is the interface's own work that moves, to a thread.
func (w *wire) steer(core string) error {
	mask := map[string]string{serverCore: "1", loadCore: "2"}[core]
	before := interfaceThreads()
	set := "echo " + mask + " > queues/rx-0/rps_cpus"
	if w.xdp && core == serverCore {
		set += " && echo 1 > threaded"
	} else if w.xdp {
		set += " && echo 0 > threaded" // the sender's core does it
	}
	err := w.host.Do(func() error {
		// /sys shows the namespace of whoever mounts it.
		out, err := exec.Command("unshare", "-m", "sh", "-c", "mount -t sysfs sysfs /sys && cd /sys/class/net/eth0 && "+set).CombinedOutput()
		if err != nil {
			return fmt.Errorf("steering packets: %w: %s", err, out)
		}
		return nil
	})
	if err != nil || !w.xdp || core != serverCore {
		return err
	}
	for _, thread := range interfaceThreads() {
		if slices.Contains(before, thread) {
			continue
		}
		if out, err := exec.Command("taskset", "-cp", core, thread).CombinedOutput(); err != nil {
			return fmt.Errorf("steering packets: %w: %s", err, out)
		}
	}
	return nil
}

// interfaceThreads are the kernel's threads that work for interfaces, of all namespaces.
func interfaceThreads() (ids []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, path := range all {
		if name, err := os.ReadFile(path); err == nil && strings.HasPrefix(string(name), "napi/eth0") {
			ids = append(ids, filepath.Base(filepath.Dir(path)))
		}
	}
	return ids
}
