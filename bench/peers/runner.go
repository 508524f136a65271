package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/internal/process"
)

// The cores that server and load generator have to themselves. Knot binds its first worker to core 0, whatever it is told, and kxdpgun
// its own as well, unless it is told.
const (
	serverCore = "0"
	loadCore   = "1"
)

// startLimit is long enough for a million records.
const startLimit = 2 * time.Minute

// running is a server that answers.
type running struct {
	*server
	site  *site
	group int // the process group
	run   *process.Process
	took  time.Duration // from start to the first answer

	switches int // that its pool was ordered to make
}

// start starts a server on its core, and waits until it answers for all its zones.
func (c *contest) start(s server, zones ...zone) (*running, error) {
	c.ports++
	at := &site{dir: filepath.Join(c.dir, fmt.Sprintf("%s-%d", strings.ReplaceAll(s.name, " ", ""), c.ports)), port: 5300 + c.ports, zones: zones, wire: c.plain}
	if s.xdp {
		var err error
		if at.wire, err = newWire(true); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(at.dir, 0o755); err != nil {
		return nil, err
	}
	args, err := s.configure(at)
	if err != nil {
		return nil, err
	}
	if at.command, err = unconfined(s.program, at.dir); err != nil {
		return nil, err
	}
	at.args = args
	return c.startAt(s, at)
}

// startAt starts a server that is configured.
func (c *contest) startAt(s server, at *site) (*running, error) {
	log, err := os.Create(filepath.Join(at.dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("taskset", append([]string{"-c", serverCore, at.command}, at.args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = at.dir, log, log
	r := &running{server: &s, site: at}
	begin := time.Now()
	if r.run, err = process.Start(cmd, at.wire.host.Enter); err != nil {
		return nil, err
	}
	r.group = cmd.Process.Pid
	socket, err := at.wire.client.DialUDP(netip.AddrPortFrom(netip.MustParseAddr(serverAddr), uint16(at.port)))
	if err == nil {
		defer socket.Close()
		err = r.run.Await(c.ctx, startLimit, func() error { return answers(socket, at.zones) })
	}
	r.took = time.Since(begin)
	if err != nil {
		r.stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%s: %w\n%s", s.name, err, said)
	}
	return r, nil
}

// signal sends a signal to all of the server's processes.
func (r *running) signal(s syscall.Signal) { _ = syscall.Kill(-r.group, s) }

func (r *running) stop() { r.run.End(syscall.SIGTERM) }

// answers reports nil once the server answers for the zones, of many the last: for a record that is the file's last one.
func answers(socket net.Conn, zones []zone) error {
	client := dns.Client{Timeout: 100 * time.Millisecond}
	for _, z := range zones[max(0, len(zones)-10):] {
		name := lastName(z)
		reply, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion(name, dns.TypeA), &dns.Conn{Conn: socket})
		if err == nil && len(reply.Answer) != 1 {
			err = fmt.Errorf("%s A: %s", name, dns.RcodeToString[reply.Rcode])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// usage is what the processes of a group have used, and hold.
type usage struct {
	cpu      time.Duration
	resident float64 // octets; what processes share is shared out among them
	peak     float64 // octets: the most that each ever had, together
}

// usage sums up the group's processes.
func (r *running) usage() (usage, error) {
	var sum usage
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return sum, err
	}
	for _, folder := range folders {
		pid, _ := strconv.Atoi(filepath.Base(folder))
		group, used, err := process.Stat(pid)
		if err != nil || group != r.group { // has ended, or is another's
			continue
		}
		sum.cpu += used
		if status, err := os.ReadFile(filepath.Join(folder, "status")); err == nil {
			sum.peak += kilobytes(string(status), "\nVmHWM:")
		}
		rollup, err := os.ReadFile(filepath.Join(folder, "smaps_rollup"))
		if err != nil {
			continue
		}
		sum.resident += kilobytes(string(rollup), "\nPss:")
	}
	return sum, nil
}

// kilobytes is the field of a file in /proc that counts in these, in octets; 0 if it is not there.
func kilobytes(text, field string) float64 {
	_, rest, found := strings.Cut(text, field)
	if !found {
		return 0
	}
	n, _ := strconv.Atoi(strings.Fields(rest)[0])
	return float64(n) * 1024
}
