package dnsserver

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func listening(t *testing.T, addrs ...string) (*Server, error) {
	t.Helper()
	o := Options{Config: testConfig(), Log: slog.New(slog.DiscardHandler)}
	for _, a := range addrs {
		o.Listen = append(o.Listen, netip.MustParseAddrPort(a))
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, sock := range s.sockets {
			sock.close()
		}
	})
	return s, s.Listen()
}

// TestListenErrors: one line that says what to do, and nothing stays bound.
func TestListenErrors(t *testing.T) {
	first, err := listening(t, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := first.Addrs()[0].String()
	second, err := listening(t, "127.0.0.1:0", taken)
	if err == nil || !strings.Contains(err.Error(), "another server holds port") || strings.Contains(err.Error(), "\n") {
		t.Errorf("port in use: %v", err)
	}
	if len(second.Addrs()) != 0 {
		t.Error("something stays bound")
	}
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if _, err := listening(t, udp.LocalAddr().String()); err == nil || !strings.Contains(err.Error(), "address already in use: another server holds port") {
		t.Errorf("UDP port in use: %v", err)
	}
	sharing := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return control(raw, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	}}
	shared, err := sharing.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	if _, err := listening(t, shared.LocalAddr().String()); err == nil || !strings.Contains(err.Error(), "another server holds port") {
		t.Errorf("UDP port that another server would share: %v", err)
	}
	if _, err := listening(t, "192.0.2.1:0"); err == nil || !strings.Contains(err.Error(), "does not have that address") {
		t.Errorf("foreign address: %v", err)
	}
	if err := explainBind(netip.MustParseAddrPort("0.0.0.0:53"), &net.OpError{Op: "listen", Err: unix.EACCES}); err.Error() !=
		"listen on 0.0.0.0:53: permission denied: no permission for port 53: run as root, grant CAP_NET_BIND_SERVICE, or set listen to a port from 1024 on" {
		t.Error(err)
	}
}
