package main

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// spareProcessors lets the runtime run twice as many goroutines at once as the machine has processors. A reader's thread that waits in
// the kernel for datagrams keeps its place among them, for 10 ms at least, while another place is free. When none is, the runtime's
// monitor takes it away after 20 µs, over and over: work for the processor, and the next datagram waits until there is a place again.
//
// Not where the operator has chosen (GOMAXPROCS), nor where less of the machine is granted than it has, for the runtime then follows what
// is granted. And not under a real-time policy: where there are more threads than processors, those of the runtime that wait for one another
// by yielding never would.
func spareProcessors() {
	own := runtime.GOMAXPROCS(0)
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL || os.Getenv("GOMAXPROCS") != "" || own < runtime.NumCPU() {
		return
	}
	runtime.GOMAXPROCS(2 * own)
}
