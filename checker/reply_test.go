package checker

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

var replies = map[string]bool{ // is it plain?
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":                                    true,
	"HTTP/1.1 503 Service Unavailable\r\nServer: x\r\ncontent-length:0\r\n\r\n":         true,
	"HTTP/1.1 200 \r\nDate: Thu, 26 Nov 2026\r\nContent-Length: 3\r\n\r\n\r\n.":         true,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no":                                     false, // to be continued
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!":                                   false, // more than asked for
	"HTTP/1.1 200 OK\r\n\r\nok":                                                         false, // ends with the connection
	"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok":                                    false,
	"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n":                                false,
	"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n":                              false,
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n":                            false,
	"HTTP/1.1 200 OK\nContent-Length: 2\n\nok":                                          false,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok":               false,
	"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok":                                   false,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok":               false,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, Upgrade\r\n\r\nok": false,
	"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Thu, 26 Nov 2026 15:00:00 GMT\r\nContent-Type: text/plain\r\n" +
		"Content-Length: 2\r\nLast-Modified: Thu, 26 Nov 2026 15:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"6565-2\"\r\nAccept-Ranges: bytes\r\n\r\nok": true,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok": false,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a\r\n folded\r\n\r\nok":            false,
	"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok":                              false,
	"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nok":                  false,
	"HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\nok":                                false,
	"HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\nok":                               false,
	"HTTP/1.1 200 OK\r\nContent-Length: 2":                                         false,
	"SSH-2.0-OpenSSH_9.6\r\n":                                                      false,
	"":                                                                             false,
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: " + strings.Repeat("x", 5000) + "\r\n\r\nok": false, // not whole in the buffer
}

func TestPlainReply(t *testing.T) {
	for text, want := range replies {
		if got := sameAsLibrary(t, text); got != want {
			t.Errorf("%q: plain %t, want %t", text, got, want)
		}
	}
	reader := bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	reader.Peek(1)
	if _, _, ok := plainReply(reader, true); ok {
		t.Error("a reply to HEAD is taken for plain: its Content-Length says nothing about its end")
	}
}

// FuzzPlainReply: whatever is read without net/http is what net/http would have read.
func FuzzPlainReply(f *testing.F) {
	for text := range replies {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { sameAsLibrary(t, text) })
}

// sameAsLibrary says whether a reply is plain; then net/http must read the same in it, and leave the connection in order.
func sameAsLibrary(t *testing.T, text string) (plain bool) {
	t.Helper()
	reader := bufio.NewReader(strings.NewReader(text))
	reader.Peek(1)
	before := reader.Buffered()
	status, body, plain := plainReply(reader, false)
	if !plain {
		if reader.Buffered() != before {
			t.Errorf("%q: something is taken of what is left to net/http", text)
		}
		return false
	}
	library := bufio.NewReader(strings.NewReader(text))
	resp, err := readResponse(library, false)
	if err != nil {
		t.Fatalf("%q: net/http says %v", text, err)
	}
	defer resp.Body.Close()
	whole, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || string(whole) != string(body) || resp.Close || library.Buffered() != 0 {
		t.Errorf("%q: %d %q, net/http: %d %q, closes %t, %d left, %v", text, status, body, resp.StatusCode, whole, resp.Close, library.Buffered(), err)
	}
	return true
}
