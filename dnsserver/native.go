package dnsserver

import "encoding/binary"

// native32 reads an int of the kernel's.
func native32(b []byte) int { return int(int32(binary.NativeEndian.Uint32(b))) }
