package main

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/livens/livens/internal/process"
)

// sample is what one run of a load generator says, and what the server used meanwhile.
type sample struct {
	sent, answered float64
	codes          map[string]float64 // replies by response code
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

// flood floods one server, and adds what it used.
func (c *contest) flood(r *running, list string, rate, seconds int) (sample, error) {
	return r.charged(func() (sample, error) { return c.kxdpgun(r.site.wire, r.site.port, list, rate, seconds) })
}

// kxdpgun asks at a rate, queries a second, from changing ports, past the sockets of its own kernel.
func (c *contest) kxdpgun(w *wire, port int, list string, rate, seconds int) (sample, error) {
	return c.load(w, list, seconds, generator{
		sent: regexp.MustCompile(`total queries: +(\d+)`), answered: regexp.MustCompile(`total replies: +(\d+)`),
		code: regexp.MustCompile(`responded (\w+): +(\d+)`),
	}, "kxdpgun",
		"-F", loadCore, "-t", strconv.Itoa(seconds), "-Q", strconv.Itoa(rate), "-p", strconv.Itoa(port), "-i", filepath.Join(c.dir, list), serverAddr)
}

// askTCP has dnsperf ask over connections that it keeps.
func (c *contest) askTCP(r *running, list string, seconds int) (sample, error) {
	return r.charged(func() (sample, error) {
		return c.load(r.site.wire, list, seconds, generator{
			sent: regexp.MustCompile(`Queries sent: +(\d+)`), answered: regexp.MustCompile(`Queries completed: +(\d+)`),
			code: regexp.MustCompile(`([A-Z]+) (\d+) \(\d`),
		}, "dnsperf",
			"-m", "tcp", "-c", "20", "-q", "400", "-l", strconv.Itoa(seconds), "-s", serverAddr, "-p", strconv.Itoa(r.site.port), "-d", filepath.Join(c.dir, list))
	})
}

// charged adds what the server used during a load.
func (r *running) charged(load func() (sample, error)) (sample, error) {
	before, err := r.usage()
	if err != nil {
		return sample{}, err
	}
	s, err := load()
	if err != nil {
		return s, err
	}
	after, err := r.usage()
	s.cpu = (after.cpu - before.cpu).Seconds()
	return s, err
}

// generator is how what a load generator prints is read: how many queries and replies, and how many replies for each response code.
type generator struct{ sent, answered, code *regexp.Regexp }

// absent is the share of the queries in each list that are for names that there are not.
var absent = map[string]float64{"pool.txt": 0, "large.txt": 0.15}

// proper reports an error if replies are not what the list's queries are to be answered with: who refuses is fast, and who is gone
// would make the others win.
func (s sample) proper(list string) error {
	if s.answered == 0 {
		return fmt.Errorf("none of %.0f queries was answered", s.sent)
	}
	well, missing := s.codes["NOERROR"]+s.codes["NXDOMAIN"], s.codes["NXDOMAIN"]/s.answered
	if well < 0.999*s.answered || math.Abs(missing-absent[list]) > 0.05 {
		return fmt.Errorf("%.0f replies, of which by response code %v: not what %s asks for", s.answered, s.codes, list)
	}
	return nil
}

// load runs a generator on its core, for so many seconds.
func (c *contest) load(w *wire, list string, seconds int, g generator, name string, args ...string) (sample, error) {
	var out bytes.Buffer
	cmd := exec.Command("taskset", append([]string{"-c", loadCore, name}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	run, err := process.Start(cmd, w.client.Enter)
	if err != nil {
		return sample{}, err
	}
	<-run.Done
	if err := run.Err(); err != nil {
		return sample{}, fmt.Errorf("%v: %w\n%s", cmd, err, out.Bytes())
	}
	s := sample{seconds: float64(seconds), codes: map[string]float64{}}
	for of, into := range map[*regexp.Regexp]*float64{g.sent: &s.sent, g.answered: &s.answered} {
		m := of.FindSubmatch(out.Bytes())
		if m == nil {
			return s, fmt.Errorf("%v: not understood:\n%s", cmd, out.Bytes())
		}
		if *into, err = strconv.ParseFloat(string(m[1]), 64); err != nil {
			return s, err
		}
	}
	for _, m := range g.code.FindAllSubmatch(out.Bytes(), -1) {
		n, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			return s, err
		}
		s.codes[string(m[1])] += n
	}
	return s, s.proper(list)
}
