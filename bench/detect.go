package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

// detection is how long it took from a fault to the first answer without the dead deployment.
type detection struct {
	Profile string  `json:"profile"`
	Fault   string  `json:"fault"`
	Trials  int     `json:"trials"`
	Median  float64 `json:"median_s"`
	P95     float64 `json:"p95_s"`
	Max     float64 `json:"max_s"`
	Target  target  `json:"target"`
}

// target bounds a detection, in seconds; 0 bounds nothing.
type target struct {
	Median float64 `json:"median_s,omitempty"`
	P95    float64 `json:"p95_s,omitempty"`
}

// missed says that a bound does not hold.
func (d *detection) missed() bool {
	return d.Target.Median > 0 && d.Median > d.Target.Median || d.Target.P95 > 0 && d.P95 > d.Target.P95
}

// fault is a way to lose a deployment.
type fault struct {
	name   string
	strike func(*stage.Deployment) error
}

var (
	killed      = fault{"killed", func(d *stage.Deployment) error { d.Kill(); return nil }}
	stopped     = fault{"stopped", (*stage.Deployment).Freeze}
	blackHoled  = fault{"black-holed", blackHole}
	blackHoleAt = []string{"nft", "add", "rule", "inet", "bench", "in", "ip", "daddr"}
)

// blackHole drops whatever reaches the deployment: its peers hear nothing any more, neither data nor refusal.
func blackHole(d *stage.Deployment) error {
	args := append(slices.Clone(blackHoleAt[1:]), d.Addr.Addr().String(), "drop")
	return command(blackHoleAt[0], args...)
}

func (b *bench) detectAll() ([]detection, error) {
	for _, args := range [][]string{
		{"add", "table", "inet", "bench"},
		{"add", "chain", "inet", "bench", "in", "{ type filter hook input priority 0; }"},
	} {
		if err := command("nft", args...); err != nil {
			return nil, err
		}
	}
	var out []detection
	for _, work := range []struct {
		profile
		fault
		target
	}{
		{fast, killed, target{0.15, 0.3}},
		{fast, stopped, target{P95: 1.8}},
		{fast, blackHoled, target{P95: 1.8}},
		{defaults, killed, target{Median: 0.8}},
		{defaults, stopped, target{P95: 2.3}},
		{defaults, blackHoled, target{P95: 2.3}},
	} {
		d, err := b.detect(work.profile, work.fault)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", work.profile.name, work.fault.name, err)
		}
		d.Target = work.target
		out = append(out, d)
		progress("%s, %s: median %.3f s, 95th %.3f s, max %.3f s", d.Profile, d.Fault, d.Median, d.P95, d.Max)
	}
	return out, nil
}

func (b *bench) detect(p profile, f fault) (detection, error) {
	ps, err := b.start(p, b.trials)
	if err != nil {
		return detection{}, err
	}
	defer ps.stop()
	defer command("nft", "flush", "chain", "inet", "bench", "in") // the addresses serve again in the next run
	var took []float64
	for i, d := range ps.primaries {
		time.Sleep(time.Duration(rand.Float64() * float64(time.Second))) // anywhere between two probes
		if a, err := ps.answer(i); err != nil || a != d.Addr.Addr() {
			return detection{}, fmt.Errorf("pool %d answers %v (%v) before its primary was touched", i, a, err)
		}
		began := time.Now()
		if err := f.strike(d); err != nil {
			return detection{}, err
		}
		err := process.Await(b.ctx, 15*time.Second, func() error { return ps.left(i, d) })
		if err != nil {
			return detection{}, err
		}
		took = append(took, time.Since(began).Seconds())
	}
	slices.Sort(took)
	return detection{
		Profile: p.name, Fault: f.name, Trials: len(took),
		Median: quantile(took, 0.5), P95: quantile(took, 0.95), Max: took[len(took)-1],
	}, nil
}

// left reports nil once pool i no longer answers with d.
func (ps *pools) left(i int, d *stage.Deployment) error {
	a, err := ps.answer(i)
	if err == nil && a == d.Addr.Addr() {
		err = fmt.Errorf("pool %d still answers %v", i, a)
	}
	return err
}

// quantile is the q-th of sorted values: the smallest that at least that share do not exceed.
func quantile(sorted []float64, q float64) float64 {
	i := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[max(0, min(i, len(sorted)-1))]
}
