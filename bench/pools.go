package main

import (
	"fmt"
	"net/netip"

	"github.com/livens/livens/internal/stage"
)

// profile is how a check is configured.
type profile struct {
	name   string
	check  string // TOML
	secure bool   // https
}

var fast = profile{name: "fast", check: `interval = "1s"
fast_interval = "100ms"
timeout = "500ms"
fall = 2
`}

var defaults = profile{name: "defaults"}

// calm leaves two cores room for seven nameservers that probe a thousand targets each.
var calm = profile{name: "calm", check: `interval = "60s"
`}

// pools are a field and a nameserver that watches it alone.
type pools struct {
	*field
	nameserver *stage.Nameserver
	asker      *stage.Asker
}

// start lays a field of n pools and starts livens.
func (b *bench) start(p profile, n int) (_ *pools, err error) {
	ps := &pools{}
	if ps.field, err = b.lay(p, n); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			ps.stop()
		}
	}()
	alone, err := b.gather(1, ps.zone)
	if err != nil {
		return nil, err
	}
	ps.nameserver, ps.asker = alone.members[0], alone.askers[0]
	return ps, nil
}

// answer is the address that pool i answers with now.
func (ps *pools) answer(i int) (netip.Addr, error) { return answer(ps.asker, i) }

func answer(a *stage.Asker, i int) (netip.Addr, error) {
	addrs, _, err := a.A(fmt.Sprintf("p%d.bench.test", i))
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
	ps.field.stop()
}
