//go:build !linux

package main

// spareProcessor: readers wait in the runtime here, not in the kernel.
func spareProcessor() {}
