package failover

import (
	"encoding/hex"
	"time"

	"github.com/livens/livens/zones"
)

// zoneData is what a serial is given for.
type zoneData struct {
	zone, hash string
	epoch      uint64
}

func (s *ZoneSerial) data() zoneData { return zoneData{s.Zone, s.Hash, s.Epoch} }

// next is the serial for a zone's data and epoch after s: unchanged while both are, else max(previous + 1, Unix seconds);
// or the one that another nameserver gave for the same, if that is higher.
func (s ZoneSerial) next(data zoneData, told uint32, now time.Time) ZoneSerial {
	n := ZoneSerial{Zone: data.zone, Hash: data.hash, Epoch: data.epoch, Serial: s.Serial}
	switch {
	case told > s.Serial:
		n.Serial = told
	case s.Serial == 0 || s.Hash != data.hash || s.Epoch != data.epoch:
		n.Serial = max(s.Serial+1, uint32(now.Unix()))
	}
	return n
}

// nextSerials brings the serials of zones that have none of their own up to date.
func (e *Engine) nextSerials(now time.Time) map[string]ZoneSerial {
	out := map[string]ZoneSerial{}
	for _, z := range e.set.Zones {
		if z.FixedSerial {
			continue
		}
		data := e.dataOf(z)
		out[z.Name] = e.serials[z.Name].next(data, e.told[data], e.clock(now))
	}
	return out
}

func (e *Engine) dataOf(z *zones.Zone) zoneData {
	data := zoneData{zone: z.Name, hash: hex.EncodeToString(z.Hash[:])}
	for _, p := range z.Pools {
		data.epoch = max(data.epoch, e.decisions[p.Name].Epoch)
	}
	return data
}

// learnSerials takes the serials that other nameservers gave, and says whether one is higher than this one's for the same.
func (e *Engine) learnSerials(serials []ZoneSerial) bool {
	clear(e.told)
	newer := false
	for _, s := range serials {
		e.told[s.data()] = max(e.told[s.data()], s.Serial)
		own := e.serials[s.Zone]
		newer = newer || own.data() == s.data() && s.Serial > own.Serial
	}
	return newer
}

// given are the serials by zone name.
func (e *Engine) given() map[string]uint32 {
	out := make(map[string]uint32, len(e.serials))
	for zone, s := range e.serials {
		out[zone] = s.Serial
	}
	return out
}
