package zones

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// candidate is one zone file on its way into a Set.
type candidate struct {
	file     string
	fresh    *version // what the folder holds; nil: the file was removed
	broken   bool     // fresh has errors of its own
	current  *version // what is to be served: fresh, the last good version, or nil
	why      string   // why current is not fresh
	problems Problems
}

// resolver decides which version of every file is served: the fresh ones, unless they are broken or in conflict with
// each other. Last good versions were kept together, so they do not conflict.
type resolver struct {
	loader     *Loader
	store      *store // nil: no last good versions
	label      string // the zones folder, as problems name it
	candidates []*candidate
	problems   Problems // of no single file
}

// lastGood returns a file's last good version, from memory or the state folder, or nil.
func (r *resolver) lastGood(file string) *version {
	if v := r.loader.good[file]; v != nil {
		return v
	}
	if r.store == nil {
		return nil
	}
	v, problems := r.store.read(file)
	r.problems = append(r.problems, problems...)
	if v != nil {
		r.loader.good[file] = v
		r.loader.kept[file] = v.sum
	}
	return v
}

// replace serves a candidate's last good version because of p, or nothing.
func (r *resolver) replace(c *candidate, p Problem) {
	if c.current = r.lastGood(c.file); c.current != nil {
		c.why = fmt.Sprintf("%s; serving the version of %s", p, c.current.edited.UTC().Format("2006-01-02 15:04:05 MST"))
	}
}

// reject refuses a candidate's current version because of ps.
func (r *resolver) reject(c *candidate, ps Problems) {
	c.problems = append(c.problems, ps...)
	if !r.changed(c) {
		c.current = nil
		return
	}
	r.replace(c, ps[0])
}

// changed says whether a candidate is about to be served as something else than its last good version.
func (r *resolver) changed(c *candidate) bool {
	if c.fresh == nil {
		return c.current == nil && r.lastGood(c.file) != nil // removed
	}
	if c.current != c.fresh || c.current == nil {
		return false
	}
	good := r.lastGood(c.file)
	return good == nil || good.sum != c.fresh.sum
}

// addRemoved adds the files that have a last good version and are in the folder no more. If the whole folder is
// gone, that was no removal of zones: they are served.
func (r *resolver) addRemoved(files []string, gone bool) {
	known := slices.Collect(func(yield func(string) bool) {
		for file := range r.loader.good {
			if !yield(file) {
				return
			}
		}
	})
	if r.store != nil {
		known = append(known, r.store.list()...)
	}
	slices.Sort(known)
	for _, file := range slices.Compact(known) {
		if _, found := slices.BinarySearch(files, file); found {
			continue
		}
		c := &candidate{file: file}
		if gone {
			r.replace(c, r.problems[0])
		}
		r.candidates = append(r.candidates, c)
	}
	slices.SortFunc(r.candidates, func(a, b *candidate) int { return cmp.Compare(a.file, b.file) })
}

// settle rejects versions until no conflict is left. Every round takes at least one candidate from fresh to last good
// or from there to nothing, so it ends.
func (r *resolver) settle() {
	for {
		found := r.conflicts(false)
		if len(found) == 0 {
			return
		}
		for _, c := range r.candidates {
			if ps, ok := found[c]; ok {
				r.reject(c, ps)
			}
		}
	}
}

// tell adds what else would be wrong between files if those that are refused were served.
func (r *resolver) tell() {
	found := r.conflicts(true)
	for _, c := range r.candidates {
		for _, p := range found[c] {
			if !slices.ContainsFunc(c.problems, func(q Problem) bool { return !q.Warning && p.samePlace(q) }) {
				c.problems = append(c.problems, p)
			}
		}
	}
}

// refuseAll is strict mode: every file is served as it was.
func (r *resolver) refuseAll() {
	first := r.errors()[0]
	for _, c := range r.candidates {
		if c.why == "" {
			c.current = nil
			r.replace(c, Problem{File: first.File, Line: first.Line, Key: first.Key, Message: first.Message, Hint: "strict: one error refuses all"})
			if c.current != nil && c.fresh != nil && c.current.sum == c.fresh.sum {
				c.why = "" // it is what the file holds
			}
		}
	}
}

// errors are all errors so far.
func (r *resolver) errors() Problems {
	out := r.problems.Errors()
	for _, c := range r.candidates {
		out = append(out, c.problems.Errors()...)
	}
	return out
}

// set makes the result.
func (r *resolver) set() *Set {
	set := &Set{}
	for _, c := range r.candidates {
		r.problems = append(r.problems, c.problems...)
		if c.current == nil {
			delete(r.loader.stale, c.file)
			continue
		}
		zone := r.loader.zone(c)
		set.Zones = append(set.Zones, zone)
		set.Pools = append(set.Pools, zone.Pools...)
	}
	slices.SortFunc(set.Zones, func(a, b *Zone) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(set.Pools, func(a, b *Pool) int { return strings.Compare(a.Name, b.Name) })
	return set
}

// zone is what a candidate is served as. The same version with the same reason is the same pointer.
func (l *Loader) zone(c *candidate) *Zone {
	if c.why == "" {
		l.good[c.file] = c.current
		delete(l.stale, c.file)
		return c.current.zone
	}
	if last, ok := l.stale[c.file]; ok && last.version == c.current && last.served.Stale == c.why {
		return last.served
	}
	served := *c.current.zone
	served.Stale = c.why
	l.stale[c.file] = staleZone{c.current, &served}
	return &served
}
