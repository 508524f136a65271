package xdp

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// keySize is that of the served map's keys: 16 octets of address, 2 of port, 2 of the frame's protocol.
const keySize = 20

// maxFrame is the longest frame that is taken: no query is longer, and every chunk holds it.
const maxFrame = 1518

// key is what the program looks up of a frame: where it goes to.
func key(to netip.AddrPort) (k [keySize]byte) {
	protocol := uint16(unix.ETH_P_IP)
	if to.Addr().Is6() {
		protocol = unix.ETH_P_IPV6
	}
	copy(k[:16], to.Addr().AsSlice())
	binary.BigEndian.PutUint16(k[16:], to.Port())
	binary.BigEndian.PutUint16(k[18:], protocol)
	return k
}

// newProgram makes the program that takes UDP datagrams to the served addresses to the socket of the queue they came in by, and passes
// everything else on: other protocols, VLAN tags, IPv4 options, fragments, IPv6 extension headers, frames for another host.
func newProgram(served, sockets *ebpf.Map, mac net.HardwareAddr) (*ebpf.Program, error) {
	const (
		frame, end, context = asm.R2, asm.R3, asm.R6
		keyAt               = -keySize - 4 // on the stack, aligned
	)
	var program asm.Instructions
	add := func(some ...asm.Instruction) { program = append(program, some...) }
	// long sees to it that the frame has so many octets, as the verifier wants it.
	long := func(size int32) {
		add(
			asm.Mov.Reg(asm.R4, frame),
			asm.Add.Imm(asm.R4, size),
			asm.JGT.Reg(asm.R4, end, "pass"),
		)
	}
	// unless passes on what differs from a value in network order.
	unless := func(at int16, size asm.Size, value int32) {
		add(
			asm.LoadMem(asm.R4, frame, at, size),
			asm.JNE.Imm32(asm.R4, value, "pass"),
		)
	}
	// into copies a piece of the frame into the key.
	into := func(key, at int16, size asm.Size) {
		add(
			asm.LoadMem(asm.R4, frame, at, size),
			asm.StoreMem(asm.RFP, keyAt+key, asm.R4, size),
		)
	}
	add(
		asm.Mov.Reg(context, asm.R1),
		asm.LoadMem(frame, context, 0, asm.Word),
		asm.LoadMem(end, context, 4, asm.Word),
		asm.Mov.Reg(asm.R4, frame),
		asm.Add.Imm(asm.R4, maxFrame),
		asm.JLT.Reg(asm.R4, end, "pass"),
	)
	long(etherSize + ip4Size + udpSize)
	unless(0, asm.Word, int32(binary.NativeEndian.Uint32(mac)))
	unless(4, asm.Half, int32(binary.NativeEndian.Uint16(mac[4:])))
	add(asm.Mov.Imm(asm.R5, 0))
	for at := int16(0); at < keySize; at += 4 {
		add(asm.StoreMem(asm.RFP, keyAt+at, asm.R5, asm.Word))
	}
	into(18, 12, asm.Half) // and in R4
	add(
		asm.JEq.Imm(asm.R4, int32(network16(unix.ETH_P_IPV6)), "ip6"),
		asm.JNE.Imm(asm.R4, int32(network16(unix.ETH_P_IP)), "pass"),
	)
	unless(etherSize, asm.Byte, 0x45) // no options
	add(
		asm.LoadMem(asm.R4, frame, etherSize+6, asm.Half),
		asm.And.Imm(asm.R4, int32(network16(0x3fff))), // more fragments, or not the first
		asm.JNE.Imm(asm.R4, 0, "pass"),
	)
	unless(etherSize+9, asm.Byte, protocolUDP)
	into(0, etherSize+16, asm.Word)
	into(16, etherSize+ip4Size+2, asm.Half)
	add(asm.Ja.Label("look"))

	mark := len(program)
	long(etherSize + ip6Size + udpSize)
	program[mark] = program[mark].WithSymbol("ip6")
	add(
		asm.LoadMem(asm.R4, frame, etherSize, asm.Byte),
		asm.And.Imm(asm.R4, 0xf0),
		asm.JNE.Imm(asm.R4, 0x60, "pass"),
	)
	unless(etherSize+6, asm.Byte, protocolUDP)
	for at := int16(0); at < 16; at += 4 {
		into(at, etherSize+24+at, asm.Word)
	}
	into(16, etherSize+ip6Size+2, asm.Half)

	add(
		asm.LoadMapPtr(asm.R1, served.FD()).WithSymbol("look"),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, keyAt),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "pass"),
		asm.LoadMapPtr(asm.R1, sockets.FD()),
		asm.LoadMem(asm.R2, context, 16, asm.Word), // rx_queue_index
		asm.Mov.Imm(asm.R3, xdpPass),               // where there is no socket
		asm.FnRedirectMap.Call(),
		asm.Return(),
		asm.Mov.Imm(asm.R0, xdpPass).WithSymbol("pass"),
		asm.Return(),
	)
	return ebpf.NewProgram(&ebpf.ProgramSpec{Name: "livens", Type: ebpf.XDP, License: "MIT", Instructions: program})
}

const xdpPass = 2

// network16 is a value as a load of 16 bits of network order gives it.
func network16(v uint16) uint16 {
	return binary.NativeEndian.Uint16([]byte{byte(v >> 8), byte(v)})
}
