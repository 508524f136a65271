package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestTheOpenPortOnlyShows(t *testing.T) {
	s, orders := sampleServer(t)
	for _, path := range []string{"/", "/api/v1/status", "/api/v1/orders", "/api/v1/reload", "/metrics", "/nonsense"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT"} {
			if w := get(t, s.shown, method, path); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, w.Code)
			}
		}
	}
	for _, path := range []string{"/api/v1/orders", "/api/v1/reload"} {
		if w := get(t, s.shown, "GET", path); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
	if len(*orders) > 0 {
		t.Errorf("orders went through: %v", *orders)
	}
}

func TestPathsThatShow(t *testing.T) {
	s, _ := sampleServer(t)
	for path, want := range map[string]string{
		"/":              "text/html; charset=utf-8",
		"/healthz":       "text/plain; charset=utf-8",
		"/readyz":        "text/plain; charset=utf-8",
		"/api/v1/status": "application/json",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			w := get(t, s.shown, method, path)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Header().Get("Content-Type"))
			}
		}
	}
}

func TestReadyzSaysWhatIsWaitedFor(t *testing.T) {
	s, _ := sampleServer(t)
	waiting := sample(t)
	waiting.Ready, waiting.Waiting = false, "2 targets have no result yet"
	s.options.Status = func() *Status { return waiting }
	w := get(t, s.shown, "GET", "/readyz")
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != "waiting: 2 targets have no result yet\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestStatusDocumentSurvivesTheWire(t *testing.T) {
	s, _ := sampleServer(t)
	var back Status
	decoder := json.NewDecoder(get(t, s.shown, "GET", "/api/v1/status").Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&back); err != nil {
		t.Fatal(err)
	}
	chat := back.Pool("chat")
	if chat == nil || !slices.Equal(chat.Active, []string{"redundant"}) || chat.Epoch == 0 || len(chat.Steps) == 0 {
		t.Fatalf("pool chat came back as %+v", chat)
	}
	if got := chat.Targets[0]; got.State.String() != "down" || got.Probes != 100 || got.Check != "http" {
		t.Errorf("first target came back as %+v", got)
	}
}

func TestStatusDescribesTheSample(t *testing.T) {
	s := sample(t)
	var checks []string
	for _, target := range s.Pool("chat").TargetsOf("redundant") {
		checks = append(checks, target.Check+" "+target.What+" "+target.Probed.String())
	}
	want := []string{"http http :80/healthz 10.0.0.20", "http#2 http :8080/healthz 10.0.0.20", "sync http :80/syncz 10.0.0.20"}
	if !slices.Equal(checks, want) {
		t.Errorf("targets %q, want %q", checks, want)
	}
	if len(s.Overrides) != 2 || s.Overrides[0].Who != "alice" || s.Overrides[1].Who != "carol" {
		t.Errorf("overrides in force: %+v", s.Overrides)
	}
	if s.Zones[0].Serial != 1795000000 || s.Zones[1].Serial != 77 {
		t.Errorf("serials %d, %d", s.Zones[0].Serial, s.Zones[1].Serial)
	}
	if n := len(s.Pool("ws").Targets); n != 0 {
		t.Errorf("a pool that follows has %d targets of its own", n)
	}
}

func TestMetricsAreLinted(t *testing.T) {
	r := newRegistry(func() *Status { return sample(t) }, nil)
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "livens_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	for _, h := range help {
		if !slices.Contains(names, "livens_"+h.name) {
			t.Errorf("livens_%s is never sent", h.name)
		}
	}
}

func TestMetricsOfTheSample(t *testing.T) {
	body := get(t, func() http.Handler { s, _ := sampleServer(t); return s.shown }(), "GET", "/metrics").Body.String()
	for _, want := range []string{
		`livens_pool_active{deployment="primary",pool="chat"} 0`,
		`livens_pool_active{deployment="redundant",pool="chat"} 1`,
		`livens_pool_switch_age_seconds{pool="chat"} 720`,
		`livens_target_verdict{address="203.0.113.10",check="http",deployment="primary",pool="chat",state="down"} 1`,
		`livens_target_verdict{address="203.0.113.10",check="http",deployment="primary",pool="chat",state="up"} 0`,
		`livens_target_latency_seconds{address="198.51.100.20",check="sync",deployment="redundant",pool="chat"} 0.012`,
		`livens_target_result_age_seconds{address="198.51.100.20",check="http",deployment="redundant",pool="chat"} 1`,
		`livens_deployment_state{deployment="primary",pool="chat",state="down"} 1`,
		`livens_deployment_gate_open{deployment="redundant",pool="chat"} 1`,
		`livens_alerts{code="deployment-down",severity="warning"} 1`,
		`livens_reload_success 0`,
		`livens_problems{severity="error"} 1`,
		`livens_zone_stale{zone="static.example."} 1`,
		`livens_probes_waited_total 7`,
		`livens_probes_late_total 8`,
		`livens_pool_divergence{pool="chat"} 1`,
		`livens_pool_divergence{pool="ws"} 0`,
		`livens_cluster_observers 5`,
		`livens_cluster_reached 3`,
		`livens_cluster_quorum 1`,
		`livens_cluster_tells_hooks 1`,
		`livens_cluster_clock_offset_seconds -0.02`,
		`livens_cluster_sent_bytes_total 12345`,
		`livens_cluster_received_bytes_total 23456`,
		`livens_cluster_faults_total{kind="wrong_key"} 3`,
		`livens_peer_reached{nameserver="ns2",peer="192.0.2.2:7946"} 1`,
		`livens_peer_reached{nameserver="",peer="ns5.example:7946"} 0`,
		`livens_peer_rtt_seconds{nameserver="ns2",peer="192.0.2.2:7946"} 0.011`,
		`livens_peer_clock_offset_seconds{nameserver="ns3",peer="192.0.2.3:7946"} 3.2`,
		`livens_moderator_requests_total{code="304",what="poll"} 90`,
		`livens_moderator_requests_total{code="404",what="other"} 1`,
		`livens_moderator_handshake_failures_total 4`,
		`livens_moderator_connections 5`,
		`livens_moderator_connections_cut_total 6`,
		`livens_moderator_connections_refused_total 7`,
		`livens_moderator_certificate_expiry_timestamp_seconds 1.7962128e+09`,
		`livens_events_told_total{hook="chatops"} 7`,
		`livens_events_failed_total{hook="chatops"} 2`,
		`livens_events_given_up_total{hook="chatops"} 1`,
		`livens_events_pending{hook="chatops"} 3`,
		`process_start_time_seconds`,
		`go_goroutines`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}
