package drill_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// readHead reads a request or a response up to the empty line.
func readHead(r *bufio.Reader) ([]byte, error) {
	var head []byte
	for {
		line, err := r.ReadSlice('\n')
		head = append(head, line...)
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return head, nil
		}
		if len(head) > 64<<10 {
			return nil, errors.New("a head without an end")
		}
	}
}

// withoutExtensions takes the offer of compression out of a request, so that frames can be read.
func withoutExtensions(head []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(head) {
		if !bytes.HasPrefix(bytes.ToLower(line), []byte("sec-websocket-extensions:")) {
			kept = append(kept, line...)
		}
	}
	return kept
}

// readFrame reads a WebSocket frame of a server, which is not masked (RFC 6455 section 5.2), as it is on the wire.
func readFrame(r *bufio.Reader) ([]byte, error) {
	frame := make([]byte, 2, 64)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	size := uint64(frame[1] & 0x7f)
	extended := map[uint64]int{126: 2, 127: 8}[size]
	if extended > 0 {
		length := make([]byte, extended)
		if _, err := io.ReadFull(r, length); err != nil {
			return nil, err
		}
		frame = append(frame, length...)
		size = binary.BigEndian.Uint64(append(make([]byte, 8-extended), length...))
	}
	if size > 1<<20 {
		return nil, errors.New("a frame of more than 1 MiB")
	}
	payload := make([]byte, size)
	_, err := io.ReadFull(r, payload)
	return append(frame, payload...), err
}

// framesOf withholds frames of the protocol by their kind.
func framesOf(kind string) func(frame []byte) bool {
	return func(frame []byte) bool { return bytes.Contains(frame, []byte(`"t":"`+kind+`"`)) }
}
