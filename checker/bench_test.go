package checker

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// BenchmarkDetection measures how long a real server process that is killed or stopped is still called up. Run it with
// -benchtime=50x: each round is one process, and some are under way side by side.
func BenchmarkDetection(b *testing.B) {
	profiles := map[string]func(zones.Check) zones.Check{"fast": fastProfile, "defaults": defaults}
	faults := map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP}
	for _, profile := range []string{"fast", "defaults"} {
		for _, fault := range []string{"killed", "stopped"} {
			b.Run(profile+"/"+fault, func(b *testing.B) {
				report(b, measure(b, func() time.Duration {
					return detect(b, profiles[profile], faults[fault])
				}))
			})
		}
	}
}

// measure runs b.N rounds, four at a time.
func measure(b *testing.B, round func() time.Duration) []time.Duration {
	var mu sync.Mutex
	var took []time.Duration
	var rounds sync.WaitGroup
	slots := make(chan struct{}, 4)
	for range b.N {
		slots <- struct{}{}
		rounds.Go(func() {
			defer func() { <-slots }()
			d := round()
			mu.Lock()
			defer mu.Unlock()
			took = append(took, d)
		})
	}
	rounds.Wait()
	return took
}

func detect(b *testing.B, profile func(zones.Check) zones.Check, fault syscall.Signal) time.Duration {
	p := startProcess(b, "127.0.0.1:0")
	defer p.kill()
	check := profile(zones.Check{Kind: zones.HTTP, Port: p.addr.Port(), Path: "/"})
	target := NewTarget("chat", "primary", netip.MustParseAddr("127.0.0.1"), &check)
	c := New(Options{Name: "bench", Version: "test"})
	run(b, c, target)
	waitFor(b, c, target, isState(Up))
	time.Sleep(time.Second + rand.N(time.Second)) // any phase of the interval
	began := time.Now()
	p.signal(b, fault)
	waitFor(b, c, target, isState(Down))
	return time.Since(began)
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	ms := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1)+0.5)].Microseconds()) / 1000
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(0.5), "median-ms")
	b.ReportMetric(ms(0.95), "p95-ms")
	b.ReportMetric(ms(1), "max-ms")
}
