package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/internal/process"
)

// probeVariable names the server to the process that probes it: one that the kernel runs before the load generator, on the same core.
const probeVariable = "LIVENS_BENCH_PROBE"

const (
	probePause   = 500 * time.Microsecond
	probeTimeout = 200 * time.Millisecond
)

// latencies are what probes saw beside a load: round trips in seconds, lost ones, and answers that were neither deployment's.
type latencies struct {
	Trips []float64
	Lost  int
	Wrong int
}

// probe asks for the pool's name, one query after the other, until its input ends, and prints what it saw.
func probe(server string) int {
	var l latencies
	if err := l.run(server); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		return 1
	}
	if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
		return 1
	}
	return 0
}

func (l *latencies) run(server string) error {
	conn, err := net.Dial("udp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	end := make(chan struct{})
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		close(end)
	}()
	query, err := new(dns.Msg).SetQuestion(poolName, dns.TypeA).Pack()
	if err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for id := uint16(0); ; id++ {
		select {
		case <-end:
			return nil
		case <-time.After(probePause):
		}
		query[0], query[1] = byte(id>>8), byte(id)
		begin := time.Now()
		if _, err := conn.Write(query); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(begin.Add(probeTimeout)); err != nil {
			return err
		}
		n, err := conn.Read(buf)
		for err == nil && (buf[0] != query[0] || buf[1] != query[1]) { // one that had been given up
			n, err = conn.Read(buf)
		}
		if err != nil {
			l.Lost++
			continue
		}
		l.Trips = append(l.Trips, time.Since(begin).Seconds())
		if n < 4 || !slices.Contains([]string{"192.0.2.10", "192.0.2.20"}, net.IP(buf[n-4:n]).String()) {
			l.Wrong++
		}
	}
}

// beside probes a server while f runs.
func (c *contest) beside(r *running, f func() error) (latencies, error) {
	var l latencies
	self, err := os.Executable()
	if err != nil {
		return l, err
	}
	var out, errs strings.Builder
	cmd := exec.Command("chrt", "-f", "10", "taskset", "-c", loadCore, self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s:%d", probeVariable, serverAddr, r.site.port))
	cmd.Stdout, cmd.Stderr = &out, &errs
	stop, err := cmd.StdinPipe()
	if err != nil {
		return l, err
	}
	run, err := process.Start(cmd, r.site.wire.prober.Enter)
	if err != nil {
		return l, err
	}
	err = f()
	stop.Close()
	<-run.Done
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal([]byte(out.String()), &l); err != nil {
		return l, fmt.Errorf("%w: %s", err, errs.String())
	}
	return l, nil
}
