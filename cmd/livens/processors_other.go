//go:build !linux

package main

// spareProcessors: readers wait in the runtime here, not in the kernel.
func spareProcessors() {}
