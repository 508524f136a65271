package thread

import (
	"runtime"
	"time"
)

// tenure is for how long a place is kept. Go's monitor looks every 10 ms, or more often, and takes what one goroutine has had for 10 ms.
const tenure = 8 * time.Millisecond

// Place is the place in Go's scheduler of a goroutine with a thread of its own, which waits in the kernel over and over. The zero value is
// ready.
//
// However short the waits are, after 10 ms Go's monitor takes the place away, and then looks every 20 µs for some time whether there is
// another one to take, for which it wakes up over a thousand times a second. A goroutine that gives its place up of its own accord, and gets
// it again, is left alone.
type Place struct{ since time.Time }

// Renew is to be called before each wait.
func (p *Place) Renew() {
	if time.Since(p.since) >= tenure {
		runtime.Gosched()
		p.since = time.Now() // who had the place meanwhile may have kept it for long
	}
}
