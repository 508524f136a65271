package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/livens/livens/internal/process"
)

// sample is what one run of a load generator says, and what the server used meanwhile.
type sample struct {
	sent, answered float64
	seconds        float64
	cpu            float64 // seconds of the server's processors
}

func (s sample) perSecond() float64 { return s.answered / s.seconds }
func (s sample) perCPU() float64 {
	if s.cpu == 0 {
		return 0
	}
	return s.answered / s.cpu
}

// flood has kxdpgun ask at a rate, queries a second, from changing ports, past the sockets of its own kernel.
func (c *contest) flood(r *running, list string, rate int) (sample, error) {
	return c.load(r, regexp.MustCompile(`total queries: +(\d+)`), regexp.MustCompile(`total replies: +(\d+)`), "kxdpgun",
		"-F", loadCore, "-t", strconv.Itoa(c.seconds), "-Q", strconv.Itoa(rate), "-p", strconv.Itoa(r.site.port), "-i", filepath.Join(c.dir, list), serverAddr)
}

// askTCP has dnsperf ask over connections that it keeps.
func (c *contest) askTCP(r *running, list string) (sample, error) {
	return c.load(r, regexp.MustCompile(`Queries sent: +(\d+)`), regexp.MustCompile(`Queries completed: +(\d+)`), "dnsperf",
		"-m", "tcp", "-c", "20", "-q", "400", "-l", strconv.Itoa(c.seconds), "-s", serverAddr, "-p", strconv.Itoa(r.site.port), "-d", filepath.Join(c.dir, list))
}

// load runs a generator on its core.
func (c *contest) load(r *running, sent, answered *regexp.Regexp, name string, args ...string) (sample, error) {
	before, err := r.usage()
	if err != nil {
		return sample{}, err
	}
	var out bytes.Buffer
	cmd := exec.Command("taskset", append([]string{"-c", loadCore, name}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	run, err := process.Start(cmd, r.site.wire.client.Enter)
	if err != nil {
		return sample{}, err
	}
	<-run.Done
	after, err := r.usage()
	if err != nil {
		return sample{}, err
	}
	s := sample{seconds: float64(c.seconds), cpu: (after.cpu - before.cpu).Seconds()}
	for of, into := range map[*regexp.Regexp]*float64{sent: &s.sent, answered: &s.answered} {
		m := of.FindSubmatch(out.Bytes())
		if m == nil {
			return s, fmt.Errorf("%v: not understood:\n%s", cmd, out.Bytes())
		}
		if *into, err = strconv.ParseFloat(string(m[1]), 64); err != nil {
			return s, err
		}
	}
	return s, nil
}
