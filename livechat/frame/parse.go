package frame

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Limits of what is read, in bytes.
const (
	MaxFrame     = 64 << 10  // of a visitor: any text of MaxText fits, however it is escaped
	MaxBulkFrame = 128 << 10 // of an operator and of a link
	MaxText      = 8 << 10
	MaxName      = 256
	MaxPut       = 200 // messages
)

// Parse reads a frame: *Hello, *Welcome, *Msg, *Ack, *Put, *Synced or *Move; nil when its t is unknown. An error says what is malformed. That
// a frame's members are what they must be from whom it comes is for the methods of this package called Check.
func Parse(data []byte) (any, error) {
	var head struct {
		T *string `json:"t"`
	}
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, errors.New("not a JSON object with t")
	}
	if head.T == nil {
		return nil, errors.New("a frame without t")
	}
	f := empty(*head.T)
	if f == nil {
		return nil, nil
	}
	if err := json.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("a malformed %s", *head.T)
	}
	return f, nil
}

// empty is a frame to be filled, or nil.
func empty(t string) any {
	switch t {
	case "hello":
		return &Hello{}
	case "welcome":
		return &Welcome{}
	case "msg":
		return &Msg{}
	case "ack":
		return &Ack{}
	case "put":
		return &Put{}
	case "synced":
		return &Synced{}
	case "move":
		return &Move{}
	}
	return nil
}
