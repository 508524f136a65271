package zones

import (
	"sync"
	"time"
)

// configKeys is livens.toml.
func configKeys() []key {
	return []key{
		{name: "name", form: text, restart: true, min: 1, max: 253, defText: "the host name", example: `"ns1"`,
			doc: "This nameserver's name, in logs, the status page and probes' User-Agent."},
		{name: "listen", form: listens, restart: true, max: 64, def: []string{"0.0.0.0:53", "[::]:53"}, example: `["192.0.2.53:53"]`,
			doc: "Where DNS is answered, over UDP and TCP. `[]` answers nowhere: a [witness](#witness), only with `[cluster]`."},
		{name: "zones", form: text, min: 1, max: 4096, def: "zones", example: `"zones"`,
			doc: "The folder of zone files: every `*.toml` in it is one zone. Relative to the folder of livens.toml."},
		{name: "state", form: text, restart: true, min: 1, max: 4096, def: "/var/lib/livens", example: `"/var/lib/livens"`,
			doc: "The folder of what must outlive a restart: last good zones, decisions, the control socket."},
		{name: "strict", form: boolean, def: false, example: `true`,
			doc: "One error in any zone refuses the whole load: every zone keeps its last good version."},
		{name: "site", form: text, restart: true, min: 1, max: 63, example: `"fra"`,
			doc: "The data center that this nameserver is in, as `site` of deployments has it. See [Sites](#sites)."},
		{name: "http", form: table, keys: httpKeys()},
		{name: "dns", form: table, keys: dnsKeys()},
		{name: "log", form: table, keys: logKeys()},
		{name: "checker", form: table, keys: checkerKeys()},
		{name: "moderator", form: table, keys: moderatorKeys()},
		{name: "cluster", form: table, keys: clusterKeys()},
		{name: "hook", form: many, keys: hookKeys()},
	}
}

func httpKeys() []key {
	return []key{
		{name: "listen", form: listen, restart: true, def: "127.0.0.1:9353", words: []string{"off"}, example: `"off"`,
			doc: "The private listener for metrics, status page and read-only API; `\"off\"` for none."},
	}
}

func moderatorKeys() []key {
	return []key{
		{name: "listen", form: listens, required: true, restart: true, min: 1, max: 16, example: `["0.0.0.0:443", "[::]:443"]`,
			doc: "Where browsers and chat deployments ask which deployment is active; open to the world."},
		{name: "cert", form: text, restart: true, min: 1, max: 4096, defText: "plain HTTP, only on loopback addresses", example: `"moderator.crt"`,
			doc: "The certificate and its chain in PEM, the server's own first. Read again when the file changes."},
		{name: "key", form: text, restart: true, min: 1, max: 4096, defText: "as `cert`", example: `"moderator.key"`,
			doc: "The certificate's private key in PEM. Read again when the file changes."},
	}
}

func dnsKeys() []key {
	idleMin, idleMax := span(time.Second, 10*time.Minute)
	return []key{
		{name: "nsid", form: text, restart: true, max: MaxNSID, defText: "`name`", example: `"ns1.fra"`,
			doc: "Which nameserver this is, for clients that ask (NSID, RFC 5001; CHAOS `id.server`); `\"\"` keeps silent."},
		{name: "version", form: text, restart: true, max: 255, def: "livens", example: `""`,
			doc: "The answer to CHAOS `version.bind`; `\"\"` refuses it."},
		{name: "cookie_file", form: text, restart: true, max: 4096, defText: "a random secret per start", example: `"cookies.secret"`,
			doc: "A file of secrets for DNS cookies (RFC 9018), 32 hex digits a line; the first signs, all verify. See below."},
		{name: "debug_names", form: boolean, restart: true, def: false, example: `true`,
			doc: "Answer `TXT _livens.NAME` for pool names: active deployment, epoch and since when."},
		{name: "udp_size", form: number, restart: true, unit: "bytes", min: 512, max: 4096, def: int64(1232), example: `1400`,
			doc: "The largest response over UDP. 1232 goes over nearly every path in one piece, and IPv4 routers are told not to fragment it (RFC 9715); more they may. Where a path or an interface is narrower than 1260, set what it takes, less 28."},
		{name: "xdp", form: texts, restart: true, max: MaxXDP, defText: "none", example: `["eth0"]`,
			doc: "Network interfaces of which UDP queries are taken past the kernel's own stack, which costs a fraction (Linux, AF_XDP). See below."},
		{name: "tcp_idle", form: duration, restart: true, min: idleMin, max: idleMax, def: 10 * time.Second, example: `"30s"`,
			doc: "How long an idle TCP connection stays open, and how long a client may take over a query or its answers."},
		{name: "tcp_connections", form: number, restart: true, unit: "connections", min: 1, max: 100000, def: int64(1000), example: `5000`,
			doc: "TCP connections at once. One more, and an idle one of whoever has many gives way. One whose client does not read its answers holds up to 160 KB until `tcp_idle` is over, and what the kernel keeps for it."},
		{name: "tcp_per_client", form: number, restart: true, unit: "connections", min: 1, max: 100000, def: int64(50), defText: "50, or `tcp_connections` if that is less", example: `20`,
			doc: "TCP connections at once from one IPv4 address or one IPv6 /64; not above `tcp_connections`. More are refused."},
	}
}

func logKeys() []key {
	return []key{
		{name: "format", form: text, restart: true, words: []string{"text", "json"}, def: "text", example: `"json"`, doc: "How log lines are written."},
		{name: "level", form: text, words: []string{"debug", "info", "warn", "error"}, def: "info", example: `"warn"`,
			doc: "The least important line that is logged."},
	}
}

func checkerKeys() []key {
	return []key{
		{name: "max_probes", form: number, restart: true, unit: "probes", min: 1, max: 100000, def: int64(1000), example: `2000`, doc: "Probes under way at once."},
		{name: "max_exec", form: number, restart: true, unit: "commands", min: 1, max: 1000, def: int64(16), example: `4`, doc: "Commands of `exec` checks at once."},
	}
}

func clusterKeys() []key {
	holdMin, holdMax := span(time.Second, 10*time.Minute)
	return []key{
		{name: "listen", form: listen, required: true, restart: true, example: `"192.0.2.53:7946"`,
			doc: "Where the other observers reach this one, over UDP and TCP."},
		{name: "advertise", form: listen, restart: true, defText: "`listen`", example: `"192.0.2.53:7946"`,
			doc: "The address that the others are told; required where `listen` is `0.0.0.0` or `[::]`, or behind NAT."},
		{name: "peers", form: peers, required: true, restart: true, min: 1, max: maxPeers, example: `["ns2.example.com:7946", "[2001:db8::53]:7946"]`,
			doc: "Every other observer: names or addresses, each with its port. With this one they are the cluster's size."},
		{name: "key_file", form: text, required: true, restart: true, min: 1, max: 4096, example: `"cluster.key"`,
			doc: "The keys that the observers share, one a line; the first encrypts, all decrypt. See [Keys](#keys-and-their-rotation)."},
		{name: "minority_hold", form: duration, restart: true, min: holdMin, max: holdMax, def: 10 * time.Second, example: `"30s"`,
			doc: "Without the votes of a majority of the observers, wait so long before acting on those there are."},
		{name: "tie_hold", form: duration, restart: true, min: holdMin, max: holdMax, def: 10 * time.Second, example: `"30s"`,
			doc: "A tie on the deployment that answers counts as down after so long, while another is up."},
	}
}

func hookKeys() []key {
	tryMin, tryMax := span(100*time.Millisecond, 10*time.Minute)
	return []key{
		{name: "name", form: text, required: true, min: 1, max: 63, example: `"pager"`,
			doc: "Unique: letters, digits, `-` and `_`; not `start`. In the log, status and metrics."},
		{name: "url", form: text, min: 1, max: 2048, example: `"https://hooks.example.com/livens"`,
			doc: "Where events are posted as JSON. Either this or `command`."},
		{name: "command", form: texts, min: 1, max: 256, example: `["/usr/local/bin/page-somebody", "--urgent"]`,
			doc: "Program and arguments, run with the event as JSON on standard input. Either this or `url`."},
		{name: "secret_file", form: text, min: 1, max: 4096, defText: "unsigned", example: `"pager.secret"`,
			doc: "A file whose content signs what is posted (HMAC-SHA256). Only with `url`."},
		{name: "events", form: texts, min: 1, max: int64(len(eventWords())), words: eventWords(), defText: "all", example: `["switch", "divergence"]`,
			doc: "What is told."},
		{name: "timeout", form: duration, min: tryMin, max: tryMax, def: 10 * time.Second, example: `"5s"`,
			doc: "How long one try may take."},
	}
}

// eventWords are the kinds of event that a hook may ask for.
func eventWords() []string { return []string{"switch", "verdict", "override", "start", "divergence"} }

// zoneFileKeys is one zone's TOML file. There may be many, so that its keys are made once; nobody changes them.
var zoneFileKeys = sync.OnceValue(func() []key {
	return []key{
		{name: "zone", form: table, required: true, keys: zoneKeys()},
		{name: "pool", form: named, keys: poolKeys()},
	}
})

func zoneKeys() []key {
	const seconds, maxTTL = "seconds", 1<<31 - 1
	return []key{
		{name: "name", form: text, required: true, min: 1, max: 1024, example: `"chat.example.com"`, doc: "The zone's name; always absolute, with or without the final dot."},
		{name: "ttl", form: number, unit: seconds, max: maxTTL, min: 0, def: int64(300), example: `3600`, doc: "The TTL of records that give none."},
		{name: "ns", form: texts, max: 64, example: `["ns1", "ns2.example.net."]`, doc: "The zone's nameservers (its NS records). Without a final dot a name is relative to the zone."},
		{name: "contact", form: text, min: 1, max: 1024, example: `"hostmaster@example.com"`, doc: "Who answers for the zone (the SOA's RNAME), as a mail address. Required unless an SOA record is given."},
		{name: "records", form: texts, max: 1000000, example: `["ns1 A 192.0.2.53", "@ MX 10 mail.example.com."]`, doc: "Records in presentation format, of any type; names relative to the zone, `@` for the zone itself."},
		{name: "zonefile", form: text, min: 1, max: 4096, example: `"db.chat.example.com"`, doc: "An RFC 1035 zone file inside the zones folder, relative to this file; beside `records` or instead of them."},
		{name: "primary", form: text, min: 1, max: 1024, defText: "the first of `ns`", example: `"ns1"`, doc: "The SOA's MNAME."},
		{name: "serial", form: number, min: 1, max: 1<<32 - 1, defText: "made and kept by the server", example: `2026112201`, doc: "The SOA's serial. If it is not given, the server counts: the higher of previous + 1 and the Unix time."},
		{name: "refresh", form: number, unit: seconds, min: 1, max: maxTTL, def: int64(3600), example: `7200`, doc: "The SOA's REFRESH."},
		{name: "retry", form: number, unit: seconds, min: 1, max: maxTTL, def: int64(600), example: `900`, doc: "The SOA's RETRY."},
		{name: "expire", form: number, unit: seconds, min: 1, max: maxTTL, def: int64(1209600), example: `2419200`, doc: "The SOA's EXPIRE."},
		{name: "negative_ttl", form: number, unit: seconds, max: maxTTL, min: 0, def: int64(60), example: `300`, doc: "The SOA's MINIMUM: how long resolvers may remember that a name does not exist (RFC 2308)."},
	}
}

var poolKeys = sync.OnceValue(func() []key {
	delayMin, delayMax := span(0, 24*time.Hour)
	return []key{
		{name: "answers", form: texts, required: true, min: 1, max: 1000, example: `["@", "www", "*.eu"]`, doc: "The names whose A and AAAA come from the pool, relative to the zone."},
		{name: "policy", form: text, words: []string{string(Failover), string(AllLive)}, def: string(Failover), example: `"all-live"`, doc: "`failover`: the first live deployment in order. `all-live`: every live one."},
		{name: "ttl", form: number, unit: "seconds", min: 1, max: 86400, def: int64(10), example: `30`, doc: "The TTL of the pool's answers, positive and negative."},
		{name: "ttl_min", form: number, unit: "seconds", min: 1, max: 86400, def: int64(5), defText: "5, or `ttl` if that is less", example: `2`, doc: "The TTL while a target is failing and before a planned switch; not above `ttl`."},
		{name: "failback", form: text, words: []string{string(Auto), string(Delay), string(Manual), string(Gated)}, defText: "`gated` with `sync`, else `auto`", example: `"delay"`, doc: "When traffic returns to a better deployment that came back. `auto`: once it is up. `delay`: once it has been up for `failback_delay`. `manual`: on an operator's order. `gated`: as `delay`, and `sync` must have passed all the while."},
		{name: "failback_delay", form: duration, min: delayMin, max: delayMax, def: 60 * time.Second, example: `"5m"`, doc: "How long a better deployment must have been up; for `delay` and `gated`."},
		{name: "all_down", form: text, words: []string{string(LastGood), string(Primary), string(All)}, def: string(LastGood), example: `"primary"`, doc: "What is answered while nothing is live: the deployment that was live last, the first in order, or all."},
		{name: "max_failbacks", form: number, unit: "an hour", min: 1, max: 1000, def: int64(4), example: `2`, doc: "Moves away from a live deployment; leaving a dead one is never refused."},
		{name: "follow", form: text, min: 1, max: 63, example: `"chat"`, doc: "Repeat the choice of another pool, by deployment name. Such a pool has no checks and no rules of its own."},
		{name: "check", form: oneOrMore, defText: "required unless `follow`", keys: checkKeys()},
		{name: "sync", form: table, keys: checkKeys()},
		{name: "client", form: table, keys: clientKeys()},
		{name: "deployment", form: many, required: true, keys: deploymentKeys()},
	}
})

func clientKeys() []key {
	return []key{
		{name: "url", form: text, min: 1, max: 2048, defText: "`wss://`, the first of `answers`, `/chat`", example: `"wss://chat.example.com/chat"`, doc: "The service's WebSocket by its DNS name."},
		{name: "moderators", form: texts, max: 16, defText: "the zone's nameservers, at the port of `[moderator]`", example: `["https://ns1.example.com", "https://ns2.example.net:8443"]`, doc: "Origins of nameservers with a `[moderator]`. `[]`: nobody is asked."},
		{name: "scripts", form: texts, min: 1, max: 4, defText: "`/livens.js` at the first two `moderators`", example: `["https://ns1.example.com/livens.js"]`, doc: "Where the page loads the script, the first that answers."},
	}
}

func deploymentKeys() []key {
	return []key{
		{name: "name", form: text, required: true, min: 1, max: 63, example: `"primary"`, doc: "Unique in the pool: letters, digits, `-` and `_`."},
		{name: "site", form: text, min: 1, max: 63, example: `"fra"`, doc: "The data center."},
		{name: "addresses", form: addresses, required: true, min: 1, max: 64, example: `["203.0.113.10", "2001:db8:1::10"]`, doc: "What is answered while this deployment is chosen; each is probed by every check."},
		{name: "probe_addresses", form: addresses, min: 1, max: 64, defText: "`addresses`", example: `["10.1.0.10", "fd00:1::10"]`, doc: "Where the checks go instead, one for each of `addresses`, in order."},
		{name: "urls", form: texts, min: 1, max: 16, defText: "the client's `url` with each of `addresses` as its host", example: `["wss://fra.chat.example.com/chat", "wss://fra.chat.example.net/chat"]`, doc: "WebSocket URLs that lead to this deployment alone, best first. See [The client](#the-client)."},
		{name: "cold", form: boolean, def: false, example: `true`, doc: "It is started when it is needed: that it is down alarms nobody."},
		{name: "start", form: texts, min: 1, max: 256, example: `["/usr/local/bin/start-chat", "{deployment}"]`, doc: "Program and arguments that start a cold deployment. Only with `cold = true`."},
	}
}
