package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/livens/livens/internal/process"
)

// vastRounds are fewer: a start with a million records takes seconds.
const vastRounds = 3 // at most

// manyZones is how many small zones a server is started with.
const manyZones = 10_000

// vast starts each server with a million records in one zone, twice, and with many small zones. What livens keeps of the first
// start, its state folder, is there at the second; the others keep nothing.
func (c *contest) vast(r *report) error {
	rounds := min(vastRounds, c.rounds)
	small, err := c.writeSmall()
	if err != nil {
		return err
	}
	for _, data := range []struct {
		letter, title string
		zones         []zone
	}{
		{"m", "a million records", []zone{{vastZone, filepath.Join(c.dir, "vast.zone")}}},
		{"n", "10,000 zones", small},
	} {
		if !c.wants(data.letter) {
			continue
		}
		failed := map[string]bool{} // not tried again
		for round := range rounds {
			for _, s := range c.servers() {
				if s.xdp || !slices.Contains(r.Servers, s.name) || failed[s.name] {
					continue
				}
				progress("%s, round %d of %d: %s", data.title, round+1, rounds, s.name)
				if err := c.loads(r, s, data.letter+": %s with "+data.title, data.zones); err != nil {
					if s.name == livens || c.ctx.Err() != nil {
						return err
					}
					progress("left out: %v", err)
					failed[s.name] = true
				}
			}
		}
	}
	return nil
}

// loads starts a server with zones, and livens once more where it started before. What figures are called has a place for what they
// are of.
func (c *contest) loads(r *report, s server, figure string, zones []zone) error {
	one, err := c.start(s, zones...)
	if err != nil {
		return err
	}
	defer os.RemoveAll(one.site.dir)
	time.Sleep(time.Second) // what it cleans up after the start is no longer there
	u, err := one.usage()
	if err == nil && s.name == livens { // a later start is to find all that it keeps
		err = process.Await(c.ctx, time.Minute, func() error {
			time.Sleep(lookPause)
			return kept(one.site.state(), len(zones))
		})
	}
	one.stop()
	if err != nil {
		return err
	}
	r.add(fmt.Sprintf(figure, "start")+", s", s.name, one.took.Seconds())
	r.add(fmt.Sprintf(figure, "processor time of the start")+", s", s.name, u.cpu.Seconds())
	r.add(fmt.Sprintf(figure, "resident")+", MB", s.name, u.resident/1e6)
	r.add(fmt.Sprintf(figure, "most ever resident")+", MB", s.name, u.peak/1e6)
	if s.name != livens {
		return nil
	}
	if one, err = c.startAt(s, one.site); err != nil {
		return err
	}
	one.stop()
	r.add(fmt.Sprintf(figure, "later start")+", s", s.name, one.took.Seconds())
	return nil
}

// lookPause is how often that is looked for: to look costs time, too.
const lookPause = 200 * time.Millisecond

// kept reports nil once livens has written the last good versions of so many zones.
func kept(state string, zones int) error {
	files, err := filepath.Glob(filepath.Join(state, "zones", "[^.]*.toml"))
	if err == nil && len(files) < zones {
		err = fmt.Errorf("%d of %d zones are kept for a later start", len(files), zones)
	}
	return err
}

// writeSmall writes the zone file that all small zones have, and returns these.
func (c *contest) writeSmall() ([]zone, error) {
	file := filepath.Join(c.dir, "small.zone")
	text := fmt.Sprintf("$TTL 300\n@ SOA ns1 hostmaster 1 3600 900 86400 60\n@ NS ns1\nns1 A %s\n@ A 192.0.2.1\nwww A 192.0.2.1\n", serverAddr)
	zones := make([]zone, manyZones)
	for i := range zones {
		zones[i] = zone{fmt.Sprintf("z%05d.test.", i), file}
	}
	return zones, os.WriteFile(file, []byte(text), 0o644)
}
