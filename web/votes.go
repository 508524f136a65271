package web

import (
	"slices"
	"strings"

	"github.com/livens/livens/checker"
)

// Votes are what the nameservers say of the target, in words: "ns1, ns3 up; ns2 down (connect: refused)". Reached ones
// that do not vote are named too.
func (s *Status) Votes(t *Target) string {
	var parts []string
	eachState(func(state checker.State) {
		var names []string
		for _, v := range t.Votes {
			if v.State == state && v.Reason == "" {
				names = append(names, v.Nameserver)
			}
		}
		if len(names) > 0 {
			parts = append(parts, strings.Join(names, ", ")+" "+state.String())
		}
		for _, v := range t.Votes {
			if v.State == state && v.Reason != "" {
				parts = append(parts, v.Nameserver+" "+state.String()+v.mark()+" ("+v.Reason+")")
			}
		}
	})
	if silent := s.abstain(t); len(silent) > 0 {
		verb := " does not vote"
		if len(silent) > 1 {
			verb = " do not vote"
		}
		parts = append(parts, strings.Join(silent, ", ")+verb)
	}
	return strings.Join(parts, "; ")
}

// Dissent is Votes where that is worth a line, else "": they do not agree, or so many abstain that the others are no
// majority.
func (s *Status) Dissent(t *Target) string {
	if s.Cluster == nil || len(t.Votes) == 0 {
		return ""
	}
	few := 2*len(t.Votes) <= s.Cluster.Size && len(s.abstain(t)) > 0
	if few || slices.ContainsFunc(t.Votes, func(v Vote) bool { return v.State != t.Votes[0].State }) {
		return s.Votes(t)
	}
	return ""
}

func (v *Vote) mark() string {
	switch {
	case v.Drain:
		return ", drains"
	case v.Doubt:
		return "?"
	}
	return ""
}

// abstain are the reached nameservers that have no vote on the target: they know nothing of it yet, cannot tell, or have
// another definition of the pool.
func (s *Status) abstain(t *Target) []string {
	var out []string
	note := func(name string) {
		for _, v := range t.Votes {
			if v.Nameserver == name {
				return
			}
		}
		out = append(out, name)
	}
	note(s.Name)
	for _, p := range s.Cluster.Peers {
		if p.Reached {
			note(p.Name)
		}
	}
	return out
}
