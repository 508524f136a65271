package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/cluster"
	"github.com/livens/livens/failover"
)

func TestQuorum(t *testing.T) {
	for _, c := range []struct {
		size, reach int
		quorum      bool
		want        string
	}{
		{3, 3, true, "3 of 3 observers reached"},
		{5, 3, true, "3 of 5 observers reached"},
		{2, 1, true, "1 of 2 observers reached, enough to decide"}, // the survivor
		{3, 1, false, "1 of 3 observers reached, too few to decide"},
	} {
		s := Status{Cluster: &cluster.Status{Size: c.size, Reach: c.reach, Quorum: c.quorum}}
		if got, enough := s.Quorum(); got != c.want || enough != c.quorum {
			t.Errorf("%d of %d: %q, %v", c.reach, c.size, got, enough)
		}
	}
}

func TestStateOfAPeer(t *testing.T) {
	for want, p := range map[string]cluster.Peer{
		"reached":     {Name: "ns2", Reached: true, Heard: noon, Since: ago(1)},
		"silent":      {Name: "ns2", Heard: ago(1)},
		"cut off":     {Name: "ns2", Heard: ago(1), Cut: true, Left: true},
		"stopped":     {Name: "ns2", Heard: ago(1), Left: true},
		"never heard": {Address: "192.0.2.2:7946"},
	} {
		s := &Status{Name: "ns1", Cluster: &cluster.Status{Joined: true, Peers: []cluster.Peer{p}}}
		if got := s.Nameservers()[1]; got.State != want || got.Well != (want == "reached") || (want != "never heard") == got.Since.IsZero() {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}

func TestWhatEndsANameserversWellness(t *testing.T) {
	for name, spoil := range map[string]func(*Status){
		"doubts itself: no route":           func(s *Status) { s.SelfDoubt = "no route" },
		"cannot talk to the others: in use": func(s *Status) { s.Cluster.Mute = "in use" },
		"heard through ns3":                 func(s *Status) { s.Cluster.Peers[0].Via = "ns3" },
		"no answer":                         func(s *Status) { s.Cluster.Peers[0].Answers = "no answer" },
		"doubts itself: no link":            func(s *Status) { s.Cluster.Peers[0].Doubt = "no link" },
	} {
		s := &Status{Name: "ns1", Cluster: &cluster.Status{Joined: true, Peers: []cluster.Peer{{Name: "ns2", Reached: true}}}}
		for _, n := range s.Nameservers() {
			if !n.Well || len(n.Notes) > 0 {
				t.Fatalf("not well before: %+v", n)
			}
		}
		spoil(s)
		all := s.Nameservers()
		if notes := strings.Join(append(all[0].Notes, all[1].Notes...), "; "); all[0].Well && all[1].Well || notes != name {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

func TestVotes(t *testing.T) {
	up := func(name string) Vote { return Vote{Nameserver: name, State: checker.Up} }
	down := Vote{Nameserver: "ns2", State: checker.Down, Reason: "timeout"}
	for _, c := range []struct {
		votes         []Vote
		all, dissents string
	}{
		{[]Vote{up("ns1"), up("ns2"), up("ns3")}, "ns1, ns2, ns3 up", ""},
		{[]Vote{up("ns1"), down, up("ns3")}, "ns1, ns3 up; ns2 down (timeout)", "ns1, ns3 up; ns2 down (timeout)"},
		{[]Vote{up("ns1"), up("ns2")}, "ns1, ns2 up; ns3 does not vote", ""},
		{[]Vote{down}, "ns2 down (timeout); ns1, ns3 do not vote", "ns2 down (timeout); ns1, ns3 do not vote"},
		{[]Vote{{Nameserver: "ns1", State: checker.Up, Doubt: true, Reason: "slow"}, up("ns2"), {Nameserver: "ns3", State: checker.Up, Drain: true, Reason: "file says drain"}},
			"ns2 up; ns1 up? (slow); ns3 up, drains (file says drain)", ""},
		{nil, "ns1, ns2, ns3 do not vote", ""},
	} {
		s := &Status{Name: "ns1", Cluster: &cluster.Status{Size: 3, Peers: []cluster.Peer{{Name: "ns2", Reached: true}, {Name: "ns3", Reached: true}, {Name: "ns4"}}}}
		target := &Target{Votes: c.votes}
		if got := s.Votes(target); got != c.all {
			t.Errorf("votes %q, want %q", got, c.all)
		}
		if got := s.Dissent(target); got != c.dissents {
			t.Errorf("dissent %q, want %q", got, c.dissents)
		}
	}
	if got := (&Status{}).Dissent(&Target{Votes: []Vote{up("ns1"), down}}); got != "" {
		t.Errorf("a lone nameserver: %q", got)
	}
}

func TestVotesAreTakenFromTheCluster(t *testing.T) {
	in := seen(t)
	set := in.Failover.Set.Pools[0]
	key := checker.NewTarget("chat", "primary", addr("203.0.113.10"), set.Checks[0]).Key
	in.Cluster = &cluster.Status{Size: 2, Self: &cluster.Report{Name: "ns1"}}
	in.Cluster.Self.Votes = map[string]cluster.Vote{key: {State: checker.Up, Bad: true, Reason: "HTTP 503"}}
	var s Status
	s.Describe(in)
	targets := s.Pool("chat").Targets
	if got := targets[0].Votes; len(got) != 1 || got[0] != (Vote{"ns1", checker.Up, true, false, "HTTP 503"}) || s.Cluster != in.Cluster {
		t.Errorf("%+v", got)
	}
	if got := targets[1].Votes; len(got) != 0 {
		t.Errorf("another target's: %+v", got)
	}
}

func TestEventsAPI(t *testing.T) {
	s, _ := sampleServer(t)
	for query, want := range map[string]int{"": 2, "?n=1": 1, "?n=-1": 2, "?n=1&pool=chat": 1} {
		w := get(t, s.shown, "GET", "/api/v1/events"+query)
		var got Events
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Events) != want {
			t.Errorf("%s: %d, %d events, %v", query, w.Code, len(got.Events), err)
		}
	}
	if w := get(t, s.shown, "GET", "/api/v1/events?n=x"); w.Code != http.StatusBadRequest {
		t.Errorf("n=x: %d", w.Code)
	}
}

// TestForecastChangesNothing: the path is the control socket's alone, and no order is given.
func TestForecastChangesNothing(t *testing.T) {
	s, orders := sampleServer(t)
	post := func(h http.Handler, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/api/v1/forecast", strings.NewReader(body)))
		return w
	}
	good := `{"verb":"failover","pool":"chat","deployment":"redundant","who":"al"}`
	w := post(s.control, good)
	var f Forecast
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != http.StatusOK || f.Pool != "chat" || f.After[0] != "redundant" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := post(s.control, strings.Replace(good, "chat", "other", 1)); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), failover.ErrRefused.Error()) {
		t.Errorf("refused: %d %s", w.Code, w.Body)
	}
	for _, body := range []string{"", "{", `{"dry_run":true}`, good + good} {
		if w := post(s.control, body); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", body, w.Code)
		}
	}
	if w := post(s.shown, good); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("on the TCP port: %d", w.Code)
	}
	if len(*orders) != 0 {
		t.Errorf("orders were given: %v", *orders)
	}
}
