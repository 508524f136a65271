//go:build !linux

package dnsserver

import (
	"log/slog"
	"net"
	"time"
)

func openUDP(*slog.Logger, int) opener { return openPackets }

// limitUnread is left to the system's own limits.
func limitUnread(*net.TCPListener, time.Duration) error { return nil }
