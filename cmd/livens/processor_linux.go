package main

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// spareProcessor lets the runtime run one goroutine more at once than the machine has processors. A reader's thread that waits in the
// kernel for datagrams keeps its place among them, for 10 ms at least, while another place is free. When none is, as on a machine of one
// processor, the runtime's monitor takes it away after 20 µs, over and over: work for the processor, and the next datagram waits until
// there is a place again. More free places than one would be looked after more than they are worth.
//
// Not where the operator has chosen (GOMAXPROCS), nor where less of the machine is granted than it has, for the runtime then follows what
// is granted. And not under a real-time policy: where there are more threads than processors, those of the runtime that wait for one another
// by yielding never would.
func spareProcessor() {
	own := runtime.GOMAXPROCS(0)
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL || os.Getenv("GOMAXPROCS") != "" || own < runtime.NumCPU() {
		return
	}
	runtime.GOMAXPROCS(own + 1)
}
