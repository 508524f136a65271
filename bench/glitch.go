package main

import (
	"fmt"
	"time"

	"github.com/livens/livens/internal/stage"
)

// glitch is a passing fault that must switch nobody.
type glitch struct {
	Name     string `json:"name"`
	Trials   int    `json:"trials"`
	Switched int    `json:"switched"`
}

// glitchLength is what the defaults must sit out.
const glitchLength = 500 * time.Millisecond

// watchAfter is how long after a glitch its echo in the answers is looked for: more than any verdict takes.
const watchAfter = 3 * time.Second

func (b *bench) glitchAll() ([]glitch, error) {
	var out []glitch
	for _, g := range []struct {
		name string
		hurt func(*stage.Deployment) error
	}{
		{"frozen for 500 ms", func(d *stage.Deployment) error {
			if err := d.Freeze(); err != nil {
				return err
			}
			time.Sleep(glitchLength)
			return d.Thaw()
		}},
		{"restarted, gone for 500 ms", func(d *stage.Deployment) error {
			d.Kill()
			began := time.Now()
			time.Sleep(glitchLength - startTakes)
			err := d.Start(b.ctx)
			if took := time.Since(began); took > glitchLength+startTakes {
				progress("a restart took %v instead of %v", took.Round(time.Millisecond), glitchLength)
			}
			return err
		}},
	} {
		found, err := b.glitch(g.name, g.hurt)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.name, err)
		}
		out = append(out, found)
		progress("%s: %d of %d switched", g.name, found.Switched, found.Trials)
	}
	return out, nil
}

// startTakes is about what a deployment's process needs from its start to its first accept.
const startTakes = 20 * time.Millisecond

func (b *bench) glitch(name string, hurt func(*stage.Deployment) error) (glitch, error) {
	ps, err := b.start(defaults, b.trials)
	if err != nil {
		return glitch{}, err
	}
	defer ps.stop()
	g := glitch{Name: name, Trials: len(ps.primaries)}
	for _, d := range ps.primaries {
		if err := hurt(d); err != nil {
			return g, err
		}
	}
	time.Sleep(watchAfter)
	status, err := ps.nameserver.Client.Status(b.ctx)
	if err != nil {
		return g, err
	}
	for _, p := range status.Pools { // a switch there and back shows in Since as well
		if p.Since.After(status.Started.Add(time.Second)) || p.Active[0] != "primary" {
			g.Switched++
		}
	}
	return g, nil
}
