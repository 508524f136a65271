package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/livens/livens/internal/process"
)

// plainVariable turns this program into a prober as one would write it in a few lines, with package net/http and a goroutine for each
// target: what livens' cost is compared with in the same run. It holds "targets port".
const plainVariable = "LIVENS_BENCH_PLAIN"

// plainly is how it probes.
const plainly = "http, by package net/http"

// plainMain probes until its standard input ends, and prints how many replies it had for each line there.
func plainMain() {
	what := os.Getenv(plainVariable)
	if what == "" {
		return
	}
	var targets int
	var port uint16
	if _, err := fmt.Sscan(what, &targets, &port); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}}
	var replies atomic.Uint64
	for i := range targets {
		url := fmt.Sprintf("http://%s/healthz", netip.AddrPortFrom(numbered(byte(1+i%2), i/2), port))
		go func() {
			time.Sleep(time.Duration(i) * time.Second / time.Duration(targets))
			for range time.Tick(time.Second) {
				if status, err := plainProbe(client, url); err == nil && status == http.StatusOK {
					replies.Add(1)
				}
			}
		}()
	}
	asked := bufio.NewScanner(os.Stdin)
	for asked.Scan() {
		fmt.Println(replies.Load())
	}
	os.Exit(0)
}

func plainProbe(client *http.Client, url string) (status int, err error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// plain measures that prober, with as many targets.
func (b *bench) plain() (p probes, err error) {
	p = probes{How: plainly, Targets: b.crowded}
	everybody, _, err := b.many(calm, p.Targets)
	if err != nil {
		return p, err
	}
	defer everybody.Kill()
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	cmd := exec.CommandContext(b.ctx, self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", plainVariable, p.Targets, everybody.Addr.Port()))
	cmd.Stderr = os.Stderr
	ask, err := cmd.StdinPipe()
	if err != nil {
		return p, err
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		return p, err
	}
	prober, err := process.Start(cmd, nil)
	if err != nil {
		return p, err
	}
	defer prober.End(syscall.SIGKILL)
	lines := bufio.NewReader(told)
	replies := func() (n uint64, at time.Time, err error) {
		fmt.Fprintln(ask)
		line, err := lines.ReadString('\n')
		if err != nil {
			return 0, at, fmt.Errorf("the prober with package net/http: %w", err)
		}
		n, err = strconv.ParseUint(line[:len(line)-1], 10, 64)
		return n, time.Now(), err
	}
	time.Sleep(b.settle)
	before, began, err := replies()
	if err != nil {
		return p, err
	}
	if p.CPU, err = b.taken([]int{cmd.Process.Pid}); err != nil {
		return p, err
	}
	after, ended, err := replies()
	if err != nil {
		return p, err
	}
	if p.Rate = float64(after-before) / ended.Sub(began).Seconds(); p.Rate < 0.9*float64(p.Targets) {
		return p, fmt.Errorf("the prober with package net/http had %.0f replies a second of %d targets: too few to compare with", p.Rate, p.Targets)
	}
	p.Resident, err = resident(cmd.Process.Pid)
	return p, err
}
