package dnsserver

import "github.com/livens/livens/zones"

// zoneTable finds zones by the hash of their names: an open-addressing table, at most half full.
type zoneTable struct {
	set       *zones.Set
	slots     []int32 // the zone's number in snapshot.served, from 1; 0 is a free slot
	maxLabels int     // of a zone's name

	// Where a publication's names are, by the same numbers from 0. No query reads these.
	zones map[string]int
	pools map[string]poolPlace
}

// poolPlace is which zone a pool answers in, and which of its pools it is.
type poolPlace struct{ zone, pool int }

func newZoneTable(set *zones.Set, list []*served) *zoneTable {
	size := 4
	for size < 2*len(list) {
		size *= 2
	}
	t := &zoneTable{
		set: set, slots: make([]int32, size),
		zones: make(map[string]int, len(list)), pools: make(map[string]poolPlace, len(set.Pools)),
	}
	for i, v := range list {
		slot := int(v.hash) & (size - 1)
		for t.slots[slot] != 0 {
			slot = (slot + 1) & (size - 1)
		}
		t.slots[slot] = int32(i + 1)
		t.maxLabels = max(t.maxLabels, v.labels)
		t.zones[v.source.Name] = i
		for j, p := range v.source.Pools {
			t.pools[p.Name] = poolPlace{i, j}
		}
	}
	return t
}

// zone is the served zone with the longest name that is a suffix of n from label i on, or nil.
func (s *snapshot) zone(n *name, i int) *served {
	mask := len(s.table.slots) - 1
	for i = max(i, n.labels-s.table.maxLabels); i <= n.labels; i++ {
		h := n.hash[i]
		for slot := int(h) & mask; s.table.slots[slot] != 0; slot = (slot + 1) & mask {
			v := s.served[s.table.slots[slot]-1]
			if v.hash == h && string(v.apex) == string(n.suffix(i)) {
				return v
			}
		}
	}
	return nil
}
