package zones

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A Loader loads the zones folder again and again. It remembers the last result, so that a zone whose files did not
// change is the same *Zone in the next Set, and the last good version of every file, which it also keeps in the state
// folder. The zero value is not ready: use NewLoader. It is not for concurrent use.
type Loader struct {
	folder, state string              // what is remembered belongs to these
	good          map[string]*version // the last good version of each file that was loaded or looked up
	kept          map[string][32]byte // the sum of what the state folder is known to hold
	stale         map[string]staleZone
	unkept        *keeping // what the last load has yet to keep; nil: nothing
}

// staleZone is a last good version as it is served.
type staleZone struct {
	*version
	served *Zone
}

// NewLoader returns a Loader that remembers nothing yet.
func NewLoader() *Loader { return &Loader{} }

// Validate reads the zones folder and nothing else. Zones with errors, their own or with their neighbours, are left out
// of the Set, which is never nil.
func Validate(c *Config) (*Set, Problems) { return NewLoader().load(c, nil) }

// Load is Read and Keep: a state folder that cannot be written is a warning.
func (l *Loader) Load(c *Config) (*Set, Problems) {
	set, problems := l.Read(c)
	if err := l.Keep(context.Background()); err != nil {
		problems = append(problems, StateProblem(c.State, err))
		problems.sort()
	}
	return set, problems
}

// Read reads the zones folder, all or nothing per zone. A zone with errors is replaced by its last good version, if
// there is one, and says so in Stale; with Config.Strict one error anywhere does that to every zone. If the folder
// itself is missing, unreadable or empty, that is an error and all last good zones serve. What loads well is yet to be
// kept in the state folder: so Keep follows, which waits for the disk. The Set is never nil; it may be empty.
func (l *Loader) Read(c *Config) (*Set, Problems) {
	return l.load(c, &store{dir: c.State, base: c.Zones, label: c.zonesLabel()})
}

func (l *Loader) load(c *Config, keep *store) (*Set, Problems) {
	if l.folder != c.Zones || l.state != c.State || l.good == nil {
		*l = Loader{folder: c.Zones, state: c.State, good: map[string]*version{}, kept: map[string][32]byte{}, stale: map[string]staleZone{}}
	}
	r := &resolver{loader: l, store: keep, label: c.zonesLabel()}
	root, files, problems := openZones(c)
	r.problems = problems
	if root != nil {
		defer root.Close()
		r.read(root, c, files)
	}
	gone := len(files) == 0
	r.addRemoved(files, gone)
	r.settle()
	r.tell()
	if c.Strict && len(r.errors()) > 0 {
		r.refuseAll()
		r.settle()
	}
	r.warn()
	r.warnSite(c)
	set := r.set()
	if keep != nil && root != nil {
		l.unkept = r.owes(gone)
	}
	l.forget(r.candidates)
	r.problems.sort()
	return set, r.problems
}

// forget drops what is remembered of files that are no longer known.
func (l *Loader) forget(candidates []*candidate) {
	known := map[string]bool{}
	for _, c := range candidates {
		known[c.file] = c.current != nil || c.fresh != nil
	}
	for _, file := range slices.Collect(maps.Keys(l.good)) {
		if !known[file] {
			delete(l.good, file)
			delete(l.kept, file)
			delete(l.stale, file)
		}
	}
}

// openZones opens the zones folder and lists its TOML files by name.
func openZones(c *Config) (*os.Root, []string, Problems) {
	label := c.zonesLabel()
	root, err := os.OpenRoot(c.Zones)
	if err != nil {
		return nil, nil, Problems{{File: label, Message: "the zones folder: " + plainError(err), Hint: "the key zones in livens.toml names it"}}
	}
	dir, err := root.Open(".")
	if err != nil {
		root.Close()
		return nil, nil, Problems{{File: label, Message: "the zones folder: " + plainError(err)}}
	}
	names, err := dir.Readdirnames(-1)
	dir.Close()
	if err != nil {
		root.Close()
		return nil, nil, Problems{{File: label, Message: "the zones folder: " + plainError(err)}}
	}
	var files []string
	for _, name := range names {
		if strings.HasSuffix(name, ".toml") && !strings.HasPrefix(name, ".") {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	if len(files) == 0 {
		return root, nil, Problems{{File: label, Message: "the zones folder holds no *.toml file", Hint: "add one for each zone"}}
	}
	return root, files, nil
}

// read reads every file that changed, several at once.
func (r *resolver) read(root *os.Root, c *Config, files []string) {
	set := settings{base: c.Zones, label: c.zonesLabel(), limit: maxRecords}
	r.candidates = make([]*candidate, len(files))
	each(len(files), runtime.GOMAXPROCS(0), func(i int) {
		good := r.loader.good[files[i]]
		if good == nil || !unchanged(root, good.sources) {
			good = readVersion(&folder{root: root, budget: maxZoneBytes}, set, files[i])
		}
		r.candidates[i] = &candidate{file: files[i], fresh: good, problems: slices.Concat(good.problems, missing(good.needs))}
	})
	for _, c := range r.candidates {
		if errors := c.problems.Errors(); len(errors) > 0 {
			c.broken = true
			r.replace(c, errors[0])
			continue
		}
		c.current = c.fresh
	}
}

// each calls f for 0 to n-1, atOnce at a time.
func each(n, atOnce int, f func(int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(n, atOnce) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	group.Wait()
}

// missing looks for what a zone needs outside the zones folder.
func missing(needs []need) (out Problems) {
	for _, n := range needs {
		info, err := os.Stat(n.path)
		p := n.problem
		switch {
		case err != nil:
			p.Message = fmt.Sprintf("%s: %s", n.path, plainError(err))
		case info.IsDir():
			p.Message = n.path + " is a folder"
		case !info.Mode().IsRegular():
			p.Message = n.path + " " + errNotRegular.Error()
		case n.executable && info.Mode()&0o111 == 0:
			p.Message, p.Hint = n.path+" is not executable", "chmod +x"
		default:
			continue
		}
		out = append(out, p)
	}
	return out
}
