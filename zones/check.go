package zones

import "time"

// Kind is how a check probes.
type Kind string

// The kinds of check.
const (
	HTTP      Kind = "http"
	HTTPS     Kind = "https"
	TCP       Kind = "tcp"
	TLS       Kind = "tls"
	WebSocket Kind = "websocket"
	DNS       Kind = "dns"
	ICMP      Kind = "icmp"
	Exec      Kind = "exec"
	File      Kind = "file"
	Static    Kind = "static"
)

// Check is one validated probe description. Which fields count depends on Kind; those that do not are zero, so that
// equal probes compare equal. In Path, Host, Headers' values, Send, File and Command, {pool}, {deployment} and
// {address} stand for what is being probed.
type Check struct {
	Kind Kind
	Port uint16 // http 80, https, tls 443, websocket 80 or 443 by TLS, dns 53 unless given; tcp must give one

	// http, https, websocket
	Method       string            // http, https: default "GET"
	Path         string            // starts with "/"; default "/"
	Host         string            // Host header, and the server name of every TLS handshake (tls and websocket too)
	Headers      map[string]string // canonical header names
	Expect       []StatusRange     // http, https: default 200–299
	BodyContains string
	BodyRegexp   string // RE2; compiles
	BodyLimit    int    // bytes of body read for the two above; default 65536, 1–1 MiB
	// http, https: how long one connection serves probes; 0, the default: each opens its own
	KeepAlive time.Duration `json:",omitempty"`

	// https, tls, websocket
	TLS      bool   // websocket: wss; implied by https and tls
	CAFile   string // absolute path of PEM roots; "": the system's
	Insecure bool   // accept any certificate

	// tcp, websocket
	Send        string // sent after connecting; for websocket one text message
	ExpectReply string // must occur in the first BodyLimit bytes received

	// dns
	Query string // name asked for, canonical
	QType uint16 // default A; any NOERROR reply with an answer passes

	// exec
	Command []string // argv; exit status 0 passes

	// file: the state file's absolute path; its first word is "up", "down" or "drain"
	File string

	// static: the verdict, always
	Up bool

	Interval     time.Duration // 100 ms–1 h; default 1 s
	FastInterval time.Duration // 10 ms–Interval; default min(200 ms, Interval): while a verdict is in doubt
	Timeout      time.Duration // 10 ms–1 min; default 500 ms
	Fall         int           // consecutive failures that turn up into down; 1–100, default 4
	Rise         int           // consecutive successes that turn down into up; 1–100, default 3
}

// StatusRange is an inclusive range of HTTP status codes.
type StatusRange struct{ From, To int }
