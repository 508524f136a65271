package cluster

import (
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

func TestThreeTakeOver(t *testing.T) {
	w := newWorld(t, 1, "a", "b", "c")
	w.verbose = testing.Verbose()
	w.start()
	w.run(20 * time.Second)
	w.dead["primary"] = true
	w.change("primary dies")
	w.run(10 * time.Second)
	for _, n := range w.nodes {
		if n.answers[0] != "redundant" {
			w.fail("%s answers %v", n.name, n.answers)
		}
	}
}

// A nameserver that was in the minority while the others switched has no say when it is first to meet one of them again,
// who has just been restarted: what it held without a quorum is older than what the other brings.
func TestStaleMinorityHasNoSay(t *testing.T) {
	w := newWorld(t, 1, "", "", "")
	w.verbose = testing.Verbose()
	w.pool.Failback = zones.Manual
	w.start()
	w.run(20 * time.Second)
	w.cut[[2]string{"ns1", "ns3"}], w.cut[[2]string{"ns3", "ns1"}] = true, true
	w.cut[[2]string{"ns2", "ns3"}], w.cut[[2]string{"ns3", "ns2"}] = true, true
	w.change("ns3 is cut off")
	w.run(2 * time.Second)
	w.dead["primary"] = true
	w.change("primary dies")
	w.run(3 * time.Second)
	w.dead["primary"] = false
	w.change("primary is back")
	w.run(30 * time.Second)
	w.node("ns1").kill()
	w.node("ns2").kill()
	w.node("ns2").start()
	w.mend()
	w.run(5 * time.Second)
	for _, name := range []string{"ns2", "ns3"} {
		if x := w.node(name); x.answers[0] != "redundant" {
			w.fail("%s answers %v", name, x.answers)
		}
	}
}
