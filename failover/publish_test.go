package failover

import (
	"runtime"
	"testing"
)

// TestPublicationHasWhatChanged: the first has all of the Set, and a switch one pool and the serial of its zone.
func TestPublicationHasWhatChanged(t *testing.T) {
	set := manyPools(100, 50)
	e := NewEngine(EngineOptions{Alone: true}, epochStart)
	e.Use(set, epochStart)
	if p := e.Take().Publication; len(p.Decisions) != 100 || len(p.Serials) != 50 {
		t.Errorf("of a new Set: %d decisions, %d serials", len(p.Decisions), len(p.Serials))
	}
	e, flip := switcher(t, set)
	for range 3 {
		before := e.Status()
		flip()
		p, pool := e.Take().Publication, set.Pools[50]
		if p.Set != set || len(p.Decisions) != 1 || len(p.Serials) != 1 {
			t.Fatalf("of a switch: %d decisions, %d serials", len(p.Decisions), len(p.Serials))
		}
		if d := p.Decisions[pool.Name]; d != e.Status().Decisions[pool.Name] || sameChoice(d, before.Decisions[pool.Name]) {
			t.Errorf("published %v", d)
		}
		if p.Serials[pool.Zone] <= before.Serials[pool.Zone] || p.Serials[pool.Zone] != e.Status().Serials[pool.Zone] {
			t.Errorf("serial %d after %d", p.Serials[pool.Zone], before.Serials[pool.Zone])
		}
	}
}

// TestPublicationsAddUp: what is not taken yet is not lost when more is published, and a new Set begins anew.
func TestPublicationsAddUp(t *testing.T) {
	set := manyPools(10, 10)
	e, flip := switcher(t, set)
	flip()
	e.Use(set, epochStart.AddDate(0, 0, 1))
	if p := e.Take().Publication; len(p.Decisions) != 10 || len(p.Serials) != 10 {
		t.Errorf("of a Set that is used again: %d decisions, %d serials", len(p.Decisions), len(p.Serials))
	}
	flip()
	serial := e.serials[set.Pools[5].Zone].Serial
	flip()
	if p := e.Take().Publication; len(p.Decisions) != 1 || p.Decisions["p5"] != e.decisions["p5"] || p.Serials[set.Pools[5].Zone] <= serial {
		t.Errorf("of two switches: %v, serials %v after %d", p.Decisions, p.Serials, serial)
	}
	other := manyPools(3, 3)
	e.Use(other, epochStart.AddDate(0, 0, 2))
	if p := e.Take().Publication; p.Set != other || len(p.Decisions) != 3 || len(p.Serials) != 3 || len(e.serials) != 3 {
		t.Errorf("of another Set: %d decisions, %d serials, %d kept", len(p.Decisions), len(p.Serials), len(e.serials))
	}
}

// TestSwitchOfManyTakesLittle: what comes before a publication is the same however many pools and zones are held.
func TestSwitchOfManyTakesLittle(t *testing.T) {
	for _, inZones := range []int{1, 2000} {
		e, flip := switcher(t, manyPools(2000, inZones))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		flip()
		published := e.Take().Publication != nil
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; !published || n > 30000 {
			t.Errorf("%d octets allocated for a switch of one pool of 2000 in %d zones", n, inZones)
		}
	}
}
