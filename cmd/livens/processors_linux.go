package main

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// spareProcessors lets the runtime run twice as many goroutines at once as the machine has processors. A thread that waits in the kernel
// for datagrams then keeps its leave to run, and goes on as soon as one comes. Without one to spare the runtime's monitor takes it away
// after 20 µs, again and again: work for the processor, and a datagram waits until it is given back.
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
