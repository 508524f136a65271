// Package stage puts livens and small deployments on as real processes, for the tour and the measurements: what is shown
// and measured there crosses real sockets, and dies by real signals.
package stage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/web"
)

// Nameserver is a livens process.
type Nameserver struct {
	Config string         // its livens.toml
	Log    string         // the file with what it prints
	DNS    netip.AddrPort // the first address that it answers on; none of a witness
	Client *web.Client    // its control socket
	run    *process.Process
}

// StartNameserver writes livens.toml and zone files (by name) into dir, starts the binary there, and waits until it is
// ready. In config, zones and state are to be left out: they are dir's, where a former process may have left its state.
// enter is as for process.Start, or nil.
func StartNameserver(ctx context.Context, binary, dir, config string, zones map[string]string, enter func() error) (*Nameserver, error) {
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(filepath.Join(dir, "zones"), 0o755); err != nil {
		return nil, err
	}
	n := &Nameserver{Config: filepath.Join(dir, "livens.toml"), Log: filepath.Join(dir, "log")}
	files := map[string]string{n.Config: fmt.Sprintf("state = %q\n", state) + config}
	for name, text := range zones {
		files[filepath.Join(dir, "zones", name)] = text
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(n.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(binary, "serve", "--config", n.Config)
	cmd.Stdout, cmd.Stderr = log, log
	if n.run, err = process.Start(cmd, enter); err != nil {
		return nil, err
	}
	if n.Client, err = web.NewClient(state); err != nil {
		return nil, err
	}
	if err := n.run.Await(ctx, 15*time.Second, func() error { return n.ready(ctx) }); err != nil {
		n.Stop()
		said, _ := os.ReadFile(n.Log)
		return nil, fmt.Errorf("livens is not ready: %w\n%s", err, said)
	}
	return n, nil
}

// Status asks the control socket, for at most 2 s.
func (n *Nameserver) Status(ctx context.Context) (*web.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return n.Client.Status(ctx)
}

func (n *Nameserver) ready(ctx context.Context) error {
	status, err := n.Client.Status(ctx) // within the time that a start may take: of very many pools it is long
	if err != nil {
		return err
	}
	switch answers := len(status.Listen.DNS) > 0; {
	case !status.Ready, answers == status.Witness:
		return errors.New(status.Waiting)
	case answers:
		n.DNS = status.Listen.DNS[0]
	}
	return nil
}

// Stop asks it to end, and waits.
func (n *Nameserver) Stop() { n.run.End(syscall.SIGTERM) }

// Kill ends the process as kill -9 does.
func (n *Nameserver) Kill() { n.run.End(syscall.SIGKILL) }

// Freeze stops the process without closing anything (SIGSTOP): its kernel takes queries, and nobody answers them.
func (n *Nameserver) Freeze() error { return n.run.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (n *Nameserver) Thaw() error { return n.run.Signal(syscall.SIGCONT) }

// Asker sends queries to a nameserver from one socket.
type Asker struct {
	conn   *dns.Conn
	client dns.Client
}

// Asker makes one.
func (n *Nameserver) Asker() (*Asker, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(n.DNS))
	if err != nil {
		return nil, err
	}
	return &Asker{&dns.Conn{Conn: conn}, dns.Client{Timeout: time.Second}}, nil
}

// Close closes the socket.
func (a *Asker) Close() error { return a.conn.Close() }

// A asks for the IPv4 addresses of name. An answer that is not one (an rcode, no record) is an error.
func (a *Asker) A(name string) ([]netip.Addr, uint32, error) {
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
	reply, _, err := a.client.ExchangeWithConn(query, a.conn)
	if err != nil {
		return nil, 0, err
	}
	var addrs []netip.Addr
	var ttl uint32
	for _, rr := range reply.Answer {
		if rr, ok := rr.(*dns.A); ok {
			addr, _ := netip.AddrFromSlice(rr.A.To4())
			addrs, ttl = append(addrs, addr), rr.Hdr.Ttl
		}
	}
	if len(addrs) == 0 {
		return nil, 0, fmt.Errorf("%s A: %s, no address", name, dns.RcodeToString[reply.Rcode])
	}
	return addrs, ttl, nil
}
