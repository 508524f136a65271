package cluster

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// lookoutMisses is how many answers in a row, to one question, must be missing or wrong before anybody is told: decisions
// are on their way all the time.
const lookoutMisses = 3

// outlook is what was seen of one peer.
type outlook struct {
	asked time.Time
	turn  int                // which pool is asked for next
	again int                // which of those that are doubted
	wrong map[string]*misses // by pool; "": no answer at all
}

// misses are the wrong or missing answers to one question.
type misses struct {
	inRow int
	text  string // what was wrong last
}

// told says that they are no longer a matter of decisions on their way.
func (m *misses) told() bool { return m.inRow >= lookoutMisses }

// doubted are the pools that were answered wrongly last: those of which nobody is told yet, or those of which somebody is.
func (v *outlook) doubted(told bool) []string {
	pools := slices.Sorted(maps.Keys(v.wrong))
	return slices.DeleteFunc(pools, func(p string) bool { return p == "" || v.wrong[p].told() != told })
}

// pick is the pool to ask for; "": the one whose turn it is. A wrong answer is asked for again with the next question, so
// that what is right about other pools hides nothing; and between two questions those that are known to be wrong are
// asked for in turn, so that the end of it is seen soon.
func (v *outlook) pick(regular bool) (pool string, due bool) {
	pools := v.doubted(!regular)
	if len(pools) == 0 {
		return "", regular
	}
	return pools[v.again%len(pools)], true
}

// asks notes that what was picked is asked.
func (v *outlook) asks(pool string) {
	if pool == "" {
		v.turn++
	} else {
		v.again++
	}
}

// note takes what came of a question about a pool.
func (v *outlook) note(pool, wrong string) {
	if wrong == "" {
		delete(v.wrong, pool)
		return
	}
	m := v.wrong[pool]
	if m == nil {
		m = &misses{}
		v.wrong[pool] = m
	}
	m.inRow++
	m.text = wrong
}

// text is what is wrong for good, or "".
func (v *outlook) text() string {
	if m := v.wrong[""]; m != nil && m.told() {
		return m.text
	}
	pools := v.doubted(true)
	switch len(pools) {
	case 0:
		return ""
	case 1:
		return v.wrong[pools[0]].text
	}
	return fmt.Sprintf("%s; and wrongly for %s", v.wrong[pools[0]].text, some(pools[1:]))
}
