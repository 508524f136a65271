package dnsserver

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxDatagram = 65535
	// maxControl holds one packet information message of either family.
	maxControl = 64
	// receivePause keeps a socket that only yields errors from burning a core.
	receivePause = 10 * time.Millisecond
)

// serveUDP is one reader: it receives, answers and sends until ctx is done. Only this file knows how datagrams move.
func (s *Server) serveUDP(ctx context.Context, conn *net.UDPConn, wildcard bool, w *worker) {
	query, response := make([]byte, maxDatagram), make([]byte, 4096)
	oob := make([]byte, maxControl)
	var from peer
	for {
		n, control, _, addr, err := conn.ReadMsgUDPAddrPort(query, oob)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			w.stats.drops[dropReceive].Add(1)
			time.Sleep(receivePause)
			continue
		}
		from.address = cookieAddress(addr.Addr())
		out := w.handle(response, query[:n], &from)
		if out == nil {
			continue
		}
		var source []byte
		if wildcard {
			source = replySource(oob[:control])
		}
		if _, _, err := conn.WriteMsgUDPAddrPort(out, source, addr); err != nil {
			w.stats.drops[dropSend].Add(1)
		}
	}
}

// replySource turns the packet information of a received datagram, in place, into what makes the reply leave from the
// address that was asked. The interface is left to routing, but for link-local addresses, which mean nothing without.
func replySource(oob []byte) []byte {
	const head = unix.SizeofCmsghdr
	if len(oob) < head {
		return nil
	}
	level, kind := native32(oob[8:]), native32(oob[12:])
	switch {
	case level == unix.IPPROTO_IP && kind == unix.IP_PKTINFO && len(oob) >= head+unix.SizeofInet4Pktinfo:
		// struct in_pktinfo: interface, local address, destination of the header
		info := oob[head : head+unix.SizeofInet4Pktinfo]
		clear(info[:4])
		return oob[:head+unix.SizeofInet4Pktinfo]
	case level == unix.IPPROTO_IPV6 && kind == unix.IPV6_PKTINFO && len(oob) >= head+unix.SizeofInet6Pktinfo:
		// struct in6_pktinfo: address, interface
		info := oob[head : head+unix.SizeofInet6Pktinfo]
		if linkLocal := info[0] == 0xfe && info[1]&0xc0 == 0x80; !linkLocal {
			clear(info[16:20])
		}
		return oob[:head+unix.SizeofInet6Pktinfo]
	}
	return nil
}

// native32 reads an int of the kernel's.
func native32(b []byte) int { return int(int32(binary.NativeEndian.Uint32(b))) }
