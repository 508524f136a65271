package checker

import (
	"bufio"
	"bytes"
	"strings"
)

// plainReply reads a reply that lies whole in the reader's buffer, if it is plain; every other one is left where it is, for net/http
// to read. body is valid until the next read.
func plainReply(reader *bufio.Reader, head bool) (status int, body []byte, ok bool) {
	data, _ := reader.Peek(reader.Buffered())
	if status, body, ok = plainText(data, head); ok {
		reader.Discard(len(data))
	}
	return status, body, ok
}

// plainText takes apart a reply about which there can be no two opinions: one status line, plain
// header fields, one Content-Length, and a body of just that length with nothing behind. Of very many servers that are asked
// the same every second nearly all reply so. body is a part of data.
func plainText(data []byte, head bool) (status int, body []byte, ok bool) {
	line, rest, ok := bytes.Cut(data, crlf)
	status, fine := plainStatus(line)
	if !ok || !fine || head {
		return 0, nil, false
	}
	length := -1
	for {
		if line, rest, ok = bytes.Cut(rest, crlf); !ok {
			return 0, nil, false
		}
		if len(line) == 0 {
			break
		}
		if length, ok = plainField(line, length); !ok {
			return 0, nil, false
		}
	}
	if length != len(rest) {
		return 0, nil, false
	}
	return status, rest, true
}

var crlf = []byte("\r\n")

// plainStatus reads "HTTP/1.1 200 OK". A status that allows no body, or is none yet, is not plain.
func plainStatus(line []byte) (status int, ok bool) {
	text, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(text) < 4 || text[3] != ' ' || !printing(text) {
		return 0, false
	}
	status, ok = digits(text[:3])
	return status, ok && status >= 200 && status != 204 && status != 304
}

// plainField reads a header field, and gives the Content-Length as far as known; -1: not yet. One that says how the body
// or the connection ends in another way is not plain.
func plainField(line []byte, before int) (length int, ok bool) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 || !printing(value) {
		return 0, false
	}
	for _, c := range name {
		if c != '-' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return 0, false
		}
	}
	is := func(field string) bool { return len(name) == len(field) && strings.EqualFold(string(name), field) }
	switch {
	case is("Content-Length"):
		length, ok = digits(bytes.TrimLeft(value, " "))
		return length, ok && before < 0
	case is("Connection"):
		return before, strings.EqualFold(string(bytes.TrimSpace(value)), "keep-alive")
	case is("Transfer-Encoding"), is("Trailer"), is("Upgrade"):
		return 0, false
	}
	return before, true
}

// digits reads a number of at most five of them.
func digits(text []byte) (n int, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, 0 < len(text) && len(text) <= 5
}

// printing says that there are no control characters in a text.
func printing(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
