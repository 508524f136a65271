package main

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

// field is what nameservers are given to watch: pools with a primary each, so that every trial has one of its own to
// lose, and one redundant deployment for all.
type field struct {
	primaries []*stage.Deployment
	redundant *stage.Deployment
	zone      string
}

// lay starts n primaries and the redundant deployment.
func (b *bench) lay(p profile, n int) (_ *field, err error) {
	f := &field{}
	defer func() {
		if err != nil {
			f.stop()
		}
	}()
	standby := netip.MustParseAddr("127.0.0.1")
	port, err := process.FreePort(standby)
	if err != nil {
		return nil, err
	}
	f.redundant = &stage.Deployment{Name: "redundant", Addr: netip.AddrPortFrom(standby, port)}
	if err := f.redundant.Start(b.ctx); err != nil {
		return nil, err
	}
	zone := newZone()
	for i := range n {
		d := &stage.Deployment{Name: "primary", Addr: netip.AddrPortFrom(numbered(1, i), port)}
		if err := d.Start(b.ctx); err != nil {
			return nil, err
		}
		f.primaries = append(f.primaries, d)
		writePool(zone, i, p, d.Addr.Addr(), standby, port)
	}
	f.zone = zone.String()
	return f, nil
}

// numbered is the i-th address of a loopback network.
func numbered(network byte, i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, network, byte(i / 250), byte(i%250 + 1)})
}

func newZone() *strings.Builder {
	zone := &strings.Builder{}
	zone.WriteString("[zone]\nname = \"bench.test\"\nns = [\"ns.bench.test.\"]\ncontact = \"hostmaster@bench.test\"\nrecords = [\"ns A 127.0.0.1\"]\n")
	return zone
}

func writePool(w *strings.Builder, i int, p profile, primary, standby netip.Addr, port uint16) {
	kind := "http"
	if p.secure {
		kind = "https"
	}
	fmt.Fprintf(w, `
[pool.p%d]
answers = ["p%d"]
[pool.p%d.check]
type = %q
port = %d
path = "/healthz"
%s
[[pool.p%d.deployment]]
name = "primary"
addresses = ["%s"]
[[pool.p%d.deployment]]
name = "redundant"
addresses = ["%s"]
`, i, i, i, kind, port, p.check, i, primary, i, standby)
}

func (f *field) stop() {
	for _, d := range append(f.primaries, f.redundant) {
		if d != nil {
			d.Kill()
		}
	}
}
