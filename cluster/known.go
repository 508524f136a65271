package cluster

import (
	"encoding/hex"
	"slices"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// Known says which other nameservers' reports show these orders, or later ones in their place, and which do not: by name, or
// configured address. waits is true while one that is reached may still take them.
func (n *Node) Known(orders []failover.Override) (known, untold []string, waits bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.core.known(orders)
}

func (c *Core) known(orders []failover.Override) (known, untold []string, waits bool) {
	for _, address := range c.options.Peers {
		p := c.behind(address)
		switch {
		case p == nil:
			untold = append(untold, address)
		case p.reached() && p.report.knows(orders):
			known = append(known, p.name)
		default:
			untold, waits = append(untold, p.name), waits || p.reached()
		}
	}
	return known, untold, waits
}

func (r *Report) knows(orders []failover.Override) bool {
	return !slices.ContainsFunc(orders, func(o failover.Override) bool { return r.Overrides[register(o)].Clock < o.Clock })
}

// fixedSerial is what a zone's data is told by when its file says the serial.
func fixedSerial(z *zones.Zone) failover.ZoneSerial {
	s := failover.ZoneSerial{Zone: z.Name, Hash: hex.EncodeToString(z.Hash[:])}
	if soa := z.SOA(); soa != nil {
		s.Serial = soa.Serial
	}
	return s
}
