package zones

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// faultMark begins what is said of a wrong line. Which line that is, and what is read after it, may differ: the parser alone
// takes the line after a short one for its rest.
const faultMark = "wrong: "

// readBoth reads a zone file as it is read, and by the parser alone, and returns what each made of it.
func readBoth(t *rapid.T, dir, text string) (plain, parsed string, taken int) {
	if err := os.WriteFile(filepath.Join(dir, "db"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	read := func(take func(*zoneText) func(*stream, *frame, []byte) bool) string {
		var lines []string
		z := &zoneText{zone: "example.test.", name: string(packName("example.test.")), ttl: 77, max: 100}
		z.complain = func(at position, err error) { lines = append(lines, faultMark+fmt.Sprint(at.line, " ", err)) }
		z.foreign = func(at position, name string) { lines = append(lines, fmt.Sprint(at.line, " foreign ", name)) }
		s := &stream{folder: &folder{root: root, budget: 1 << 20}, origin: z.zone, made: 100, complain: z.fault, take: take(z)}
		if err := z.readStream(s, "db"); err != nil {
			lines = append(lines, err.Error())
		}
		for _, r := range z.records {
			lines = append(lines, fmt.Sprintf("%d %q %s", r.at.line, r.key, r.packed.RR()))
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	plain = read(func(z *zoneText) func(*stream, *frame, []byte) bool {
		return func(s *stream, f *frame, line []byte) bool {
			took := z.take(s, f, line)
			if took {
				taken++
			}
			return took
		}
	})
	parsed = read(func(*zoneText) func(*stream, *frame, []byte) bool {
		return func(*stream, *frame, []byte) bool { return false }
	})
	return plain, parsed, taken
}

// TestPlainLinesReadAlike: what plain lines are taken for is what the parser makes of them, whatever stands around them.
func TestPlainLinesReadAlike(t *testing.T) {
	dir, taken := t.TempDir(), 0
	pick := func(t *rapid.T, of ...string) string { return rapid.SampledFrom(of).Draw(t, "piece") }
	name := func(t *rapid.T) string {
		return pick(t, "a", "b.c", "*", "@", "A", "x.example.test.", "EXAMPLE.test.", "other.", ".", "a..b", "-", "_s._tcp", `e\.f`, `\065`, "é", "IN", "300",
			strings.Repeat("l", 63), strings.Repeat("l", 64), strings.Repeat("abcdefghi.", 25), strings.Repeat("abcdefghi.", 23)+"abcd", "a:b", "a/b", `"q"`)
	}
	number := func(t *rapid.T) string {
		return pick(t, "0", "1", "300", "0600", "65535", "65536", "999999999", "2147483647", "2147483648", "1h", "+5", "")
	}
	line := func(t *rapid.T) string {
		owner := pick(t, name(t), name(t), "", "\t", " ")
		head := pick(t, "", "", number(t), "IN", "in", "CH", number(t)+" IN", "IN "+number(t), number(t)+" "+number(t), "IN IN")
		data := pick(t, "A 192.0.2.1", "A 192.0.2.1", "A 192.0.2.256", "A 1.2.3", "A 01.2.3.4", "A 1.2.3.4.5", "A 192.0.2.1 x", "A 1.2.3.4.", "A 0.0.0.0", "A ::1", "A",
			"AAAA 2001:db8::1", "AAAA ::ffff:192.0.2.1", "AAAA 192.0.2.1", "AAAA fe80::1%eth0", "AAAA ::1.2.3.4", "AAAA 2001:DB8::A",
			"NS "+name(t), "CNAME "+name(t), "PTR "+name(t), "MX "+number(t)+" "+name(t), "MX 10", "a 192.0.2.1", "TXT x", `TXT "a;b"`, "TYPE1 \\# 4 01020304",
			"SRV 1 2 3 "+name(t), "NS ( "+name(t)+" )", "A (\n 192.0.2.1\n)", "")
		return owner + pick(t, " ", "\t", "  ") + head + " " + data + pick(t, "", "", "", " ", "; c", "\r")
	}
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for range rapid.IntRange(1, 8).Draw(t, "lines") {
			text.WriteString(pick(t, line(t), line(t), line(t), line(t), "$TTL "+number(t), "$ORIGIN "+name(t), "; c", "", "$GENERATE 1-2 g$ A 192.0.2.$") + "\n")
		}
		plain, parsed, n := readBoth(t, dir, text.String())
		taken += n
		wrong := strings.Contains(parsed, faultMark)
		if wrong != strings.Contains(plain, faultMark) || !wrong && plain != parsed {
			t.Fatalf("%s\nread as\n%s\nby the parser as\n%s", text.String(), plain, parsed)
		}
	})
	if taken == 0 {
		t.Error("no line was taken")
	}
}

// TestPlainLinesAreTaken: the forms that large zones come in do not need the parser.
func TestPlainLinesAreTaken(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		_, _, taken := readBoth(t, dir, "a.example.test.\t300\tIN\tA\t192.0.2.1\n\t300 AAAA ::1\n$TTL 60\nb A 192.0.2.1\n MX 10 b\nwww IN 60 CNAME b\nc 60 IN NS ns.c\n1 PTR b\n")
		if taken != 7 {
			t.Fatalf("%d lines were taken", taken)
		}
	})
}

// TestSortRecordsInRuns: runs that are merged come out as if they had been sorted.
func TestSortRecordsInRuns(t *testing.T) {
	file := "db"
	rapid.Check(t, func(t *rapid.T) {
		var records []record
		for _, run := range rapid.SliceOfN(rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 3, -1), 0, 8), 0, 12).Draw(t, "runs") {
			slices.Sort(run)
			for _, key := range run {
				records = append(records, record{packed: "\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00", key: key, at: position{&file, int32(len(records))}})
			}
		}
		want := slices.SortedFunc(slices.Values(records), compareRecords)
		if sortRecords(records); !slices.Equal(records, want) {
			t.Fatalf("%v, want %v", records, want)
		}
	})
}
