package frame

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestConversationIsTheHashOfTheKey(t *testing.T) {
	c, err := Conversation("3q2-7wAAAAAAAAAAAAAAAA")
	if err != nil || c != "1b8b2c3a3ca43c6b5b2a2d3d7d7dd4d2" && !IsConversation(c) {
		t.Fatal(c, err)
	}
	again, _ := Conversation("3q2-7wAAAAAAAAAAAAAAAA")
	other, _ := Conversation("3q2-7wAAAAAAAAAAAAAAAB")
	if c != again || c == other {
		t.Error(c, again, other)
	}
	for _, bad := range []string{"", "short", strings.Repeat("a", 21), strings.Repeat("a", 65), strings.Repeat("a", 30) + "+", strings.Repeat("ä", 20)} {
		if _, err := Conversation(bad); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

func TestAuthor(t *testing.T) {
	for sender, want := range map[string]string{
		"v-12345678": Visitor, "o-12345678": Operator, "o-A_b-0000": Operator, "v-" + strings.Repeat("a", 40): Visitor,
		"": "", "v-1234567": "", "x-12345678": "", "v12345678": "", "v-" + strings.Repeat("a", 41): "", "v-1234 5678": "", "v-1234567\n": "",
	} {
		if got := Author(sender); got != want {
			t.Errorf("%q: %q, want %q", sender, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]any{
		`{"t":"msg","c":"x","n":3,"text":"hi","later":1}`:          &Msg{T: "msg", C: "x", N: 3, Text: "hi"},
		`{"t":"ack","ping":12345678901234567890}`:                  &Ack{T: "ack", Ping: "12345678901234567890"},
		`{"t":"hello","v":1,"have":{"c":{"v-a":4}},"tried":["a"]}`: &Hello{T: "hello", V: 1, Have: map[string]Have{"c": {"v-a": 4}}, Tried: []string{"a"}},
		`{"t":"weather"}`: nil,
	} {
		if got, err := Parse([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{
		``, `null`, `7`, `"msg"`, `[]`, `{}`, `{"t":1}`, `{"t":null}`, `{"t":"msg"`, `{"t":"msg"}{}`, `{"t":"msg","n":"3"}`, `{"t":"msg","n":1.5}`, `{"t":"msg","n":99999999999999999999}`,
		`{"t":"ack","have":[1]}`, `{"t":"ack","ping":"x"}`, `{"t":"hello","have":{"c":4}}`, `{"t":"put","msgs":{}}`, "{\"t\":\"msg\",\"text\":\"\xff\"}",
	} {
		if got, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%s is taken for %+v", bad, got)
		}
	}
}

func TestCheckStored(t *testing.T) {
	c := strings.Repeat("a", 32)
	good := Msg{C: c, S: "v-12345678", N: 1, From: Visitor, At: 5, Text: "hi", Name: "Ada"}
	if err := good.CheckStored(); err != nil {
		t.Fatal(err)
	}
	end := Msg{C: c, Kind: End, At: 5}
	if err := end.CheckStored(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Msg){
		"no conversation": func(m *Msg) { m.C = "A" + c[1:] }, "another's role": func(m *Msg) { m.From = Operator }, "no sender": func(m *Msg) { m.S = "x" },
		"no number": func(m *Msg) { m.N = 0 }, "a negative number": func(m *Msg) { m.N = -1 }, "too high a number": func(m *Msg) { m.N = maxN + 1 },
		"no time": func(m *Msg) { m.At = 0 }, "no text": func(m *Msg) { m.Text = "" }, "a long text": func(m *Msg) { m.Text = strings.Repeat("x", MaxText+1) },
		"a long name": func(m *Msg) { m.Name = strings.Repeat("x", MaxName+1) }, "passing": func(m *Msg) { m.Kind = Typing }, "an end with a text": func(m *Msg) { m.Kind = End },
	} {
		bad := good
		if spoil(&bad); bad.CheckStored() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzParse: whatever comes, it is refused, ignored, or a frame that can be sent on and is then the same.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := Parse(data)
		if err != nil || frame == nil {
			return
		}
		if m, ok := frame.(*Msg); ok && m.CheckStored() == nil && (m.Text == "") != (m.Kind == End) {
			t.Errorf("a message that is none: %+v", m)
		}
		again, err := Parse(Encode(frame))
		if err != nil {
			t.Fatalf("%s was read as %+v, which cannot be read: %v", data, frame, err)
		}
		one, _ := json.Marshal(frame)
		two, _ := json.Marshal(again)
		if string(one) != string(two) {
			t.Errorf("%s became %s, and then %s", data, one, two)
		}
	})
}
