package main

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// spareProcessors lets the runtime run twice as many goroutines at once as the machine has processors. A reader's thread that waits in
// the kernel for datagrams keeps its place among them while another place is free. When none is, the runtime's monitor takes it away
// after 20 µs, over and over: work for the processor, and the next datagram waits until there is a place again.
//
// Threads of a real-time policy are let be: where there are more than processors, those of the runtime that wait for one another by
// yielding never would.
func spareProcessors() {
	policy, _, errno := unix.Syscall(unix.SYS_SCHED_GETSCHEDULER, 0, 0, 0)
	if errno != 0 || policy == unix.SCHED_FIFO || policy == unix.SCHED_RR || os.Getenv("GOMAXPROCS") != "" {
		return
	}
	runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
}
