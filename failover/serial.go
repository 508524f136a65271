package failover

import (
	"encoding/hex"
	"time"

	"github.com/livens/livens/zones"
)

// zoneSerial is a zone's SOA serial together with what it was given for.
type zoneSerial struct {
	Serial uint32 `json:"serial"`
	Hash   string `json:"hash"`  // of the zone's data
	Epoch  uint64 `json:"epoch"` // the highest of its pools
}

// next is the serial for a zone's data and epoch: unchanged while both are, else max(previous + 1, Unix seconds).
func (s zoneSerial) next(z *zones.Zone, epoch uint64, now time.Time) zoneSerial {
	hash := hex.EncodeToString(z.Hash[:])
	if s.Serial != 0 && s.Hash == hash && s.Epoch == epoch {
		return s
	}
	serial := max(s.Serial+1, uint32(now.Unix()))
	return zoneSerial{Serial: serial, Hash: hash, Epoch: epoch}
}

// serials brings the serials of zones that have none of their own up to date.
func serials(set *zones.Set, decisions map[string]*Decision, previous map[string]zoneSerial, now time.Time) map[string]zoneSerial {
	out := map[string]zoneSerial{}
	for _, z := range set.Zones {
		if z.FixedSerial {
			continue
		}
		var epoch uint64
		for _, p := range z.Pools {
			epoch = max(epoch, decisions[p.Name].Epoch)
		}
		out[z.Name] = previous[z.Name].next(z, epoch, now)
	}
	return out
}
