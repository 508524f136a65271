package thread

import (
	"runtime"
	"time"
)

// tenure is for how long a place is kept: Go's monitor looks every 10 ms at most, and takes what one goroutine has had between two looks.
const tenure = 8 * time.Millisecond

// Place is the place in Go's scheduler of a goroutine with a thread of its own, which waits in the kernel over and over. The zero value is
// ready.
//
// However short the waits are, after 10 ms Go's monitor takes the place away, and then looks every 20 µs for some time whether there is
// another one to take. Its wakings cost the processor that they happen on a sixth of its time. A goroutine that gives its place up of its own
// accord, and gets it again at once, is left alone.
type Place struct{ since time.Time }

// Renew is to be called before each wait.
func (p *Place) Renew() {
	if now := time.Now(); now.Sub(p.since) >= tenure {
		runtime.Gosched()
		p.since = now
	}
}
