package livens_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// network is a network in memory: at each of its addresses a web server, which can fail in the ways that real ones do;
// and wires between nameservers.
type network struct {
	mu    sync.Mutex
	hosts map[string]*host
	cuts  map[[2]string]traffic // what does not pass, by the two ends
	wires map[string]*wire      // by address and port
}

func newNetwork() *network {
	return &network{hosts: map[string]*host{}, cuts: map[[2]string]traffic{}, wires: map[string]*wire{}}
}

// latency is what every connection and every reply takes.
const latency = 5 * time.Millisecond

// host is one address.
type host struct {
	network *network
	address string
	mu      sync.Mutex
	mode    string         // up, refused, silent or frozen
	status  map[string]int // by path; 200 where nothing is set
	thaw    chan struct{}  // closed when the mode changes
	conns   chan net.Conn
	open    []net.Conn
	server  *http.Server
}

func (n *network) host(address string) *host {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[address]
	if h == nil {
		h = &host{network: n, address: address, mode: "up", status: map[string]int{}, thaw: make(chan struct{}), conns: make(chan net.Conn)}
		h.server = &http.Server{Handler: h, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, caller{}, c.(*call).from)
		}}
		go h.server.Serve(h) // ends with close
		n.hosts[address] = h
	}
	return h
}

// set changes a host: MODE, or /path STATUS.
func (n *network) set(address string, args []string) {
	h := n.host(address)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(args) == 2 {
		status, err := strconv.Atoi(args[1])
		if err != nil {
			panic(err)
		}
		h.status[args[0]] = status
		return
	}
	h.mode = args[0]
	h.wakeLocked()
	if h.mode == "refused" { // a killed process: the kernel closes what it had open
		for _, c := range h.open {
			c.Close()
		}
		h.open = nil
	}
}

// wake has requests that wait for an answer look again.
func (h *host) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakeLocked()
}

func (h *host) wakeLocked() {
	close(h.thaw)
	h.thaw = make(chan struct{})
}

func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.hosts {
		h.mu.Lock()
		h.wakeLocked()
		h.mode = "gone"
		h.mu.Unlock()
		h.server.Close()
	}
}

// call is a connection to a host.
type call struct {
	net.Conn
	from string // the nameserver
}

// caller is the key of a request's nameserver in its context.
type caller struct{}

// dial is the way of a nameserver's checker into the network.
func (n *network) dial(ctx context.Context, from string, place int, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	h := n.host(to.Addr().String())
	h.mu.Lock()
	mode := h.mode
	h.mu.Unlock()
	if n.isCut(from, h.address, everything) {
		mode = "silent"
	}
	switch mode {
	case "refused":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case "silent":
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
	time.Sleep(latency + time.Duration(place)*130*time.Microsecond) // no two nameservers hear at the same instant
	here, there := net.Pipe()
	select {
	case h.conns <- &call{there, from}:
		return here, nil
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
}

// Accept, Close and Addr make the host a listener.
func (h *host) Accept() (net.Conn, error) {
	c, ok := <-h.conns
	if !ok {
		return nil, net.ErrClosed
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = append(h.open, c)
	return c, nil
}

func (h *host) Close() error {
	close(h.conns)
	return nil
}

func (h *host) Addr() net.Addr { return &net.TCPAddr{} }

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(latency)
	for {
		h.mu.Lock()
		mode, thaw, status := h.mode, h.thaw, h.status[r.URL.Path]
		h.mu.Unlock()
		cut := h.network.isCut(r.Context().Value(caller{}).(string), h.address, everything)
		if mode != "silent" && mode != "frozen" && !cut {
			w.WriteHeader(max(status, http.StatusOK))
			if status == 0 {
				fmt.Fprintln(w, "ok")
			}
			return
		}
		select {
		case <-thaw:
		case <-r.Context().Done():
			return
		}
	}
}
