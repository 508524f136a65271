package cluster

import (
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

// Two of four nameservers, a minority, have gone back to the drained primary because the redundant one died. One of them was away
// meanwhile, or is restarted without its state folder: until minority_hold has passed it knows nothing, or what was true before,
// and has no business contradicting the other one.
func TestWhoComesBackIntoAMinorityMovesNobody(t *testing.T) {
	for name, lost := range map[string]bool{"it knows nothing": true, "it remembers what is over": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, "", "", "", "")
			w.checks = append(w.checks, (*world).agreed)
			back, other := w.nodes[0], w.nodes[1]
			w.start()
			w.run(20 * time.Second)
			w.must(other.give(failover.Order{Verb: failover.DoDrain, Pool: "chat", Deployment: "primary", Who: "alice"}))
			w.run(20 * time.Second)
			w.isolate(w.nodes[2])
			w.isolate(w.nodes[3])
			w.run(20 * time.Second)
			back.kill()
			w.dead["redundant"] = true
			w.change("ns1 is away, and redundant dies")
			w.run(20 * time.Second)
			moved := other.decision()
			if moved.Active[0] != "primary" {
				w.fail("ns2 answers %v: %s", moved.Active, moved.Reason)
			}
			if lost {
				back.kept, back.orders, back.highest = failover.Memory{}, nil, 0
			}
			back.start()
			w.change("ns1 is back")
			w.run(30 * time.Second)
			for _, n := range []*simNode{back, other} {
				if d := n.decision(); d.Active[0] != "primary" || !d.Since.Round(0).Equal(moved.Since.Round(0)) {
					w.fail("%s answers %v since %v, as was decided at %v: %s", n.name, d.Active, d.Since, moved.Since, d.Reason)
				}
			}
		})
	}
}
