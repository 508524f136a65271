// Package frame is the language that clients and deployments speak, docs/client-protocol.md: what the frames are, how
// they are read, and what none of them may be. It knows no socket, no store and no clock.
package frame

import "encoding/json"

// The WebSocket subprotocols.
const (
	ChatProtocol = "livens-chat.1"
	LinkProtocol = "livens-link.1"
)

// Version is what hello must say in v.
const Version = 1

// Roles of those who say hello, and from whom a message is.
const (
	Visitor    = "visitor"
	Operator   = "operator"
	Deployment = "deployment"
)

// Kinds of passing messages. End is the one that is kept, see Msg.
const (
	Typing   = "typing"
	Presence = "presence"
	End      = "end"
)

// What an acknowledgement means; Visitor and Operator are the other two.
const (
	Disk = "disk"
	Safe = "safe"
)

// Close codes, of which clients know what to do.
const (
	Restart   = 1012 // the deployment ends, or cannot store: try the other at once
	Busy      = 1013 // too slow a reader, or too many clients: come back after a while
	Elsewhere = 4001 // another deployment is active
	Forged    = 4003 // not who it says it is
	Malformed = 4008 // no client of this protocol sends that
)

// Have is how much of one conversation somebody holds: of each sender the highest number up to which nothing is missing.
type Have map[string]int64

// Hello is the first frame of a client, and of a deployment that follows another.
type Hello struct {
	T      string          `json:"t"`
	V      int             `json:"v"`
	Role   string          `json:"role"`
	Key    string          `json:"key,omitempty"`   // a visitor's
	Token  string          `json:"token,omitempty"` // an operator's or a deployment's
	Name   string          `json:"name,omitempty"`
	Sender string          `json:"sender,omitempty"`
	Have   map[string]Have `json:"have,omitempty"`
	Tried  []string        `json:"tried,omitempty"`
	Epoch  int64           `json:"epoch,omitempty"`
	Log    string          `json:"log,omitempty"` // which log of the other deployment was read last
	Seq    int64           `json:"seq,omitempty"` // and how far
	Build
}

// Build is what two deployments compare: it should be the same at both.
type Build struct {
	Version  string `json:"version,omitempty"`
	Settings string `json:"settings,omitempty"`
}

// Welcome answers Hello.
type Welcome struct {
	T          string          `json:"t"`
	V          int             `json:"v"`
	Deployment string          `json:"deployment"`
	C          string          `json:"c,omitempty"`
	Have       map[string]Have `json:"have,omitempty"`
	Operators  int             `json:"operators"`
	Now        int64           `json:"now,omitempty"`    // milliseconds since 1970
	Spread     int64           `json:"spread,omitempty"` // milliseconds
	Epoch      int64           `json:"epoch,omitempty"`
	Log        string          `json:"log,omitempty"` // of a link
	Seq        int64           `json:"seq,omitempty"` // of a link: puts begin behind this position of the log
	Build
}

// Msg is a message. One with a number is kept; one with a kind is passing. A kept end (a deployment's record that an
// operator closed a conversation) has a kind and a time, and neither sender nor number.
type Msg struct {
	T         string `json:"t,omitempty"`
	C         string `json:"c,omitempty"`
	S         string `json:"s,omitempty"`
	N         int64  `json:"n,omitempty"`
	From      string `json:"from,omitempty"`
	Name      string `json:"name,omitempty"`
	At        int64  `json:"at,omitempty"` // milliseconds since 1970
	Text      string `json:"text,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Operators *int   `json:"operators,omitempty"`
	// Here are, on a link, the senders of the operators that Operators counts: one may be attached to both deployments.
	Here []string `json:"here,omitempty"`
}

// Ack says what somebody holds, or is a heartbeat: a ping, or the pong that answers it.
type Ack struct {
	T      string `json:"t"`
	C      string `json:"c,omitempty"`
	Have   Have   `json:"have,omitempty"`
	By     string `json:"by,omitempty"`
	Ping   Number `json:"ping,omitempty"`
	Pong   Number `json:"pong,omitempty"`
	Spread int64  `json:"spread,omitempty"` // milliseconds; with pong
	Seq    int64  `json:"seq,omitempty"`    // on a link
}

// Number is one that is given back as it came.
type Number = json.Number

// Put is a copy of messages that somebody else may lack.
type Put struct {
	T    string `json:"t"`
	C    string `json:"c,omitempty"`
	ID   int64  `json:"id,omitempty"`
	Seq  int64  `json:"seq,omitempty"` // on a link
	Msgs []Msg  `json:"msgs"`
}

// Synced ends what follows a welcome, and answers a put that has an id.
type Synced struct {
	T      string `json:"t"`
	ID     int64  `json:"id,omitempty"`
	Seq    int64  `json:"seq,omitempty"`    // on a link: the sender's log, all of which the other has
	Read   int64  `json:"read,omitempty"`   // on a link: how far the sender has read the other's log
	Before int64  `json:"before,omitempty"` // on a link: digest and count are of what is from before this, in milliseconds since 1970; 0: of all, up to seq
	Digest string `json:"digest,omitempty"` // on a link
	Count  int64  `json:"count,omitempty"`  // on a link
}

// Move tells a client where to go.
type Move struct {
	T      string `json:"t"`
	To     string `json:"to"`
	Reason string `json:"reason,omitempty"`
	Epoch  int64  `json:"epoch,omitempty"`
	Spread int64  `json:"spread,omitempty"` // milliseconds
}

// Encode is the frame as it is sent.
func Encode(f any) []byte {
	b, err := json.Marshal(f)
	if err != nil {
		panic(err) // the types above cannot fail, and numbers of a Number were read from JSON
	}
	return b
}
