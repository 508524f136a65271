package cluster

import (
	"testing"
	"time"
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
