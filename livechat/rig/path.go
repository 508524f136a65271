package rig

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Path is the way from everybody to one process: it listens where the process is known to be, and passes on what comes. As a
// black hole it swallows, both ways, and tells nobody.
type Path struct {
	to      string
	streams net.Listener
	packets *net.UDPConn // nil: streams only

	mu   sync.Mutex
	hole chan struct{} // closed when it ends; nil: the path is open
}

// NewPath begins one at an address; port 0 lets the kernel choose. For a nameserver it carries datagrams too.
func NewPath(at, to netip.AddrPort, datagrams bool) (*Path, error) {
	listener, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, err
	}
	p := &Path{to: to.String(), streams: listener}
	if datagrams {
		if p.packets, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)); err != nil {
			listener.Close()
			return nil, err
		}
		go p.carry()
	}
	go p.accept()
	return p, nil
}

// Swallow makes the path a black hole, or opens it again.
func (p *Path) Swallow(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case yes && p.hole == nil:
		p.hole = make(chan struct{})
	case !yes && p.hole != nil:
		close(p.hole)
		p.hole = nil
	}
}

// Swallows says whether it is a black hole.
func (p *Path) Swallows() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hole != nil
}

// open waits until the path is.
func (p *Path) open() {
	p.mu.Lock()
	hole := p.hole
	p.mu.Unlock()
	if hole != nil {
		<-hole
	}
}

// Addr is where it listens: host:port.
func (p *Path) Addr() string { return p.streams.Addr().String() }

// Close ends it: new connections are refused, and what it swallowed goes on.
func (p *Path) Close() {
	p.Swallow(false)
	p.streams.Close()
	if p.packets != nil {
		p.packets.Close()
	}
}

func (p *Path) accept() {
	for {
		conn, err := p.streams.Accept()
		if err != nil {
			return
		}
		go p.join(conn)
	}
}

// join joins a connection with the process. Where nobody listens it is reset, as the process's own host would do.
func (p *Path) join(near net.Conn) {
	p.open()
	far, err := net.DialTimeout("tcp", p.to, time.Second)
	if err != nil {
		reset(near)
		return
	}
	go p.copy(far, near)
	p.copy(near, far)
}

// copy passes on until an end closes, and then closes both.
func (p *Path) copy(to, from net.Conn) {
	_, err := io.Copy(gate{to, p}, from)
	p.open()
	if err != nil {
		reset(to)
		reset(from)
		return
	}
	to.Close()
	from.Close()
}

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // an error means that it is closed already
	}
	conn.Close()
}

// gate is a Writer that waits while the path swallows.
type gate struct {
	io.Writer
	path *Path
}

func (g gate) Write(b []byte) (int, error) {
	g.path.open()
	return g.Writer.Write(b)
}

// replyLimit is how long a query may wait for its response.
const replyLimit = 2 * time.Second

// carry passes datagrams on, each with a socket of its own for the response. A black hole loses them.
func (p *Path) carry() {
	buffer := make([]byte, 4096)
	for {
		n, from, err := p.packets.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		if !p.Swallows() {
			go p.exchange(append([]byte(nil), buffer[:n]...), from)
		}
	}
}

func (p *Path) exchange(query []byte, from netip.AddrPort) {
	conn, err := net.Dial("udp", p.to)
	if err != nil {
		return // it is lost, as datagrams may be
	}
	defer conn.Close()
	response := make([]byte, 4096)
	if _, err := conn.Write(query); err != nil || conn.SetReadDeadline(time.Now().Add(replyLimit)) != nil {
		return
	}
	if n, err := conn.Read(response); err == nil && !p.Swallows() {
		_, _ = p.packets.WriteToUDPAddrPort(response[:n], from) // likewise
	}
}
