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

// nextSerial is the serial of a zone that has none of its own, the latest epoch in which is given.
func (e *Engine) nextSerial(z *zones.Zone, epoch uint64, now time.Time) ZoneSerial {
	data := zoneData{z.Name, hex.EncodeToString(z.Hash[:]), epoch}
	return e.serials[z.Name].next(data, e.told[data], e.clock(now))
}

// learnSerials takes the serials that other nameservers gave, and says whether one is higher than this one's for the same.
func (e *Engine) learnSerials(serials []ZoneSerial) bool {
	clear(e.told)
	newer := false
	for _, s := range serials {
		e.told[s.data()] = max(e.told[s.data()], s.Serial)
		own := e.serials[s.Zone]
		if own.data() == s.data() && s.Serial > own.Serial {
			newer = true
			if z := e.zones[s.Zone]; z != nil {
				e.unsaid.zones[z] = true
			}
		}
	}
	return newer
}
