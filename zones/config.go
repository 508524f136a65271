package zones

import (
	"net/netip"
	"time"
)

// Config is livens.toml: one nameserver's own settings. Paths are absolute here.
type Config struct {
	File   string           // where it was read
	Name   string           // this nameserver; default: host name
	Listen []netip.AddrPort // UDP and TCP; default 0.0.0.0:53 and [::]:53; empty, only with Cluster: a witness, which answers nobody
	Zones  string           // folder of *.toml; default "zones" beside File
	State  string           // folder of what must outlive a restart; default /var/lib/livens
	Strict bool             // one broken zone refuses the whole load
	Site   string           // the data center that this nameserver is in, or ""

	HTTP    HTTPConfig
	DNS     DNSConfig
	Log     LogConfig
	Checker CheckerConfig
	Cluster *ClusterConfig // nil: the only nameserver
	Hooks   []HookConfig

	Moderator *ModeratorConfig // nil: nothing is public but DNS

	source []byte // what was read, for KeepConfig
}

// HTTPConfig is [http]: the private listener for metrics, status page and read-only API.
type HTTPConfig struct {
	Listen netip.AddrPort // default 127.0.0.1:9353; the zero value ("off") listens nowhere
}

// DNSConfig is [dns]: how queries are answered, whatever the zone.
type DNSConfig struct {
	NSID         string        // RFC 5001, at most MaxNSID octets; default Config.Name; "" keeps silent
	Version      string        // CHAOS version.bind; default "livens"; "" is REFUSED
	CookieFile   string        // secrets of RFC 9018, 32 hex digits a line: the first signs, all verify; "": a random one per start
	DebugNames   bool          // answer TXT _livens.NAME for pool names
	UDPSize      int           // largest UDP response, 512–4096; default 1232
	XDP          []string      // network interfaces, at most MaxXDP, whose UDP queries are taken past the kernel's stack (Linux); default none
	TCPIdle      time.Duration // 1 s–10 min; default 10 s
	TCPLimit     int           // connections at once, 1–100000; default 1000
	TCPPerClient int           // connections at once from one address (IPv6: one /64), 1–TCPLimit; default 50
}

// LogConfig is [log].
type LogConfig struct {
	Format string // "text" (default) or "json"
	Level  string // "debug", "info" (default), "warn" or "error"
}

// CheckerConfig is [checker]: bounds that protect the nameserver itself.
type CheckerConfig struct {
	MaxProbes int // probes under way at once, 1–100000; default 1000
	MaxExec   int // commands of exec checks at once, 1–1000; default 16
}

// ClusterConfig is [cluster]: the other observers, and how to talk to them.
type ClusterConfig struct {
	Listen       netip.AddrPort // gossip, UDP and TCP; the port is not 0
	Advertise    netip.AddrPort // where peers reach this nameserver: one host's address and a port; default Listen
	Peers        []string       // host:port of every other observer, 1–31, no two alike; with this one they are the cluster's size
	KeyFile      string         // keys, one a line, 32 bytes in base64: the first encrypts, all decrypt
	MinorityHold time.Duration  // 1 s–10 min: without a quorum of votes, wait so long before acting on those there are; default 10 s
	TieHold      time.Duration  // 1 s–10 min: a tie on what answers counts as down after so long; default 10 s
}

// ModeratorConfig is [moderator]: the public listener that tells clients which deployment is active, and gives them their
// script. CertFile and KeyFile are both given or both "": then it speaks plain HTTP, and only on loopback addresses.
type ModeratorConfig struct {
	Listen   []netip.AddrPort // at least one, no two alike
	CertFile string           // the certificate and its chain in PEM, the server's first
	KeyFile  string           // its private key in PEM
}

// HookConfig is one [[hook]]: whom to tell what happened. Exactly one of URL and Command is set.
type HookConfig struct {
	Name       string        // in logs, status and metrics; unique
	URL        string        // http or https, absolute: events are posted as JSON
	SecretFile string        // signs what is posted (HMAC-SHA256); "": unsigned
	Command    []string      // run with the event as JSON on its standard input and in its environment
	Events     []string      // switch, verdict, override, start, divergence; empty: all
	Timeout    time.Duration // of one try, 100 ms–10 min; default 10 s
}
