package zones

import (
	"sync"
	"time"
)

// Sets of kinds that share keys.
func kindsHTTP() []Kind   { return []Kind{HTTP, HTTPS} }
func kindsWeb() []Kind    { return []Kind{HTTP, HTTPS, WebSocket} }
func kindsTLS() []Kind    { return []Kind{HTTPS, TLS, WebSocket} }
func kindsHost() []Kind   { return []Kind{HTTP, HTTPS, TLS, WebSocket} }
func kindsTalk() []Kind   { return []Kind{TCP, WebSocket} }
func kindsBody() []Kind   { return []Kind{HTTP, HTTPS, TCP, WebSocket} }
func kindsPort() []Kind   { return []Kind{HTTP, HTTPS, TCP, TLS, WebSocket, DNS} }
func kindsProbed() []Kind { return []Kind{HTTP, HTTPS, TCP, TLS, WebSocket, DNS, ICMP, Exec, File} }

// kindWords are all kinds, as they are written.
func kindWords() []string {
	words := []string{string(Static)}
	for _, kind := range kindsProbed() {
		words = append(words, string(kind))
	}
	return words
}

// checkKeys is [pool.NAME.check] and [pool.NAME.sync], made once as zoneFileKeys.
var checkKeys = sync.OnceValue(func() []key {
	intervalMin, intervalMax := span(100*time.Millisecond, time.Hour)
	timeoutMin, timeoutMax := span(10*time.Millisecond, time.Minute)
	return []key{
		{name: "type", form: text, required: true, words: kindWords(), example: `"https"`, doc: "How a deployment is probed."},
		{name: "port", form: number, min: 1, max: 65535, kinds: kindsPort(), defText: "http 80, https and tls 443, websocket 80 or 443 with `tls`, dns 53; tcp has none", example: `8443`, doc: "The port that is probed."},
		{name: "method", form: text, min: 1, max: 32, kinds: kindsHTTP(), def: "GET", example: `"HEAD"`, doc: "The request's method."},
		{name: "path", form: text, min: 1, max: 4096, kinds: kindsWeb(), def: "/", example: `"/healthz"`, doc: "The request's path and query; starts with `/`."},
		{name: "host", form: text, min: 1, max: 253, kinds: kindsHost(), defText: "the probed address", example: `"chat.example.com"`, doc: "The Host header, and the name that is sent in (SNI) and wanted from the TLS handshake."},
		{name: "headers", form: headers, kinds: kindsWeb(), example: `{ Authorization = "Bearer probe" }`, doc: "Further request headers."},
		{name: "expect_status", form: statuses, min: 1, max: 64, kinds: kindsHTTP(), def: []string{"200-299"}, example: `["200-299", 404]`, doc: "The status codes that pass: numbers, or ranges as strings. Redirects are not followed."},
		{name: "body_contains", form: text, min: 1, max: 65536, kinds: kindsHTTP(), example: `"ready"`, doc: "Text that the body must contain."},
		{name: "body_regexp", form: text, min: 1, max: 4096, kinds: kindsHTTP(), example: `"^ok\\b"`, doc: "A regular expression (RE2) that the body must match."},
		{name: "body_limit", form: number, unit: "bytes", min: 1, max: 1 << 20, kinds: kindsBody(), def: int64(65536), example: `4096`, doc: "How much is read for `body_contains`, `body_regexp` and `expect`."},
		{name: "keep_alive", form: duration, max: intervalMax, kinds: kindsHTTP(), def: time.Duration(0), example: `"10s"`, doc: "How long at most one connection serves probes, for very many targets; `0s`: each probe opens one, as a new visitor does."},
		{name: "tls", form: boolean, kinds: []Kind{WebSocket}, def: false, example: `true`, doc: "Speak TLS (wss)."},
		{name: "ca_file", form: text, min: 1, max: 4096, kinds: kindsTLS(), defText: "the system's roots", example: `"/etc/ssl/chat-ca.pem"`, doc: "The roots, as PEM, that the certificate must chain to; relative to the zones folder."},
		{name: "insecure", form: boolean, kinds: kindsTLS(), def: false, example: `true`, doc: "Accept any certificate."},
		{name: "send", form: text, min: 1, max: 65536, kinds: kindsTalk(), example: `"PING\r\n"`, doc: "What is sent after connecting; for `websocket` one text message."},
		{name: "expect", form: text, min: 1, max: 65536, kinds: kindsTalk(), example: `"PONG"`, doc: "Text that the reply must contain."},
		{name: "query", form: text, min: 1, max: 1024, kinds: []Kind{DNS}, example: `"chat.example.com"`, doc: "The name that is asked for; required for `dns`. Any NOERROR reply with an answer passes."},
		{name: "qtype", form: text, min: 1, max: 16, kinds: []Kind{DNS}, def: "A", example: `"AAAA"`, doc: "The type that is asked for."},
		{name: "command", form: texts, min: 1, max: 256, kinds: []Kind{Exec}, example: `["/usr/local/bin/probe-chat", "{address}"]`, doc: "Program and arguments; exit status 0 passes. Required for `exec`."},
		{name: "file", form: text, min: 1, max: 4096, kinds: []Kind{File}, example: `"/run/chat/{deployment}.state"`, doc: "A file whose first word is `up`, `down` or `drain`; relative to the zones folder. Required for `file`."},
		{name: "state", form: text, words: []string{"up", "down"}, kinds: []Kind{Static}, example: `"up"`, doc: "The verdict, always. Required for `static`."},
		{name: "interval", form: duration, min: intervalMin, max: intervalMax, kinds: kindsProbed(), def: time.Second, example: `"5s"`, doc: "From one probe's start to the next's."},
		{name: "fast_interval", form: duration, min: timeoutMin, max: intervalMax, kinds: kindsProbed(), def: 200 * time.Millisecond, defText: "200ms, or `interval` if that is less", example: `"100ms"`, doc: "The same while a verdict is in doubt; not above `interval`."},
		{name: "timeout", form: duration, min: timeoutMin, max: timeoutMax, kinds: kindsProbed(), def: 500 * time.Millisecond, example: `"2s"`, doc: "How long one probe may take. It may be longer than `interval`: probes overlap."},
		{name: "fall", form: number, unit: "failures", min: 1, max: 100, kinds: kindsProbed(), def: int64(4), example: `2`, doc: "Consecutive failures that turn up into down."},
		{name: "rise", form: number, unit: "successes", min: 1, max: 100, kinds: kindsProbed(), def: int64(3), example: `5`, doc: "Consecutive successes that turn down into up."},
	}
})
