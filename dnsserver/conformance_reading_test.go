package dnsserver_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/livens/livens/internal/peertest"
)

// reading is what dig, kdig or drill printed of one reply.
type reading struct {
	text       string // all of it, with runs of blanks made one
	status     string
	flags      []string // of aa, tc, ra, ad and cd
	answer     []string
	authority  []string
	additional []string
}

var (
	statusPattern  = regexp.MustCompile(`(?:status|rcode): (\w+)`)
	flagsPattern   = regexp.MustCompile(`;; [Ff]lags: ([a-z ]*)[;,]`)
	sectionPattern = regexp.MustCompile(`^;; (\w+) (?:PSEUDO)?SECTION:`)
	blanks         = regexp.MustCompile(`[ \t]+`)
)

// ask runs one of the tools against a server: "dig +tcp www.example.test A".
func ask(t *testing.T, addr netip.AddrPort, command string) reading {
	t.Helper()
	tool, rest, _ := strings.Cut(command, " ")
	args := []string{"@" + addr.Addr().String(), "-p", fmt.Sprint(addr.Port())}
	switch tool {
	case "dig":
		args = append([]string{"-r"}, append(args, "+nosplit")...) // -r: no settings of whoever runs the test
	case "drill":
		args = []string{"-p", fmt.Sprint(addr.Port()), "@" + addr.Addr().String()}
	}
	return read(peertest.Run(t, tool, append(args, strings.Fields(rest)...)...))
}

func read(output string) reading {
	r := reading{text: blanks.ReplaceAllString(output, " ")}
	if m := statusPattern.FindStringSubmatch(r.text); m != nil {
		r.status = m[1]
	}
	if m := flagsPattern.FindStringSubmatch(r.text); m != nil {
		for _, flag := range strings.Fields(m[1]) {
			if flag != "qr" && flag != "rd" {
				r.flags = append(r.flags, flag)
			}
		}
	}
	var into *[]string
	for line := range strings.Lines(r.text) {
		line = strings.TrimSpace(line)
		if m := sectionPattern.FindStringSubmatch(line); m != nil {
			into = map[string]*[]string{"ANSWER": &r.answer, "AUTHORITY": &r.authority, "ADDITIONAL": &r.additional}[m[1]]
			continue
		}
		if into != nil && line != "" && !strings.HasPrefix(line, ";") {
			*into = append(*into, hexInOneCase(line))
		}
	}
	return r
}

// expectation is a reply as tests write it: the rcode and the flags on the first line, then one line a record, led by
// "an", "ns" or "ad" for its section. Class IN is left out. The order of records counts only in the answer's aliases.
func expectation(text string) reading {
	var want reading
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		fields := strings.Fields(line)
		if i == 0 {
			want.status, want.flags = fields[0], fields[1:]
			continue
		}
		record := hexInOneCase(strings.Join(append(fields[1:3:3], append([]string{"IN"}, fields[3:]...)...), " "))
		switch fields[0] {
		case "an":
			want.answer = append(want.answer, record)
		case "ns":
			want.authority = append(want.authority, record)
		case "ad":
			want.additional = append(want.additional, record)
		default:
			panic("no section " + fields[0])
		}
	}
	return want
}

// hexInOneCase makes equal what the tools print in capitals or not, as they like.
func hexInOneCase(record string) string {
	if strings.Contains(record, " DS ") || strings.Contains(record, ` \# `) {
		return strings.ToLower(record)
	}
	return record
}

// mustEqual compares what was read with what is wanted.
func (want reading) mustEqual(t *testing.T, got reading) {
	t.Helper()
	equal := got.status == want.status && slices.Equal(sorted(got.flags), sorted(want.flags)) &&
		slices.Equal(aliases(got.answer), aliases(want.answer)) &&
		slices.Equal(sorted(got.answer), sorted(want.answer)) &&
		slices.Equal(sorted(got.authority), sorted(want.authority)) &&
		slices.Equal(sorted(got.additional), sorted(want.additional))
	if !equal {
		t.Errorf("got:\n%s\nwant %s %v, answer %q, authority %q, additional %q",
			got.text, want.status, want.flags, want.answer, want.authority, want.additional)
	}
}

func sorted(lines []string) []string { return slices.Sorted(slices.Values(lines)) }

func aliases(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		return !strings.Contains(line, " CNAME ") && !strings.Contains(line, " DNAME ")
	})
}

// has fails the test unless the text holds every piece.
func (r reading) has(t *testing.T, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if !strings.Contains(r.text, piece) {
			t.Errorf("no %q in:\n%s", piece, r.text)
		}
	}
}

// hasNot fails the test when the text holds one of the pieces.
func (r reading) hasNot(t *testing.T, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if strings.Contains(r.text, piece) {
			t.Errorf("%q in:\n%s", piece, r.text)
		}
	}
}
