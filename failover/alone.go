package failover

import (
	"time"

	"github.com/livens/livens/checker"
)

// alone is a checker that agrees with itself.
type alone struct {
	*checker.Checker
	started time.Time
}

// Alone makes the observers of the only nameserver: what its checker holds is agreed.
func Alone(c *checker.Checker) Observers { return &alone{c, time.Now()} }

// News takes the checker's changed verdicts. Those that the checker was only given to remember are none.
func (a *alone) News() News {
	n := News{Standing: Standing{Quorum: true, Joined: true}, Verdicts: View{}}
	for key, v := range a.Changed() {
		if !v.At.Before(a.started) {
			n.Verdicts[key] = Agreed{Verdict: v}
		}
	}
	return n
}
