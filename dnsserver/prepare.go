package dnsserver

import "github.com/livens/livens/zones"

// prepared are zones that were compiled before they are published.
type prepared map[*zones.Zone]compilation

// compilation is what became of a zone's data.
type compilation struct {
	*zone // nil: nothing can be answered
	err   error
}

// Prepare compiles what is new in a Set that is about to be published. Publish would do it, too, but holds up whoever publishes:
// the controller, and so any switch, for half a second with a million records. It may run beside Publish, and is for one goroutine.
func (s *Server) Prepare(set *zones.Set) {
	ready := s.live.Load().prepare(set, nil)
	s.change.Lock()
	defer s.change.Unlock()
	s.ready = ready
}

// prepare compiles the zones that s does not serve, unless they are ready.
func (s *snapshot) prepare(set *zones.Set, ready prepared) prepared {
	old := s.bySource()
	all := prepared{}
	var one compiler
	for _, source := range set.Zones {
		if old[source] != nil {
			continue
		}
		made, known := ready[source]
		if !known {
			made.zone, made.err = one.compile(source, s.config.DebugNames)
		}
		all[source] = made
	}
	return all
}

// bySource are the served zones by what they were compiled from.
func (s *snapshot) bySource() map[*zones.Zone]*served {
	all := make(map[*zones.Zone]*served, len(s.served))
	for _, v := range s.served {
		all[v.source] = v
	}
	return all
}
