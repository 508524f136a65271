package cluster

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is a kind of trouble that others make.
type FaultKind string

// The kinds of trouble.
const (
	WrongKey      FaultKind = "wrong_key"      // encrypted with none of our keys, or not at all
	Malformed     FaultKind = "malformed"      // noise, or of another cluster
	Oversize      FaultKind = "oversize"       // longer than any message may be
	UnknownMember FaultKind = "unknown_member" // has the key, but is not among the peers
	DuplicateName FaultKind = "duplicate_name" // two nameservers have one name
	Dropped       FaultKind = "dropped"        // a queue was full
	Replayed      FaultKind = "replayed"       // recorded, and sent again; or meant for somebody else
	WrongFormat   FaultKind = "wrong_format"   // of a version of livens that is too far away
	Refused       FaultKind = "refused"        // too much at once from addresses that no peer has
)

// Fault is how often a kind of trouble has been met.
type Fault struct {
	Kind   FaultKind `json:"kind"`
	Count  uint64    `json:"count"` // since the start
	Last   time.Time `json:"last"`
	From   string    `json:"from,omitempty"` // whom it came from last, as far as known
	Detail string    `json:"detail"`         // what the last was, in words
}

// faultBook counts faults, and logs each kind once in a while.
type faultBook struct {
	log *slog.Logger

	mu     sync.Mutex
	faults map[FaultKind]*faultEntry
}

type faultEntry struct {
	Fault
	logged      time.Time
	loggedCount uint64
}

// faultLogPause is the least time between two log lines about one kind of fault.
const faultLogPause = time.Minute

func newFaultBook(log *slog.Logger) *faultBook {
	return &faultBook{log: log, faults: map[FaultKind]*faultEntry{}}
}

func (b *faultBook) add(kind FaultKind, from, detail string) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.faults[kind]
	if e == nil {
		e = &faultEntry{Fault: Fault{Kind: kind}}
		b.faults[kind] = e
	}
	e.Count, e.Last, e.From, e.Detail = e.Count+1, now, from, detail
	if now.Sub(e.logged) >= faultLogPause {
		b.log.Warn("cluster: "+detail, "fault", string(kind), "from", from, "times", e.Count-e.loggedCount)
		e.logged, e.loggedCount = now, e.Count
	}
}

func (b *faultBook) list() []Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Fault
	for _, e := range b.faults {
		list = append(list, e.Fault)
	}
	slices.SortFunc(list, func(x, y Fault) int { return strings.Compare(string(x.Kind), string(y.Kind)) })
	return list
}

// libraryLog takes the library's log lines: at level debug into the log, and those that tell of trouble into the book.
// The library has no other way to tell of it.
type libraryLog struct {
	log    *slog.Logger
	faults *faultBook
}

// telling are parts of the library's words, and what they mean; the first that matches counts.
var telling = []struct {
	words string
	kind  FaultKind
}{
	{"no installed keys could decrypt", WrongKey},
	{"remote state is not encrypted", WrongKey},
	{"exceeds limit", Oversize},
	{"larger than limit", Oversize},
	{"unacceptable label", Malformed},
	{"truncated", Malformed},
	{"label header", Malformed},
	{"unsupported encryption version", Malformed},
	{"too small to decrypt", Malformed},
	{"cannot decrypt empty", Malformed},
	{"invalid checksum", Malformed},
	{"missing message type", Malformed},
	{"ailed to decode", Malformed},
	{"not supported", Malformed},
	{"invalid msgType", Malformed},
	{"handler queue full", Dropped},
}

var fromPattern = regexp.MustCompile(` from=(\S+)`)

// Write takes one line.
func (l *libraryLog) Write(line []byte) (int, error) {
	level, text, _ := strings.Cut(strings.TrimSpace(string(line)), " memberlist: ")
	l.log.Debug("memberlist: "+text, "level", level)
	if level == "[ERR]" || level == "[WARN]" {
		l.judge(text)
	}
	return len(line), nil
}

func (l *libraryLog) judge(text string) {
	for _, t := range telling {
		if strings.Contains(text, t.words) {
			from := ""
			if m := fromPattern.FindStringSubmatch(text); m != nil {
				from = m[1]
			}
			l.faults.add(t.kind, from, strings.TrimSpace(fromPattern.ReplaceAllString(text, "")))
			return
		}
	}
}
