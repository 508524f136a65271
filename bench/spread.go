package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// spread is how far apart three nameservers switched when a deployment was killed, and what agreeing cost them: a lone
// nameserver saw the same deaths.
type spread struct {
	Profile string  `json:"profile"`
	Trials  int     `json:"trials"`
	Median  float64 `json:"median_s"` // between the first and the last of three
	P99     float64 `json:"p99_s"`
	Lone    float64 `json:"lone_median_s"` // from the fault to the lone nameserver's switch
	Three   float64 `json:"three_median_s"`
	Ratio   float64 `json:"ratio"` // the last of three to the lone one, medians
}

// The bounds of a spread, in seconds.
const (
	spreadMedian = 0.3
	spreadP99    = 1.0
)

func (s *spread) missed() bool { return s.Median > spreadMedian || s.P99 > spreadP99 }

func (b *bench) spreadAll() ([]spread, error) {
	var out []spread
	for _, p := range []profile{fast, defaults} {
		s, err := b.spread(p)
		if err != nil {
			return nil, fmt.Errorf("three nameservers, %s: %w", p.name, err)
		}
		out = append(out, s)
		progress("three nameservers, %s: apart by %.3f s (median), switched after %.3f s, a lone one after %.3f s", s.Profile, s.Median, s.Three, s.Lone)
	}
	return out, nil
}

func (b *bench) spread(p profile) (spread, error) {
	f, err := b.lay(p, b.trials)
	if err != nil {
		return spread{}, err
	}
	defer f.stop()
	three, err := b.gather(3, f.zone)
	if err != nil {
		return spread{}, err
	}
	defer three.stop()
	lone, err := b.gather(1, f.zone)
	if err != nil {
		return spread{}, err
	}
	defer lone.stop()
	var apart, last, alone []float64
	for i, d := range f.primaries {
		time.Sleep(time.Duration(rand.Float64() * float64(time.Second))) // anywhere between two probes
		here := func(a netip.Addr) bool { return a == d.Addr.Addr() }
		if _, _, err := b.both(three, lone, i, time.Now(), here); err != nil {
			return spread{}, fmt.Errorf("before the primary was touched: %w", err)
		}
		began := time.Now()
		d.Kill()
		those, that, err := b.both(three, lone, i, began, func(a netip.Addr) bool { return !here(a) })
		if err != nil {
			return spread{}, err
		}
		apart = append(apart, slices.Max(those)-slices.Min(those))
		last, alone = append(last, slices.Max(those)), append(alone, that[0])
	}
	for _, values := range [][]float64{apart, last, alone} {
		slices.Sort(values)
	}
	s := spread{
		Profile: p.name, Trials: len(apart), Median: quantile(apart, 0.5), P99: quantile(apart, 0.99),
		Lone: quantile(alone, 0.5), Three: quantile(last, 0.5),
	}
	s.Ratio = s.Three / s.Lone
	return s, nil
}

// both watches two crowds at once, so that they meet the same fault under the same conditions.
func (b *bench) both(one, two *crowd, i int, began time.Time, right func(netip.Addr) bool) (first, second []float64, err error) {
	var other error
	var looking sync.WaitGroup
	looking.Go(func() { second, other = two.moments(b, i, began, right) })
	first, err = one.moments(b, i, began, right)
	looking.Wait()
	if err == nil {
		err = other
	}
	return first, second, err
}
