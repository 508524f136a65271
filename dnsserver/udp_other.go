//go:build !linux

package dnsserver

import "log/slog"

func openUDP(*slog.Logger) opener { return openPackets }
