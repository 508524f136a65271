package dnsserver

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestErrorsThatPersist: a socket that yields nothing but errors is tried again each time that a pause has passed, and not without
// one. Time passes in the bubble only while nothing there runs: if a reader spun, it would stand still.
func TestErrorsThatPersist(t *testing.T) {
	const pauses = 100
	expired, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	must(t, err)
	defer expired.Close()
	expired.SetReadDeadline(time.Unix(1, 0)) // every try fails at once
	notSocket, err := os.Open(os.DevNull)
	must(t, err)
	defer notSocket.Close()
	accepting, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	must(t, err)
	defer accepting.Close()
	accepting.SetDeadline(time.Unix(1, 0))
	s, err := New(Options{Config: testConfig(), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	many, crew := &batches{fd: int(notSocket.Fd())}, s.hireWorker()
	tries := func() uint64 { return s.shared.drops[dropReceive].Load() + crew.stats.drops[dropReceive].Load() }
	single := &packets{conn: expired}
	for name, c := range map[string]struct {
		serve, stop func()
		pause       time.Duration
	}{
		"batches": {func() { many.serve(crew) }, many.stop, receivePause},
		"packets": {func() { single.serve(s.newWorker(s.shared)) }, single.stop, receivePause},
		"accept":  {func() { s.serveTCP(t.Context(), accepting) }, func() { accepting.Close() }, acceptPause},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := tries()
				done := make(chan struct{})
				go func() {
					defer close(done)
					c.serve()
				}()
				time.Sleep(pauses*c.pause - c.pause/2)
				if n := tries() - before; n != pauses {
					t.Errorf("%d tries in the time of %d", n, pauses)
				}
				c.stop()
				<-done
			})
		})
	}
}
