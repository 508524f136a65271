package zones

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// sumOf is one hash over several sources, whatever their order.
func sumOf(sources []source) [sha256.Size]byte {
	sorted := slices.Clone(sources)
	slices.SortFunc(sorted, func(a, b source) int { return strings.Compare(a.name, b.name) })
	h := sha256.New()
	for _, s := range sorted {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s.name))))
		h.Write([]byte(s.name))
		h.Write(s.sum[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// hashChunk is how many records are hashed together; chunks are hashed side by side.
const hashChunk = 32 << 10

// hashZone is Zone.Hash: over the records in canonical order and form, and the pools by name. Paths inside base are
// hashed relative to it, so that nameservers may keep their folders where they like.
func hashZone(z *Zone, base string) [sha256.Size]byte {
	chunks := slices.Collect(slices.Chunk(z.Records, hashChunk))
	sums := make([][sha256.Size]byte, len(chunks))
	each(len(chunks), runtime.GOMAXPROCS(0), func(i int) { sums[i] = hashRecords(chunks[i]) })
	h := sha256.New()
	for _, sum := range sums {
		h.Write(sum[:])
	}
	pools := slices.Clone(z.Pools)
	slices.SortFunc(pools, func(a, b *Pool) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range pools {
		h.Write(poolBytes(p, base))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func hashRecords(records []Packed) [sha256.Size]byte {
	h := sha256.New()
	var buf []byte
	for _, p := range records {
		buf = appendCanonical(buf[:0], p)
		h.Write(buf)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// hashPool is Pool.Hash, as portable as hashZone.
func hashPool(p *Pool, base string) string {
	sum := sha256.Sum256(poolBytes(p, base))
	return hex.EncodeToString(sum[:])
}

// poolBytes is a pool in one form, whatever the order of its answers. What a pool or deployment has only since a later
// version of livens is left out where it is not set, so that versions of livens agree on the pools of before.
func poolBytes(p *Pool, base string) []byte {
	q := *p
	q.Answers = slices.Sorted(slices.Values(p.Answers))
	q.Checks = make([]*Check, len(p.Checks))
	for i, c := range p.Checks {
		q.Checks[i] = portable(c, base)
	}
	if p.Sync != nil {
		q.Sync = portable(p.Sync, base)
	}
	out, err := json.Marshal(q)
	if err != nil {
		panic(err) // strings, numbers and addresses marshal
	}
	return out
}

// portable is a check with paths relative to base where they are inside it.
func portable(c *Check, base string) *Check {
	out := *c
	for _, path := range []*string{&out.CAFile, &out.File} {
		if relative, err := filepath.Rel(base, *path); *path != "" && err == nil && filepath.IsLocal(relative) {
			*path = relative
		}
	}
	return &out
}
