package dnsserver

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hugeZone is plainZone with a TXT record set of 48 KB at huge.example.test.
func hugeZone() string {
	var b strings.Builder
	b.WriteString(plainZone)
	for i := range 200 {
		fmt.Fprintf(&b, "huge TXT %0240d\n", i)
	}
	return b.String()
}

// closing are the connections of this server that the kernel still holds data for.
func closing(t *testing.T, s *Server) (lines []string) {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	local := fmt.Sprintf(":%04X", s.Addrs()[0].Port())
	const timeWait, listening = "06", "0A"
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if strings.HasSuffix(f[1], local) && f[3] != timeWait && f[3] != listening {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestTCPUnreadAnswersAreNotKept: once a client that reads nothing has been left, neither is what was to be sent to it; be it that
// the answers filled all buffers, or that one waits in the kernel for the client alone.
func TestTCPUnreadAnswersAreNotKept(t *testing.T) {
	s := running(t, func(o *Options) { o.Config.TCPIdle = 300 * time.Millisecond })
	s.Publish(publication(t, hugeZone()))
	narrow := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return control(raw, func(fd int) error { return syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	}}
	for _, queries := range []int{1, 2000} {
		conn, err := narrow.Dial("tcp", s.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		query := framed(t, question("huge.example.test. TXT"))
		for range queries {
			if _, err := conn.Write(query); err != nil {
				break // the server has left
			}
		}
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		patience := time.After(20 * time.Second)
		for lines := closing(t, s); len(lines) > 0 || s.tcp.open() > 0; lines = closing(t, s) {
			select {
			case <-tick.C:
			case <-patience:
				t.Fatalf("%d queries: %d open, the kernel has\n%s", queries, s.tcp.open(), strings.Join(lines, ""))
			}
		}
	}
}

// TestTCPOutOfFiles: when the process may open no more files, idle connections give way until a new client is served.
func TestTCPOutOfFiles(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	askOver(t, dialFrom(t, s, "127.0.0.2"))
	askOver(t, dialFrom(t, s, "127.0.0.2"))
	newcomer := dialOutOfFiles(t, s)
	askOver(t, newcomer)
	if n := s.shared.drops[dropEvicted].Load(); n == 0 {
		t.Error("nothing gave way")
	}
	if n := s.shared.drops[dropReceive].Load(); n == 0 {
		t.Error("the failure to accept is not counted")
	}
}

// dialOutOfFiles connects with the last file that the process may open; what is closed from then on may be opened again.
func dialOutOfFiles(t *testing.T, s *Server) net.Conn {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) })
	var filler []*os.File
	t.Cleanup(func() {
		for _, f := range filler {
			f.Close()
		}
	})
	few := old
	few.Cur = 100
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		filler = append(filler, f)
	}
	filler[0].Close()
	filler = filler[1:]
	return dialFrom(t, s, "127.0.0.3")
}
