package zones

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/livens/livens/internal/durable"
)

// keeping is what the state folder lacks after a load.
type keeping struct {
	store   *store
	kept    map[string][32]byte // the Loader's
	save    []*candidate        // served as they are in the zones folder
	removed []string            // files that are gone, with their zones
	lost    []string            // served from memory alone: their files hold something else by now
}

// owes notes what the state folder lacks: what is served as it is in the zones folder is to be kept, what was removed
// goes.
func (r *resolver) owes(gone bool) *keeping {
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
	return k
}

// Keep brings the state folder up to date with what the last Read returned, or says why it cannot; then it may be tried
// again. It returns nil when the state folder holds all that is served. When ctx ends it stops between two versions.
func (l *Loader) Keep(ctx context.Context) error {
	if l.unkept == nil {
		return nil
	}
	root, err := os.OpenRoot(l.folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := l.unkept.run(ctx, root); err != nil {
		return err
	}
	l.unkept = nil
	return nil
}

// savesAtOnce is how many versions are written side by side: what they wait for is the disk.
const savesAtOnce = 16

// run does what can be done, and returns the first error; root is the zones folder.
func (k *keeping) run(ctx context.Context, root *os.Root) error {
	if len(k.save)+len(k.removed) > 0 {
		if err := k.write(ctx, root); err != nil {
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

func (k *keeping) write(ctx context.Context, root *os.Root) error {
	if err := k.store.prepare(); err != nil {
		return err
	}
	unsaved, unfinished := k.saveAll(ctx, root), k.store.finish(k.removed)
	if unsaved != nil {
		return unsaved
	}
	if unfinished == nil {
		k.removed = nil
	}
	return unfinished
}

// saveAll writes all versions, syncs them together, and only then puts each in its place: no folder ever has a kept
// version's name whose files a power cut could still take.
func (k *keeping) saveAll(ctx context.Context, root *os.Root) error {
	paths, errs := make([][]string, len(k.save)), make([]error, len(k.save))
	each(len(k.save), savesAtOnce, func(i int) {
		if errs[i] = ctx.Err(); errs[i] == nil {
			paths[i], errs[i] = k.store.write(root, k.save[i].fresh, k.save[i].file)
		}
	})
	if err := durable.Sync(slices.Concat(paths...)); err != nil {
		return err
	}
	var rest []*candidate
	var first error
	for i, c := range k.save {
		if errs[i] == nil && len(paths[i]) > 0 {
			errs[i] = k.store.replace(c.file)
		}
		if errs[i] != nil {
			rest = append(rest, c)
			if first == nil {
				first = errs[i]
			}
			continue
		}
		k.kept[c.file] = c.fresh.sum
	}
	k.save = rest
	return first
}
