package web

import (
	"fmt"
	"slices"
	"time"

	"github.com/livens/livens/cluster"
)

// Nameserver is one of the nameservers as people are shown it: a line of a table.
type Nameserver struct {
	Name  string
	Site  string
	State string    // "this one", "reached", "silent", "cut off", "stopped" or "never heard"
	Well  bool      // nothing is wrong with it
	Since time.Time // of State; zero: not known
	RTT   time.Duration
	Notes []string // what else is to be said
}

// notableOffset is from when on a clock's offset is shown.
const notableOffset = 500 * time.Millisecond

// Nameservers are this one and then the others as configured; none where there is only one.
func (s *Status) Nameservers() []Nameserver {
	if s.Cluster == nil {
		return nil
	}
	out := []Nameserver{s.self()}
	for i := range s.Cluster.Peers {
		out = append(out, s.peer(&s.Cluster.Peers[i]))
	}
	return out
}

func (s *Status) self() Nameserver {
	n := Nameserver{Name: s.Name, Site: s.Site, State: "this one", Well: s.SelfDoubt == "" && s.Cluster.Mute == ""}
	n.note(s.Witness, "witness")
	n.note(s.Cluster.Teller == s.Name, "tells hooks")
	if skew := seconds(s.Cluster.Offset); skew.Abs() >= notableOffset {
		n.note(true, "clock "+ahead(-skew))
	}
	n.note(!s.Cluster.Joined, "waits for the running decisions")
	n.note(s.SelfDoubt != "", "doubts itself: "+s.SelfDoubt)
	n.note(s.Cluster.Mute != "", "cannot talk to the others: "+s.Cluster.Mute)
	return n
}

func (s *Status) peer(p *cluster.Peer) Nameserver {
	n := Nameserver{Name: p.Title(), Site: p.Site, Since: p.Heard}
	switch {
	case p.Reached:
		n.State, n.Since, n.RTT = "reached", p.Since, seconds(p.RTT)
		n.Well = p.Doubt == "" && p.Answers == "" && p.Via == ""
	case p.Cut:
		n.State = "cut off"
	case p.Left:
		n.State = "stopped"
	case p.Heard.IsZero():
		n.State = "never heard"
	default:
		n.State = "silent"
	}
	n.note(p.Witness, "witness")
	n.note(p.Name != "" && s.Cluster.Teller == p.Name, "tells hooks")
	n.note(p.Version != "" && p.Version != s.Version, "livens "+p.Version)
	n.note(p.Cut, "answers DNS queries")
	if p.Reached {
		n.note(p.Via != "", "heard through "+p.Via)
		n.note(seconds(p.Offset).Abs() >= notableOffset, "clock "+ahead(seconds(p.Offset)))
		n.note(p.Doubt != "", "doubts itself: "+p.Doubt)
		n.note(p.Answers != "", p.Answers)
		n.note(slices.ContainsFunc(p.Zones, func(z cluster.PeerZone) bool { return !z.Apart.IsZero() }), "other zone data: see livens diff")
	}
	return n
}

func (n *Nameserver) note(applies bool, text string) {
	if applies {
		n.Notes = append(n.Notes, text)
	}
}

// ahead is a clock's offset in words: "3 s ahead", "2 min behind".
func ahead(d time.Duration) string {
	if d < 0 {
		return Age(-d) + " behind"
	}
	return Age(d) + " ahead"
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Quorum is how many of the observers are reached, in words, and whether they are enough to decide.
func (s *Status) Quorum() (words string, enough bool) {
	c := s.Cluster
	words = fmt.Sprintf("%d of %d observers reached", c.Reach, c.Size)
	switch {
	case !c.Quorum:
		return words + ", too few to decide", false
	case c.Reach*2 <= c.Size:
		return words + ", enough to decide", true
	}
	return words, true
}

// Observers is Quorum for the page.
func (s *Status) Observers() string {
	words, _ := s.Quorum()
	return words
}

// Other is what another nameserver answers otherwise than this one.
type Other struct {
	Nameserver string
	cluster.PeerPool
}

// Others are the reached nameservers that answer otherwise for a pool.
func (s *Status) Others(pool string) []Other {
	var out []Other
	if s.Cluster == nil {
		return nil
	}
	for i := range s.Cluster.Peers {
		for _, x := range s.Cluster.Peers[i].Pools {
			if x.Pool == pool && !x.Apart.IsZero() && s.Cluster.Peers[i].Reached {
				out = append(out, Other{s.Cluster.Peers[i].Name, x})
			}
		}
	}
	return out
}
