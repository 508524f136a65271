package checker

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

func TestRunProbesAndReportsChanges(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	addr := netip.MustParseAddrPort(srv.Listener.Addr().String())
	check := &zones.Check{Kind: zones.HTTP, Port: addr.Port(), Path: "/", Interval: time.Second,
		FastInterval: 100 * time.Millisecond, Timeout: 500 * time.Millisecond, Fall: 2, Rise: 3}
	target := NewTarget("chat", "primary", addr.Addr(), check)
	c := New(Options{Name: "ns1", Version: "test"})
	c.Update([]Target{target})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	for c.Verdicts()[target.Key].At.IsZero() {
		<-c.Changes()
	}
	v := c.Changed()[target.Key]
	if v.State != Down || v.Reason != "HTTP 404, wanted 200–299" {
		t.Errorf("got %v", v)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
