//go:build !linux

package xdp

import (
	"context"
	"errors"
	"net/netip"
)

// Interface is never opened: only Linux has AF_XDP.
type Interface struct{}

// Open says so.
func Open(string, []netip.AddrPort) (*Interface, error) {
	return nil, errors.New("XDP: only Linux has it")
}

// Queues is 0.
func (*Interface) Queues() int { return 0 }

// Serve returns at once.
func (*Interface) Serve(context.Context, []Handler) error { return nil }

// Overflow is 0.
func (*Interface) Overflow() uint64 { return 0 }

// Close does nothing.
func (*Interface) Close() {}
