package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/failover"
)

const (
	// apartLife is how long nameservers may differ before it is worth a look: decisions travel in milliseconds.
	apartLife = time.Second
	// skewLimit is how far a clock may be off.
	skewLimit = 2 * time.Second
	// faultLife is how long after it was last seen a fault is worth a look.
	faultLife = 5 * time.Minute
)

// Alerts are what operations should look at, as far as it concerns the other nameservers.
func (s *Status) Alerts(now time.Time) []failover.Alert {
	var out []failover.Alert
	raise := func(code string, severity failover.Severity, affects string, since time.Time, hint, format string, args ...any) {
		out = append(out, failover.Alert{Code: code, Severity: severity, Affects: affects, Text: fmt.Sprintf(format, args...), Hint: hint, Since: since})
	}
	if !s.Quorum {
		raise("no-quorum", failover.Critical, "this nameserver", time.Time{},
			"answers stay as they are, and after minority_hold follow what is seen from here; look at the way to the others",
			"%d of %d observers reached: too few to agree", s.Reach, s.Size)
	}
	if abs(s.Skew) > skewLimit {
		raise("clock-skew", failover.Warning, "this nameserver", time.Time{}, "set the clock of this host (NTP), if it is this one that is wrong: of two nobody can tell; orders and planned switches go by the cluster's time",
			"this host's clock is %v off the cluster's", s.Skew.Round(time.Millisecond))
	}
	if s.Mute != "" {
		raise("cluster-mute", failover.Critical, "this nameserver", time.Time{}, "free the port, or change [cluster] listen and restart; tried again every 5 s",
			"it cannot talk to the others: %s", s.Mute)
	}
	for _, f := range s.Faults {
		if a, recent := f.Alert(now); recent {
			out = append(out, a)
		}
	}
	for i := range s.Peers {
		s.Peers[i].alerts(raise, s, now)
	}
	return out
}

type raiser func(code string, severity failover.Severity, affects string, since time.Time, hint, format string, args ...any)

func (p *Peer) alerts(raise raiser, s *Status, now time.Time) {
	who := "nameserver " + p.Title()
	switch {
	case !p.Reached && p.Cut:
		raise("peer-silent", failover.Warning, who, p.Heard, p.hint("open UDP and TCP between the cluster ports"), "cut off: silent here, and it answers DNS queries%s", why(p.Error))
	case !p.Reached && p.Left:
		raise("peer-silent", failover.Warning, who, p.Heard, "start it again, or take it out of peers everywhere", "it was stopped")
	case !p.Reached:
		raise("peer-silent", failover.Warning, who, p.Heard, p.hint("is it running, and can it be reached?"), "no sign of life%s", why(p.Error))
	case p.Via != "":
		raise("peer-indirect", failover.Warning, who, time.Time{}, "open UDP and TCP between the cluster ports of the two", "heard only through %s", p.Via)
	}
	if !p.Reached {
		return
	}
	if p.Doubt != "" {
		raise("peer-self-doubt", failover.Warning, who, time.Time{}, "look at that host's network; its votes do not count meanwhile", "%s", p.Doubt)
	}
	if skew := time.Duration((p.Offset - s.Offset) * float64(time.Second)); abs(skew) > skewLimit {
		raise("clock-skew", failover.Warning, who, time.Time{}, "set that host's clock (NTP); nothing here goes by it",
			"its clock is %v ahead of the cluster's", skew.Round(time.Millisecond))
	}
	if p.Answers != "" {
		raise("peer-answers", failover.Critical, who, time.Time{}, "ask it: dig @ITS-ADDRESS; resolvers that ask it go elsewhere or astray", "%s", p.Answers)
	}
	if r := p.report; r != nil && r.Size != s.Size {
		raise("cluster-size", failover.Warning, who, time.Time{}, "make [cluster] peers name the same observers everywhere",
			"it knows of %d observers, this nameserver of %d", r.Size, s.Size)
	}
	for _, pool := range p.Pools {
		if !pool.Apart.IsZero() && now.Sub(pool.Apart) > apartLife {
			raise("divergence", failover.Critical, "pool "+pool.Pool+", "+who, pool.Apart, "livens diff shows who answers what; compare the zone files and the network between the nameservers",
				"it answers %s (epoch %d), otherwise than this nameserver", strings.Join(pool.Active, ", "), pool.Epoch)
		}
	}
	p.dataAlerts(raise, s, who)
}

// hint is what to do about silence: the usual, unless what failed says that the keys do not fit.
func (p *Peer) hint(usual string) string {
	for _, words := range []string{"no installed keys", "decrypt", "not encrypted"} {
		if strings.Contains(strings.ToLower(p.Error), words) {
			return "the key files differ: one line must be the same everywhere; livens key cluster tells how"
		}
	}
	return usual
}

// dataAlerts names zones and pools that the nameserver has otherwise than this one.
func (p *Peer) dataAlerts(raise raiser, s *Status, who string) {
	var other []string
	for _, z := range p.Zones {
		if ours, ok := s.Self.Zones[z.Zone]; ok && ours.Hash != z.Hash {
			other = append(other, z.Zone)
		}
	}
	for zone := range s.Self.Zones {
		if !slices.ContainsFunc(p.Zones, func(z PeerZone) bool { return z.Zone == zone }) && !p.Witness {
			other = append(other, zone)
		}
	}
	if len(other) > 0 {
		slices.Sort(other)
		raise("zones-differ", failover.Warning, who, time.Time{}, "bring the same files to all nameservers; pools that differ abstain from agreement meanwhile",
			"other data for %s", some(other))
	}
}

// some is a list of names, shortened.
func some(list []string) string {
	if len(list) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:3], ", "), len(list)-3)
	}
	return strings.Join(list, ", ")
}

// Title is the nameserver's name, or its address until it has spoken.
func (p *Peer) Title() string {
	if p.Name == "" {
		return p.Address
	}
	return p.Name
}

func why(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func abs(d time.Duration) time.Duration { return max(d, -d) }

// Alert is the fault as operations see it; ok is false when it is long ago.
func (f *Fault) Alert(now time.Time) (alert failover.Alert, ok bool) {
	text := fmt.Sprintf("%s (%d times since the start); nothing of it was applied", f.Detail, f.Count)
	return failover.Alert{
		Code: "cluster-" + strings.ReplaceAll(string(f.Kind), "_", "-"), Severity: failover.Warning, Affects: "cluster, " + f.From, Text: text, Hint: f.Kind.hint(),
	}, now.Sub(f.Last) <= faultLife
}
