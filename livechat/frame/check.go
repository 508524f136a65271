package frame

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// maxN is the highest number that JavaScript counts exactly.
const maxN = 1<<53 - 1

// maxTime is when dates of JavaScript end, in milliseconds.
const maxTime = 8.64e15

// Conversation is the id that a visitor's key stands for; an error says that it is no key.
func Conversation(key string) (string, error) {
	if len(key) < 22 || len(key) > 64 || !only(key, wordly) {
		return "", errors.New("a key has 22 to 64 characters of base64url")
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16]), nil
}

// IsConversation says whether c can be the id of a conversation.
func IsConversation(c string) bool { return len(c) == 32 && only(c, hexDigit) }

// Author is the role of a sender by its name, or "" when it is not one.
func Author(sender string) string {
	rest, visitor := strings.CutPrefix(sender, "v-")
	role := Visitor
	if !visitor {
		var operator bool
		if rest, operator = strings.CutPrefix(sender, "o-"); !operator {
			return ""
		}
		role = Operator
	}
	if len(rest) < 8 || len(rest) > 40 || !only(rest, wordly) {
		return ""
	}
	return role
}

// CheckSent judges a message as a client sends it, apart from whether it may speak for that sender.
func (m *Msg) CheckSent() error {
	switch {
	case !IsConversation(m.C):
		return errors.New("msg: c is no conversation")
	case m.Kind != "":
		return nil // passing, whatever it is
	case m.N < 1 || m.N > maxN:
		return errors.New("msg: n counts from 1")
	case m.Text == "" || len(m.Text) > MaxText:
		return fmt.Errorf("msg: text has 1 to %d bytes", MaxText)
	}
	return nil
}

// CheckStored judges a message that a put brings: it must be whole, and its author be who its sender's name says.
func (m *Msg) CheckStored() error {
	if m.Kind == End {
		if !IsConversation(m.C) || m.At < 1 || m.At > maxTime || m.S != "" || m.N != 0 || m.Text != "" {
			return errors.New("put: an end has a conversation and a time, nothing else")
		}
		return nil
	}
	if err := m.CheckSent(); err != nil {
		return err
	}
	switch {
	case m.Kind != "":
		return errors.New("put: only messages and ends can be put")
	case Author(m.S) == "" || m.From != Author(m.S):
		return errors.New("put: a message whose sender is not of that role")
	case m.At < 1 || m.At > maxTime:
		return errors.New("put: a message without a time")
	case len(m.Name) > MaxName:
		return fmt.Errorf("put: a name of more than %d bytes", MaxName)
	}
	return nil
}

// Check judges what an acknowledgement or a hello says to hold.
func (h Have) Check() error {
	for s, n := range h {
		if Author(s) == "" || n < 0 || n > maxN {
			return errors.New("have: not a sender with a number")
		}
	}
	return nil
}

// CheckHave judges the conversations that a hello names.
func (h *Hello) CheckHave() error {
	for c, have := range h.Have {
		if !IsConversation(c) {
			return errors.New("hello: have names what is no conversation")
		}
		if err := have.Check(); err != nil {
			return err
		}
	}
	return nil
}

func only(s string, allowed func(byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

func wordly(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '-'
}

func hexDigit(b byte) bool { return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' }
