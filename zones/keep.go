package zones

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// keeping is what the state folder lacks after a load.
type keeping struct {
	store   *store
	kept    map[string][32]byte // the Loader's
	save    []*candidate        // served as they are in the zones folder
	removed []string            // files that are gone, with their zones
	lost    []string            // served from memory alone: their files hold something else by now
}

// keep brings the state folder up to date: what is served as it is in the zones folder is kept, what was removed goes.
func (r *resolver) keep(root *os.Root, gone bool) {
	k := &keeping{store: r.store, kept: r.loader.kept}
	for _, c := range r.candidates {
		switch {
		case c.current != nil && k.kept[c.file] == c.current.sum:
		case c.current != nil && c.current == c.fresh && c.why == "":
			k.save = append(k.save, c)
		case c.current != nil && c.why != "":
			k.lost = append(k.lost, c.file)
		case c.current == nil && c.fresh == nil && !gone:
			k.removed = append(k.removed, c.file)
		}
	}
	r.loader.unkept = nil
	if err := k.run(root); err != nil {
		r.loader.unkept = k
		r.problems = append(r.problems, stateProblem(r.store.dir, err))
	}
}

// Keep tries again to keep what the last Load could not, and says why that fails still. It returns nil when the state
// folder holds all that is served.
func (l *Loader) Keep() error {
	if l.unkept == nil {
		return nil
	}
	root, err := os.OpenRoot(l.folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := l.unkept.run(root); err != nil {
		return err
	}
	l.unkept = nil
	return nil
}

// savesAtOnce is how many versions are written side by side: what they wait for is the disk.
const savesAtOnce = 16

// run does what can be done, and returns the first error; root is the zones folder.
func (k *keeping) run(root *os.Root) error {
	if len(k.save)+len(k.removed) > 0 {
		if err := k.write(root); err != nil {
			return err
		}
	}
	if len(k.lost) > 0 {
		return fmt.Errorf("%w: %s", errLost, clip(strings.Join(k.lost, ", ")))
	}
	return nil
}

// errLost says that a version could not be kept before its files were edited.
var errLost = errors.New("edited before the version that is served could be kept")

func (k *keeping) write(root *os.Root) error {
	if err := k.store.prepare(); err != nil {
		return err
	}
	errs := make([]error, len(k.save))
	each(len(k.save), savesAtOnce, func(i int) { errs[i] = k.store.save(root, k.save[i].fresh, k.save[i].file) })
	var rest []*candidate
	for i, c := range k.save {
		if errs[i] != nil {
			rest = append(rest, c)
			continue
		}
		k.kept[c.file] = c.fresh.sum
	}
	k.save = rest
	for _, err := range append(errs, k.store.finish(k.removed)) {
		if err != nil {
			return err
		}
	}
	k.removed = nil
	return nil
}
