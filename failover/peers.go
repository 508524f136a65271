package failover

import (
	"time"

	"github.com/livens/livens/checker"
)

// Agreed is what the observers hold of one target together. A lone nameserver agrees with itself.
type Agreed struct {
	checker.Verdict
	// Lacking says that too few observers vote, or have voted for less than 300 ms. State is Unknown then, or, once the wait
	// for more is over, what those say that there are.
	Lacking bool `json:",omitempty"`
	// Tied is since when as many votes say up as down; zero: they do not. State is Unknown then.
	Tied time.Time `json:",omitzero"`
}

// Observers is where a Controller's verdicts come from: a lone checker, or the cluster.
type Observers interface {
	Changes() <-chan struct{} // signals that News has something new; signals coalesce
	News() News               // what is new since the last call
}

// News is what the observers have to say to the Controller.
type News struct {
	Verdicts  map[string]Agreed // by target key: those that changed in what a decision could read
	Standing  Standing          // as it is now
	Held      []*Decision       // what reached nameservers hold, stripped by Decision.Held: all of it
	Overrides []Override        // what reached nameservers know of orders: all of it
	Serials   []ZoneSerial      // what reached nameservers gave: all of it
}

// Standing is how a nameserver stands among the others. A lone one has Quorum and Joined.
type Standing struct {
	Quorum bool // it and those that it reaches are a majority of the configured observers
	Joined bool // the running decisions, if there are any, have been heard, or the wait for them is over
	// Skew is the cluster's time minus this host's clock. Orders begin and end by the cluster's time.
	Skew time.Duration
}

// ZoneSerial is the SOA serial that was given to a zone's data at an epoch; nameservers agree on the highest.
type ZoneSerial struct {
	Zone   string `json:"zone"`
	Hash   string `json:"hash"`  // of the zone's data
	Epoch  uint64 `json:"epoch"` // the highest of its pools
	Serial uint32 `json:"serial"`
}
