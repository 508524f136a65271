package cluster

import (
	"encoding/hex"

	"github.com/miekg/dns"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// Knows says whether the nameserver's report shows these orders, or later ones in their place.
func (p *Peer) Knows(orders []failover.Override) bool {
	for _, o := range orders {
		if p.report == nil || p.report.Overrides[register(o)].Clock < o.Clock {
			return false
		}
	}
	return true
}

// fixedSerial is what a zone's data is told by when its file says the serial.
func fixedSerial(z *zones.Zone) failover.ZoneSerial {
	s := failover.ZoneSerial{Zone: z.Name, Hash: hex.EncodeToString(z.Hash[:])}
	if len(z.Records) > 0 {
		if soa, ok := z.Records[0].(*dns.SOA); ok {
			s.Serial = soa.Serial
		}
	}
	return s
}
