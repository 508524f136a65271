package store

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/livens/livens/livechat/frame"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes messages in one batch, and returns what is held of them and which are new.
func put(t testing.TB, s *Store, msgs ...frame.Msg) ([]Record, []bool) {
	t.Helper()
	held, fresh, err := try(s, msgs...)
	if err != nil {
		t.Fatal(err)
	}
	return held, fresh
}

func try(s *Store, msgs ...frame.Msg) (held []Record, fresh []bool, err error) {
	done := make(chan bool)
	s.Write(&Batch{Msgs: msgs, Done: func(h []Record, f []bool, e error) {
		held, fresh, err = h, f, e
		close(done)
	}})
	<-done
	return held, fresh, err
}

// id is a conversation's.
func id(n int) string { return fmt.Sprintf("%032x", n) }

const ada, ann = "v-adaadaada", "o-annannann"

func message(c, s string, n, at int64, text string) frame.Msg {
	return frame.Msg{C: c, S: s, N: n, From: frame.Author(s), At: at, Text: text}
}

// transcript is a conversation in words: sender's role, number and text of each message.
func transcript(t testing.TB, s *Store, c string) string {
	t.Helper()
	records, err := s.Missing(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, r := range records {
		if r.Kind == frame.End {
			words = append(words, "end")
			continue
		}
		words = append(words, fmt.Sprintf("%s%d:%s", r.S[:1], r.N, r.Text))
	}
	return strings.Join(words, " ")
}

// fast is a folder in memory, where there is one: for histories whose commits nobody counts on.
func fast(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "livechat")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
