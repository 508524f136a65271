package main

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

// profile is how a check is configured.
type profile struct {
	name  string
	check string // TOML
}

var fast = profile{"fast", `interval = "1s"
fast_interval = "100ms"
timeout = "500ms"
fall = 2
`}

var defaults = profile{"defaults", ""}

// pools are a nameserver with many pools, so that every trial has a primary of its own to lose.
type pools struct {
	nameserver *stage.Nameserver
	asker      *stage.Asker
	primaries  []*stage.Deployment
	redundant  *stage.Deployment
}

// start starts n primaries, one redundant deployment that all pools share, and livens.
func (b *bench) start(p profile, n int) (_ *pools, err error) {
	ps := &pools{}
	defer func() {
		if err != nil {
			ps.stop()
		}
	}()
	standby := netip.MustParseAddr("127.0.0.1")
	port, err := process.FreePort(standby)
	if err != nil {
		return nil, err
	}
	ps.redundant = &stage.Deployment{Name: "redundant", Addr: netip.AddrPortFrom(standby, port)}
	if err := ps.redundant.Start(b.ctx); err != nil {
		return nil, err
	}
	zone := &strings.Builder{}
	zone.WriteString("[zone]\nname = \"bench.test\"\nns = [\"ns.bench.test.\"]\ncontact = \"hostmaster@bench.test\"\nrecords = [\"ns A 127.0.0.1\"]\n")
	for i := range n {
		addr := netip.AddrFrom4([4]byte{127, 1, byte(i / 250), byte(i%250 + 1)})
		d := &stage.Deployment{Name: "primary", Addr: netip.AddrPortFrom(addr, port)}
		if err := d.Start(b.ctx); err != nil {
			return nil, err
		}
		ps.primaries = append(ps.primaries, d)
		writePool(zone, i, p, addr, standby, port)
	}
	config := "name = \"bench\"\nlisten = [\"127.0.0.1:0\"]\n[http]\nlisten = \"127.0.0.1:0\"\n"
	ps.nameserver, err = stage.StartNameserver(b.ctx, b.binary, b.folder(), config, map[string]string{"bench.test.toml": zone.String()}, nil)
	if err != nil {
		return nil, err
	}
	ps.asker, err = ps.nameserver.Asker()
	return ps, err
}

func writePool(w *strings.Builder, i int, p profile, primary, standby netip.Addr, port uint16) {
	fmt.Fprintf(w, `
[pool.p%d]
answers = ["p%d"]
[pool.p%d.check]
type = "http"
port = %d
path = "/healthz"
%s
[[pool.p%d.deployment]]
name = "primary"
addresses = ["%s"]
[[pool.p%d.deployment]]
name = "redundant"
addresses = ["%s"]
`, i, i, i, port, p.check, i, primary, i, standby)
}

// answer is the address that pool i answers with now.
func (ps *pools) answer(i int) (netip.Addr, error) {
	addrs, _, err := ps.asker.A(fmt.Sprintf("p%d.bench.test", i))
	if err != nil {
		return netip.Addr{}, err
	}
	return addrs[0], nil
}

func (ps *pools) stop() {
	if ps.asker != nil {
		ps.asker.Close()
	}
	if ps.nameserver != nil {
		ps.nameserver.Stop()
	}
	for _, d := range append(ps.primaries, ps.redundant) {
		if d != nil {
			d.Kill()
		}
	}
}
